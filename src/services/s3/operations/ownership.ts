/**
 * Object ownership and ACLs: every bucket's owner owns all that is in it, so that ACLs grant nothing and can only be read. On AWS a bucket
 * whose ownership controls were removed has ACLs; here they are refused by name then.
 */
import { notImplemented } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { bucketFor, canonicalUserId, keyBytes } from "../access.ts";
import type { S3 } from "../deps.ts";
import { s3Error } from "../errors.ts";
import { findObject } from "../find-object.ts";
import type { BucketRow } from "../rows.ts";
import { setOwnership } from "../store-buckets.ts";
import type { Client, Empty } from "./client.ts";

export async function putBucketOwnershipControls(
  s3: S3,
  input: Input<Client, "PutBucketOwnershipControls">,
  context: RequestContext,
): Promise<Empty> {
  const rules = input.OwnershipControls?.Rules ?? [];
  if (rules.length !== 1) throw s3Error("MalformedXML");
  const ownership = rules[0]?.ObjectOwnership;
  if (ownership === "BucketOwnerPreferred" || ownership === "ObjectWriter")
    throw notImplemented(`access control lists (ObjectOwnership ${ownership})`);
  if (ownership !== "BucketOwnerEnforced") throw s3Error("MalformedXML");
  return change(s3, input, true, context);
}

/** As deployment tools do before they delete the bucket. */
export function deleteBucketOwnershipControls(
  s3: S3,
  input: Input<Client, "DeleteBucketOwnershipControls">,
  context: RequestContext,
): Promise<Empty> {
  return change(s3, input, false, context);
}

async function change(
  s3: S3,
  input: Input<Client, "DeleteBucketOwnershipControls">,
  hasOwnership: boolean,
  context: RequestContext,
): Promise<Empty> {
  await s3.database.tx(async (tx) => {
    const bucket = await bucketFor(tx, input, context);
    await setOwnership(tx, bucket.name, hasOwnership);
  });
  return {};
}

export async function getBucketOwnershipControls(
  s3: S3,
  input: Input<Client, "GetBucketOwnershipControls">,
  context: RequestContext,
): Promise<Output<Client, "GetBucketOwnershipControls">> {
  const bucket = await bucketFor(s3.database, input, context);
  if (!hasOwnership(bucket)) throw s3Error("OwnershipControlsNotFoundError", { BucketName: bucket.name });
  return { OwnershipControls: { Rules: [{ ObjectOwnership: "BucketOwnerEnforced" }] } };
}

export async function getBucketAcl(
  s3: S3,
  input: Input<Client, "GetBucketAcl">,
  context: RequestContext,
): Promise<Output<Client, "GetBucketAcl">> {
  return ownersAcl(await bucketFor(s3.database, input, context));
}

export async function getObjectAcl(
  s3: S3,
  input: Input<Client, "GetObjectAcl">,
  context: RequestContext,
): Promise<Output<Client, "GetObjectAcl">> {
  const bucket = await bucketFor(s3.database, input, context);
  await findObject(s3.database, bucket, keyBytes(input.Key), input.VersionId, context);
  return ownersAcl(bucket);
}

export async function putBucketAcl(
  s3: S3,
  input: Input<Client, "PutBucketAcl">,
  context: RequestContext,
): Promise<Empty> {
  throw noAcls(await bucketFor(s3.database, input, context));
}

export async function putObjectAcl(
  s3: S3,
  input: Input<Client, "PutObjectAcl">,
  context: RequestContext,
): Promise<Output<Client, "PutObjectAcl">> {
  const bucket = await bucketFor(s3.database, input, context);
  await findObject(s3.database, bucket, keyBytes(input.Key), input.VersionId, context);
  throw noAcls(bucket);
}

function noAcls(bucket: BucketRow): Error {
  return hasOwnership(bucket)
    ? s3Error("AccessControlListNotSupported")
    : notImplemented("access control lists (the bucket has no ownership controls)");
}

function hasOwnership(bucket: BucketRow): boolean {
  return bucket.has_ownership === 1;
}

function ownersAcl({ account }: BucketRow): Output<Client, "GetBucketAcl"> {
  const ID = canonicalUserId(account);
  return {
    Owner: { ID },
    Grants: [{ Grantee: { Type: "CanonicalUser", ID }, Permission: "FULL_CONTROL" }],
  };
}
