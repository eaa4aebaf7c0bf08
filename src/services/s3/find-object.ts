/** Finding the version that a read names, and saying in S3's way that it is not there. */
import type { RequestContext } from "../../aws/service.ts";
import type { Reader } from "../../store/database.ts";
import { s3Error } from "./errors.ts";
import { mayEverything, ownedBy } from "./policy/grants.ts";
import type { BucketRow, ObjectRow } from "./rows.ts";
import { currentObject, objectVersion } from "./store-objects.ts";
import { checkVersionId } from "./versions.ts";

/**
 * The version a read asks for.
 * @throws AccessDenied where it is not there and the caller may not list the bucket; NoSuchKey, NoSuchVersion, MethodNotAllowed (a delete marker asked for by its id), InvalidArgument.
 */
export async function findObject(
  reader: Reader,
  bucket: BucketRow,
  key: Buffer,
  versionId: string | undefined,
  context: RequestContext,
): Promise<ObjectRow> {
  const id = checkVersionId(versionId);
  const row =
    id === undefined
      ? await currentObject(reader, bucket.name, key)
      : await objectVersion(reader, bucket.name, key, id);
  const headers = context.responseHeaders;
  if (row?.is_marker === 1) {
    if (id === undefined) await authorizeAbsence(bucket, context);
    headers["x-amz-delete-marker"] = "true";
    headers["x-amz-version-id"] = row.version_id;
    if (id === undefined) throw s3Error("NoSuchKey", { Key: key.toString() });
    headers["allow"] = "DELETE";
    headers["last-modified"] = new Date(row.modified_at).toUTCString();
    throw s3Error("MethodNotAllowed", {
      Method: context.operation.startsWith("Head") ? "HEAD" : "GET",
      ResourceType: "DeleteMarker",
    });
  }
  if (row) return row;
  await authorizeAbsence(bucket, context);
  if (id === undefined) throw s3Error("NoSuchKey", { Key: key.toString() });
  throw s3Error("NoSuchVersion", { Key: key.toString(), VersionId: id });
}

/** S3 tells only those who may list a bucket that an object is not there. @throws AccessDenied for others */
export async function authorizeAbsence(bucket: BucketRow, context: RequestContext): Promise<void> {
  if (mayEverything(bucket, context.principal)) return;
  const requirement = { action: "s3:ListBucket", resource: `arn:aws:s3:::${bucket.name}` };
  await context.authorize?.(ownedBy(requirement, bucket.account));
}

/** The version id as an answer tells it: absent where the bucket never had versions. */
export function shownVersionId(bucket: BucketRow, row: { version_id: string }): string | undefined {
  return bucket.versioning === "" && row.version_id === "null" ? undefined : row.version_id;
}
