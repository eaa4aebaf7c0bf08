/** DeleteObjects: up to a thousand removals, each with a result of its own. */
import { AwsError } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Transaction } from "../../../store/database.ts";
import { bucketFor, keyBytes } from "../access.ts";
import { removal } from "../authorization.ts";
import type { S3 } from "../deps.ts";
import { headerNotImplemented, invalidRequest, s3Error } from "../errors.ts";
import { DELETE_OBJECTS_MAX } from "../limits.ts";
import { mayEverything } from "../policy/grants.ts";
import { refuseUnsupported } from "../refusals.ts";
import { removeWithEvent } from "../remove-object.ts";
import type { BucketRow } from "../rows.ts";
import { checkVersionId } from "../versions.ts";
import type { Removed } from "../versions.ts";
import type { Client } from "./client.ts";

/** Removals of one transaction, so that a long list does not keep other writers out. */
const REMOVALS_PER_COMMIT = 100;

type Input_ = Input<Client, "DeleteObjects">;
type Named = NonNullable<NonNullable<Input_["Delete"]>["Objects"]>[number];
type Result =
  | { readonly named: Named; readonly removed: Removed }
  | { readonly named: Named; readonly error: AwsError };

export async function deleteObjects(
  s3: S3,
  input: Input_,
  context: RequestContext,
): Promise<Output<Client, "DeleteObjects">> {
  refuseUnsupported(input);
  requireIntegrity(context);
  const objects = input.Delete?.Objects ?? [];
  if (objects.length === 0 || objects.length > DELETE_OBJECTS_MAX) throw s3Error("MalformedXML");
  const bucket = await bucketFor(s3.database, input, context);
  const bypass = input.BypassGovernanceRetention === true;
  const { allowed, refused } = await authorizeEach(objects, bucket, bypass, context);
  const results: Result[] = refused;
  for (let at = 0; at < allowed.length; at += REMOVALS_PER_COMMIT) {
    const batch = allowed.slice(at, at + REMOVALS_PER_COMMIT);
    const done = await s3.database.tx(async (tx) => {
      const bucket = await bucketFor(tx, input, context);
      const removals: Result[] = [];
      for (const named of batch) removals.push(await removeOne(s3, tx, bucket, { named, bypass }, context));
      return removals;
    });
    for (const result of done) if ("removed" in result) s3.content.discard(result.removed.garbage);
    results.push(...done);
  }
  return {
    ...(input.Delete?.Quiet
      ? {}
      : { Deleted: results.flatMap((result) => ("removed" in result ? [deleted(result)] : [])) }),
    Errors: results.flatMap((result) => ("error" in result ? [failed(result)] : [])),
  };
}

/** The keys that the caller may remove, and a result for each of the others. */
async function authorizeEach(
  objects: readonly Named[],
  bucket: BucketRow,
  bypass: boolean,
  context: RequestContext,
): Promise<{ allowed: readonly Named[]; refused: Result[] }> {
  const { authorize } = context;
  if (!authorize || mayEverything(bucket, context.principal)) return { allowed: objects, refused: [] };
  const allowed: Named[] = [];
  const refused: Result[] = [];
  for (const named of objects)
    try {
      for (const one of removal({ ...named, Bucket: bucket.name }, bucket.account, bypass, context))
        await authorize(one);
      allowed.push(named);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      refused.push({ named, error });
    }
  return { allowed, refused };
}

/** An error of one key is a result; nothing has been written for it when it is thrown. */
async function removeOne(
  s3: S3,
  tx: Transaction,
  bucket: BucketRow,
  { named, bypass }: { readonly named: Named; readonly bypass: boolean },
  context: RequestContext,
): Promise<Result> {
  try {
    if (named.LastModifiedTime !== undefined) throw headerNotImplemented("LastModifiedTime");
    if (named.Size !== undefined) throw headerNotImplemented("Size");
    const removal = {
      key: keyBytes(named.Key),
      versionId: checkVersionId(named.VersionId || undefined),
      ifMatch: named.ETag,
      bypass,
    };
    return { named, removed: await removeWithEvent(s3, tx, bucket, removal, context) };
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    return { named, error };
  }
}

function deleted({ named, removed }: { readonly named: Named; readonly removed: Removed }) {
  return {
    Key: named.Key,
    ...(named.VersionId ? { VersionId: named.VersionId } : {}),
    ...(removed.deleteMarker ? { DeleteMarker: true, DeleteMarkerVersionId: removed.versionId } : {}),
  };
}

function failed({ named, error }: { readonly named: Named; readonly error: AwsError }) {
  return {
    Key: named.Key,
    ...(named.VersionId ? { VersionId: named.VersionId } : {}),
    Code: error.code,
    Message: error.message,
  };
}

/** S3 takes this body only with a digest; the digest itself has been verified before. */
function requireIntegrity({ headers }: RequestContext): void {
  const has = Object.keys(headers).some(
    (name) =>
      name === "content-md5" || (name.startsWith("x-amz-checksum-") && name !== "x-amz-checksum-mode"),
  );
  if (!has && headers["x-amz-trailer"] === undefined)
    throw invalidRequest("Missing required header for this request: Content-MD5 OR x-amz-checksum-*");
}
