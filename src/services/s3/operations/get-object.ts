/** GetObject and HeadObject: conditions, ranges, parts, versions, and the headers of what is found. */
import { BlobNotFound } from "../../../store/blobs.ts";
import type { ByteRange } from "../../../store/blobs.ts";
import { AwsError } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { bucketFor, keyBytes } from "../access.ts";
import { checksumOutput } from "../checksum/stored.ts";
import { checksumMember } from "../checksum/algorithms.ts";
import { evaluateRead, preconditionFailed } from "../conditions.ts";
import type { S3 } from "../deps.ts";
import { encryptionOutput } from "../encryption/requested.ts";
import { invalidArgument, invalidRequest, s3Error } from "../errors.ts";
import { findObject, shownVersionId } from "../find-object.ts";
import { expirationOutput } from "../lifecycle/headers.ts";
import { PART_NUMBER_MAX } from "../limits.ts";
import { headerOutput } from "../metadata.ts";
import type { ObjectHeaders } from "../metadata.ts";
import { bucketArn } from "../notification/event.ts";
import { parseLock } from "../object-lock/lock.ts";
import { ownedBy } from "../policy/grants.ts";
import { contentRange, parseRange } from "../range.ts";
import { refuseUnsupported } from "../refusals.ts";
import type { BucketRow, ObjectRow, PartRow } from "../rows.ts";
import { findPart } from "../store-uploads.ts";
import { parseTags } from "../tags.ts";
import type { Client } from "./client.ts";

type ReadInput = Input<Client, "GetObject"> | Input<Client, "HeadObject">;

/** How often a row is read anew when its content was removed between the two looks. */
const ATTEMPTS_MAX = 5;

export async function getObject(
  s3: S3,
  input: Input<Client, "GetObject">,
  context: RequestContext,
): Promise<Output<Client, "GetObject">> {
  for (let attempt = 1; ; attempt++) {
    const found = await find(s3, input, context);
    try {
      // An empty part has no range that could say so.
      const isEmpty = found.part?.size === 0;
      const Body = isEmpty ? Buffer.alloc(0) : await s3.content.read(found.row, found.range);
      return { ...answer(found, input, context), ...(await lockOutput(found, context)), Body };
    } catch (error) {
      if (!(error instanceof BlobNotFound) || attempt === ATTEMPTS_MAX) throw error;
    }
  }
}

export async function headObject(
  s3: S3,
  input: Input<Client, "HeadObject">,
  context: RequestContext,
): Promise<Output<Client, "HeadObject">> {
  const found = await find(s3, input, context);
  return { ...answer(found, input, context), ...(await lockOutput(found, context)) };
}

interface Found {
  readonly bucket: BucketRow;
  readonly row: ObjectRow;
  /** Undefined for the whole object. */
  readonly range: ByteRange | undefined;
  readonly part: PartRow | undefined;
}

async function find(s3: S3, input: ReadInput, context: RequestContext): Promise<Found> {
  refuseUnsupported(input);
  const { Range: rangeHeader, PartNumber: partNumber } = input;
  if (rangeHeader !== undefined && partNumber !== undefined)
    throw invalidRequest("Cannot specify both Range header and partNumber query parameter");
  const key = keyBytes(input.Key);
  const bucket = await bucketFor(s3.database, input, context);
  const row = await findObject(s3.database, bucket, key, input.VersionId, context);
  checkConditions(bucket, row, input, context);
  if (partNumber === undefined)
    return { bucket, row, range: parseRange(rangeHeader, row.size), part: undefined };
  return { bucket, row, ...(await findPartRange(s3, row, partNumber)) };
}

function checkConditions(bucket: BucketRow, row: ObjectRow, input: ReadInput, context: RequestContext): void {
  const failed = evaluateRead(
    { etag: row.etag, lastModified: row.modified_at },
    {
      ifMatch: input.IfMatch,
      ifNoneMatch: input.IfNoneMatch,
      ifModifiedSince: input.IfModifiedSince,
      ifUnmodifiedSince: input.IfUnmodifiedSince,
    },
  );
  if (failed === undefined) return;
  if (failed !== "NotModified") throw preconditionFailed(failed);
  const headers = context.responseHeaders;
  headers["etag"] = `"${row.etag}"`;
  headers["last-modified"] = new Date(row.modified_at).toUTCString();
  const stored = JSON.parse(row.headers) as ObjectHeaders;
  if (stored.cacheControl !== undefined) headers["cache-control"] = stored.cacheControl;
  if (stored.expires !== undefined) headers["expires"] = new Date(stored.expires).toUTCString();
  const versionId = shownVersionId(bucket, row);
  if (versionId !== undefined) headers["x-amz-version-id"] = versionId;
  throw s3Error("NotModified");
}

