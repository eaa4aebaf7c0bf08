/** PutBucketWebsite, GetBucketWebsite and DeleteBucketWebsite. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { bucketFor } from "../access.ts";
import type { S3 } from "../deps.ts";
import { s3Error } from "../errors.ts";
import { setWebsite } from "../store-buckets.ts";
import { checkWebsite } from "../website/configuration.ts";
import type { Client, Empty } from "./client.ts";

export async function putBucketWebsite(
  s3: S3,
  input: Input<Client, "PutBucketWebsite">,
  context: RequestContext,
): Promise<Empty> {
  return change(s3, input, JSON.stringify(checkWebsite(input.WebsiteConfiguration)), context);
}

export async function getBucketWebsite(
  s3: S3,
  input: Input<Client, "GetBucketWebsite">,
  context: RequestContext,
): Promise<Output<Client, "GetBucketWebsite">> {
  const { name, website } = await bucketFor(s3.database, input, context);
  if (website === null) throw s3Error("NoSuchWebsiteConfiguration", { BucketName: name });
  return JSON.parse(website) as Output<Client, "GetBucketWebsite">;
}

export function deleteBucketWebsite(
  s3: S3,
  input: Input<Client, "DeleteBucketWebsite">,
  context: RequestContext,
): Promise<Empty> {
  return change(s3, input, null, context);
}

async function change(
  s3: S3,
  input: Input<Client, "DeleteBucketWebsite">,
  website: string | null,
  context: RequestContext,
): Promise<Empty> {
  await s3.database.tx(async (tx) => {
    const bucket = await bucketFor(tx, input, context);
    await setWebsite(tx, bucket.name, website);
  });
  return {};
}
