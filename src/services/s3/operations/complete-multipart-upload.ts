/** CompleteMultipartUpload: the parts become the object where they lie; nothing is copied. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Transaction } from "../../../store/database.ts";
import { bucketFor, keyBytes } from "../access.ts";
import { ALGORITHM_NAMES, checksumMember } from "../checksum/algorithms.ts";
import { checksumOutput } from "../checksum/stored.ts";
import { joinParts } from "../complete-upload.ts";
import type { Joined } from "../complete-upload.ts";
import { checkWriteHeaders } from "../conditions.ts";
import type { S3 } from "../deps.ts";
import { encryptionOutput } from "../encryption/requested.ts";
import { invalidRequest, s3Error } from "../errors.ts";
import { shownVersionId } from "../find-object.ts";
import { parseLock } from "../object-lock/lock.ts";
import { putVersionIn } from "../put-version.ts";
import { refuseUnsupported } from "../refusals.ts";
import type { BucketRow, UploadRow, VersionRow } from "../rows.ts";
import { objectOfUpload } from "../store-objects.ts";
import { deletePart, deleteUpload, partsOf, startPart } from "../store-uploads.ts";
import { checksumMismatch, uploadFor } from "../uploads.ts";
import type { Client } from "./client.ts";

type CompleteInput = Input<Client, "CompleteMultipartUpload">;
type CompleteOutput = Output<Client, "CompleteMultipartUpload">;

export async function completeMultipartUpload(
  s3: S3,
  input: CompleteInput,
  context: RequestContext,
): Promise<CompleteOutput> {
  refuseUnsupported(input);
  const key = keyBytes(input.Key);
  checkWriteHeaders({ ifMatch: input.IfMatch, ifNoneMatch: input.IfNoneMatch });
  const { garbage, output } = await s3.database.tx(async (tx) => {
    const bucket = await bucketFor(tx, input, context);
    const done = await objectOfUpload(tx, bucket.name, key, input.UploadId ?? "");
    // The answer to the first call may have been lost: asked again, S3 gives it again.
    if (done) return { garbage: [], output: repeated(bucket, done) };
    const upload = await uploadFor(tx, bucket, key, input.UploadId);
    return complete(s3, tx, bucket, upload, input, context);
  });
  s3.content.discard(garbage);
  return {
    ...output,
    Location: `${context.endpoint}/${input.Bucket}/${encodeURIComponent(input.Key ?? "")}`,
    Bucket: input.Bucket,
    Key: input.Key,
  };
}

async function complete(
  s3: S3,
  tx: Transaction,
  bucket: BucketRow,
  upload: UploadRow,
  input: CompleteInput,
  context: RequestContext,
): Promise<{ garbage: (string | null)[]; output: CompleteOutput }> {
  const joined = joinParts(upload, input.MultipartUpload?.Parts ?? [], await partsOf(tx, upload.upload_id));
  checkWhole(joined, upload, input);
  let start = 0;
  for (const part of joined.parts) {
    await startPart(tx, part, start);
    start += part.size;
  }
  for (const part of joined.unused) await deletePart(tx, part);
  await deleteUpload(tx, upload.upload_id);
  const put = {
    key: upload.object_key,
    content: {
      size: joined.size,
      etag: joined.etag,
      checksum: joined.checksum,
      parts: joined.parts.length,
      uploadId: upload.upload_id,
      blobName: null,
      inlineBytes: null,
      headers: upload.headers,
      tags: upload.tags,
      encryption: upload.encryption,
      lock: upload.object_lock === null ? undefined : parseLock(upload.object_lock),
    },
    conditions: { ifMatch: input.IfMatch, ifNoneMatch: input.IfNoneMatch },
    event: "ObjectCreated:CompleteMultipartUpload",
  };
  const written = await putVersionIn(s3, tx, bucket, put, context);
  return {
    garbage: [...written.garbage, ...joined.unused.map((part) => part.blob_name)],
    output: {
      ETag: `"${joined.etag}"`,
      ...checksumOutput(joined.checksum),
      VersionId: written.versionId,
      Expiration: written.Expiration,
      ...encryptionOutput(upload.encryption),
    },
  };
}

/** What the caller says of the whole object. @throws InvalidRequest, BadDigest */
function checkWhole(joined: Joined, upload: UploadRow, input: CompleteInput): void {
  if (input.MpuObjectSize !== undefined && input.MpuObjectSize !== joined.size)
    throw invalidRequest("The provided 'x-amz-mp-object-size' header value does not match what was computed");
  if (input.ChecksumType !== undefined && input.ChecksumType !== upload.checksum_type)
    throw invalidRequest(
      `The upload was created using the ${upload.checksum_type} checksum mode. The complete request must use the same checksum mode.`,
    );
  for (const algorithm of ALGORITHM_NAMES) {
    const given = input[checksumMember(algorithm)];
    if (given === undefined) continue;
    if (algorithm !== joined.checksum.algorithm) throw checksumMismatch(joined.checksum.algorithm, algorithm);
    const [value] = joined.checksum.value.split("-");
    if (given !== joined.checksum.value && given !== value)
      throw s3Error("BadDigest", {}, `The ${algorithm} you specified did not match the calculated checksum.`);
  }
}

function repeated(bucket: BucketRow, done: VersionRow): CompleteOutput {
  const { checksum_algorithm: algorithm, checksum_type: type, checksum: value } = done;
  return {
    ETag: `"${done.etag}"`,
    ...(algorithm && type ? checksumOutput({ algorithm, type, value }) : {}),
    VersionId: shownVersionId(bucket, done),
    ...encryptionOutput(done.encryption),
  };
}
