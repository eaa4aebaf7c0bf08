/** PutPublicAccessBlock, GetPublicAccessBlock and DeletePublicAccessBlock. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { bucketFor } from "../access.ts";
import type { S3 } from "../deps.ts";
import { s3Error } from "../errors.ts";
import { DELETED, NOTHING_BLOCKED, storedPublicAccess } from "../policy/public-access.ts";
import { setPublicAccess } from "../store-buckets.ts";
import type { Client, Empty } from "./client.ts";

export async function putPublicAccessBlock(
  s3: S3,
  input: Input<Client, "PutPublicAccessBlock">,
  context: RequestContext,
): Promise<Empty> {
  const given = input.PublicAccessBlockConfiguration;
  if (!given) throw s3Error("MalformedXML");
  // What is not named is not blocked.
  const named = Object.entries(given).filter(([, value]) => value !== undefined);
  const stored = JSON.stringify({ ...NOTHING_BLOCKED, ...Object.fromEntries(named) });
  return change(s3, input, stored, context);
}

export async function getPublicAccessBlock(
  s3: S3,
  input: Input<Client, "GetPublicAccessBlock">,
  context: RequestContext,
): Promise<Output<Client, "GetPublicAccessBlock">> {
  const bucket = await bucketFor(s3.database, input, context);
  const configuration = storedPublicAccess(bucket);
  if (!configuration) throw s3Error("NoSuchPublicAccessBlockConfiguration", { BucketName: bucket.name });
  return { PublicAccessBlockConfiguration: configuration };
}

export function deletePublicAccessBlock(
  s3: S3,
  input: Input<Client, "DeletePublicAccessBlock">,
  context: RequestContext,
): Promise<Empty> {
  return change(s3, input, DELETED, context);
}

async function change(
  s3: S3,
  input: Input<Client, "DeletePublicAccessBlock">,
  value: string,
  context: RequestContext,
): Promise<Empty> {
  await s3.database.tx(async (tx) => {
    const bucket = await bucketFor(tx, input, context);
    await setPublicAccess(tx, bucket.name, value);
  });
  return {};
}
