/** CreateMultipartUpload and AbortMultipartUpload. */
import { notImplemented } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { bucketFor, keyBytes } from "../access.ts";
import { DIGESTS_REFUSED } from "../../../kit/digest.ts";
import type { S3 } from "../deps.ts";
import { headerNotImplemented } from "../errors.ts";
import { encryptionOutput, newSealing } from "../encryption/requested.ts";
import { abortOutput } from "../lifecycle/headers.ts";
import { readHeaders } from "../metadata.ts";
import { askedLock, lockMissing } from "../object-lock/lock.ts";
import { refuseUnsupported } from "../refusals.ts";
import { uploadId as newUploadId } from "../sequence.ts";
import { deleteParts, deleteUpload, insertUpload } from "../store-uploads.ts";
import { readTagHeader, storedTags } from "../tags.ts";
import { chooseChecksum, uploadFor } from "../uploads.ts";
import type { Client } from "./client.ts";

export async function createMultipartUpload(
  s3: S3,
  input: Input<Client, "CreateMultipartUpload">,
  context: RequestContext,
): Promise<Output<Client, "CreateMultipartUpload">> {
  refuseUnsupported(input);
  const key = keyBytes(input.Key);
  const refused = DIGESTS_REFUSED.find((name) => name === input.ChecksumAlgorithm);
  if (refused) throw notImplemented(`the checksum algorithm ${refused}`);
  const checksum = chooseChecksum(input.ChecksumAlgorithm, input.ChecksumType);
  const lock = askedLock(input, s3.clock.now());
  const row = {
    object_key: key,
    initiated_at: s3.clock.now(),
    initiator: context.principal.arn,
    checksum_algorithm: checksum.algorithm,
    checksum_type: checksum.type,
    headers: JSON.stringify(readHeaders(input)),
    tags: storedTags(readTagHeader(input.Tagging)),
    object_lock: lock ? JSON.stringify(lock) : null,
  };
  const { uploadId, told } = await s3.database.tx(async (tx) => {
    const bucket = await bucketFor(tx, input, context);
    if (lock && bucket.object_lock === null) throw lockMissing();
    const seq = s3.sequence.next();
    const id = newUploadId(seq, s3.ids);
    const encryption = newSealing(s3, bucket, input.ServerSideEncryption)?.stored ?? null;
    await insertUpload(tx, { ...row, upload_id: id, bucket: bucket.name, seq, encryption });
    const told = {
      ...abortOutput(bucket, key.toString(), row.initiated_at),
      ...encryptionOutput(encryption),
    };
    return { uploadId: id, told };
  });
  return {
    Bucket: input.Bucket,
    Key: input.Key,
    UploadId: uploadId,
    ...told,
    ...(checksum.algorithm ? { ChecksumAlgorithm: checksum.algorithm, ChecksumType: checksum.type } : {}),
  };
}

export async function abortMultipartUpload(
  s3: S3,
  input: Input<Client, "AbortMultipartUpload">,
  context: RequestContext,
): Promise<Output<Client, "AbortMultipartUpload">> {
  // Of directory buckets alone.
  if (input.IfMatchInitiatedTime !== undefined) throw headerNotImplemented("x-amz-if-match-initiated-time");
  const key = keyBytes(input.Key);
  const garbage = await s3.database.tx(async (tx) => {
    const bucket = await bucketFor(tx, input, context);
    const upload = await uploadFor(tx, bucket, key, input.UploadId);
    const blobs = await deleteParts(tx, upload.upload_id);
    await deleteUpload(tx, upload.upload_id);
    return blobs;
  });
  s3.content.discard(garbage);
  return {};
}
