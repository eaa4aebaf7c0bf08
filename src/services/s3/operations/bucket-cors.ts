/** PutBucketCors, GetBucketCors and DeleteBucketCors. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { bucketFor } from "../access.ts";
import { readRules } from "../cors/rules.ts";
import type { S3 } from "../deps.ts";
import { s3Error } from "../errors.ts";
import { setCors } from "../store-buckets.ts";
import type { Client, Empty } from "./client.ts";

type Rules = Output<Client, "GetBucketCors">["CORSRules"];

export async function putBucketCors(
  s3: S3,
  input: Input<Client, "PutBucketCors">,
  context: RequestContext,
): Promise<Empty> {
  const rules = JSON.stringify(readRules(input.CORSConfiguration?.CORSRules));
  return change(s3, input, rules, context);
}

export async function getBucketCors(
  s3: S3,
  input: Input<Client, "GetBucketCors">,
  context: RequestContext,
): Promise<Output<Client, "GetBucketCors">> {
  const { name, cors } = await bucketFor(s3.database, input, context);
  if (cors === null) throw s3Error("NoSuchCORSConfiguration", { BucketName: name });
  return { CORSRules: JSON.parse(cors) as Rules };
}

export function deleteBucketCors(
  s3: S3,
  input: Input<Client, "DeleteBucketCors">,
  context: RequestContext,
): Promise<Empty> {
  return change(s3, input, null, context);
}

async function change(
  s3: S3,
  input: Input<Client, "DeleteBucketCors">,
  rules: string | null,
  context: RequestContext,
): Promise<Empty> {
  await s3.database.tx(async (tx) => {
    const bucket = await bucketFor(tx, input, context);
    await setCors(tx, bucket.name, rules);
  });
  return {};
}