async function findPartRange(
  s3: S3,
  row: ObjectRow,
  partNumber: number,
): Promise<Pick<Found, "range" | "part">> {
  if (!Number.isInteger(partNumber) || partNumber < 1 || partNumber > PART_NUMBER_MAX)
    throw invalidArgument(
      `Part number must be an integer between 1 and ${PART_NUMBER_MAX}, inclusive`,
      "partNumber",
      partNumber,
    );
  const unsatisfiable = () =>
    s3Error("InvalidPartNumber", { PartNumberRequested: partNumber, ActualPartCount: row.parts || 1 });
  if (row.parts === 0) {
    if (partNumber !== 1) throw unsatisfiable();
    return { range: row.size === 0 ? undefined : { start: 0, end: row.size - 1 }, part: undefined };
  }
  const part = await findPart(s3.database, row.upload_id ?? "", partNumber);
  if (!part) throw unsatisfiable();
  const start = part.start_at ?? 0;
  return { range: part.size === 0 ? undefined : { start, end: start + part.size - 1 }, part };
}

/** Everything but the body. */
function answer({ bucket, row, range, part }: Found, input: ReadInput, context: RequestContext) {
  if (range) context.responseStatus = 206;
  const tags = parseTags(row.tags).length;
  return {
    ...headerOutput(JSON.parse(row.headers) as ObjectHeaders),
    ...overrides(input),
    AcceptRanges: "bytes",
    LastModified: new Date(row.modified_at),
    ContentLength: range ? range.end - range.start + 1 : part ? part.size : row.size,
    ...(range ? { ContentRange: contentRange(range, row.size) } : {}),
    ...encryptionOutput(row.encryption),
    ...(row.is_latest === 1 && expirationOf(bucket, row)),
    ETag: `"${row.etag}"`,
    VersionId: shownVersionId(bucket, row),
    ...(input.PartNumber !== undefined && row.parts > 0 ? { PartsCount: row.parts } : {}),
    ...(tags > 0 ? { TagCount: tags } : {}),
    ...(input.ChecksumMode === "ENABLED" ? checksums(row, range, part) : {}),
  };
}

/** What locks the version, as far as the caller may know. */
async function lockOutput({ bucket, row }: Found, context: RequestContext) {
  if (row.object_lock === null) return {};
  const { mode, until, legalHold } = parseLock(row.object_lock);
  const may = async (action: string) => {
    const resource = `${bucketArn(bucket.name)}/${row.object_key.toString()}`;
    return context.authorize?.(ownedBy({ action, resource }, bucket.account)).then(
      () => true,
      (error: unknown) => {
        if (error instanceof AwsError) return false;
        throw error;
      },
    );
  };
  const showsRetention = until !== undefined && (await may("s3:GetObjectRetention")) !== false;
  const showsHold = legalHold !== undefined && (await may("s3:GetObjectLegalHold")) !== false;
  return {
    ...(showsRetention && { ObjectLockMode: mode, ObjectLockRetainUntilDate: new Date(until) }),
    ...(showsHold && { ObjectLockLegalHoldStatus: legalHold }),
  };
}

function expirationOf(bucket: BucketRow, row: ObjectRow) {
  const { size, tags, modified_at: modifiedAt } = row;
  return expirationOutput(bucket, { key: row.object_key.toString(), size, tags, modifiedAt });
}

/** The whole object's checksum is told with the whole object, a part's with the part, and none with other ranges. */
function checksums(row: ObjectRow, range: ByteRange | undefined, part: PartRow | undefined) {
  const { checksum_algorithm: algorithm, checksum_type: type, checksum: value } = row;
  if (algorithm === "" || type === "") return {};
  if (part) return { [checksumMember(algorithm)]: part.checksum, ChecksumType: type };
  if (range && (range.start > 0 || range.end < row.size - 1)) return {};
  return checksumOutput({ algorithm, type, value });
}

function overrides(input: ReadInput) {
  const pairs = {
    CacheControl: input.ResponseCacheControl,
    ContentDisposition: input.ResponseContentDisposition,
    ContentEncoding: input.ResponseContentEncoding,
    ContentLanguage: input.ResponseContentLanguage,
    ContentType: input.ResponseContentType,
    Expires: input.ResponseExpires,
  };
  return Object.fromEntries(Object.entries(pairs).filter(([, value]) => value !== undefined)) as Partial<
    typeof pairs
  >;
}
