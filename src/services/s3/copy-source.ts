/** Where a copy comes from: the x-amz-copy-source header, the object it names, and its conditions. */
import { notImplemented } from "../../aws/errors.ts";
import type { RequestContext } from "../../aws/service.ts";
import type { Reader } from "../../store/database.ts";
import { bucketAnywhere, keyBytes } from "./access.ts";
import { checkCopySource } from "./conditions.ts";
import { invalidArgument, invalidRequest, s3Error } from "./errors.ts";
import { authorizeAbsence } from "./find-object.ts";
import { SINGLE_BODY_BYTES_MAX } from "./limits.ts";
import type { BucketRow, ObjectRow } from "./rows.ts";
import { currentObject, objectVersion } from "./store-objects.ts";
import { checkVersionId } from "./versions.ts";

export interface CopySource {
  readonly bucket: string;
  readonly key: string;
  readonly versionId: string | undefined;
}

/** `/bucket/key?versionId=…`, percent-encoded. @throws InvalidArgument */
export function parseCopySource(header: string | undefined): CopySource {
  const invalid = () =>
    invalidArgument(
      "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
      "x-amz-copy-source",
      header ?? "",
    );
  const [path = "", query] = (header ?? "").split("?", 2);
  let decoded: string;
  try {
    decoded = decodeURIComponent(path).replace(/^\//, "");
  } catch {
    throw invalid();
  }
  if (decoded.startsWith("arn:")) throw notImplemented("access points as the source of a copy");
  const slash = decoded.indexOf("/");
  if (slash < 1 || slash === decoded.length - 1) throw invalid();
  const versionId = new URLSearchParams(query ?? "").get("versionId");
  return {
    bucket: decoded.slice(0, slash),
    key: decoded.slice(slash + 1),
    versionId: versionId === null ? undefined : versionId,
  };
}

interface SourceInput {
  readonly CopySource?: string | undefined;
  readonly CopySourceIfMatch?: string | undefined;
  readonly CopySourceIfNoneMatch?: string | undefined;
  readonly CopySourceIfModifiedSince?: Date | undefined;
  readonly CopySourceIfUnmodifiedSince?: Date | undefined;
  readonly ExpectedSourceBucketOwner?: string | undefined;
}

export interface FoundSource {
  readonly source: CopySource;
  readonly bucket: BucketRow;
  readonly row: ObjectRow;
}

/** @throws NoSuchBucket, NoSuchKey, NoSuchVersion, PreconditionFailed, InvalidRequest */
export async function findSource(
  reader: Reader,
  input: SourceInput,
  context: RequestContext,
): Promise<FoundSource> {
  const source = parseCopySource(input.CopySource);
  const named = { Bucket: source.bucket, ExpectedBucketOwner: input.ExpectedSourceBucketOwner };
  // A copy may cross regions: it is the destination's endpoint that the caller speaks to.
  const bucket = await bucketAnywhere(reader, named);
  const row = await findRow(reader, bucket, source, context);
  checkCopySource(
    { etag: row.etag, lastModified: row.modified_at },
    {
      ifMatch: input.CopySourceIfMatch,
      ifNoneMatch: input.CopySourceIfNoneMatch,
      ifModifiedSince: input.CopySourceIfModifiedSince,
      ifUnmodifiedSince: input.CopySourceIfUnmodifiedSince,
    },
  );
  return { source, bucket, row };
}

/** @throws InvalidRequest for more than one copy may carry. */
export function checkCopySize(bytes: number): void {
  if (bytes > SINGLE_BODY_BYTES_MAX)
    throw invalidRequest(
      `The specified copy source is larger than the maximum allowable size for a copy source: ${SINGLE_BODY_BYTES_MAX}`,
    );
}

async function findRow(
  reader: Reader,
  bucket: BucketRow,
  source: CopySource,
  context: RequestContext,
): Promise<ObjectRow> {
  const key = keyBytes(source.key);
  const id = checkVersionId(source.versionId);
  const row =
    id === undefined
      ? await currentObject(reader, bucket.name, key)
      : await objectVersion(reader, bucket.name, key, id);
  if (row && row.is_marker === 0) return row;
  if (!row || id === undefined) await authorizeAbsence(bucket, context);
  if (id === undefined) throw s3Error("NoSuchKey", { Key: source.key });
  if (!row) throw s3Error("NoSuchVersion", { Key: source.key, VersionId: id });
  throw invalidRequest(
    "The source of a copy request may not specifically refer to a delete marker by version id.",
  );
}
