/** PutBucketTagging, GetBucketTagging and DeleteBucketTagging. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { bucketFor } from "../access.ts";
import type { S3 } from "../deps.ts";
import { s3Error } from "../errors.ts";
import { setBucketTags } from "../store-buckets.ts";
import { readTagSet, storedTags, tagSetOutput } from "../tags.ts";
import type { Client, Empty } from "./client.ts";

export async function putBucketTagging(
  s3: S3,
  input: Input<Client, "PutBucketTagging">,
  context: RequestContext,
): Promise<Empty> {
  const tags = storedTags(readTagSet(input.Tagging?.TagSet, "bucket"));
  await s3.database.tx(async (tx) => {
    const bucket = await bucketFor(tx, input, context);
    await setBucketTags(tx, bucket.name, tags);
  });
  return {};
}

export async function getBucketTagging(
  s3: S3,
  input: Input<Client, "GetBucketTagging">,
  context: RequestContext,
): Promise<Output<Client, "GetBucketTagging">> {
  const { name, tags } = await bucketFor(s3.database, input, context);
  if (tags === null) throw s3Error("NoSuchTagSet", { BucketName: name });
  return { TagSet: tagSetOutput(tags) };
}

export async function deleteBucketTagging(
  s3: S3,
  input: Input<Client, "DeleteBucketTagging">,
  context: RequestContext,
): Promise<Empty> {
  await s3.database.tx(async (tx) => {
    const bucket = await bucketFor(tx, input, context);
    await setBucketTags(tx, bucket.name, null);
  });
  return {};
}
