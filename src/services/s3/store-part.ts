/** Commits a part whose content has been received, in place of one with the same number. */
import type { RequestContext } from "../../aws/service.ts";
import { bucketFor } from "./access.ts";
import type { ChecksumAlgorithm } from "./checksum/algorithms.ts";
import type { Received } from "./content.ts";
import type { S3 } from "./deps.ts";
import { discardRefused } from "./discard-refused.ts";
import type { PartRow, UploadRow } from "./rows.ts";
import { findPart, putPart } from "./store-uploads.ts";
import { uploadFor } from "./uploads.ts";

interface PartInput {
  readonly Bucket?: string | undefined;
  readonly ExpectedBucketOwner?: string | undefined;
}

/**
 * `sent` is the algorithm of the caller's own checksum where the upload keeps another.
 * @throws NoSuchUpload when the upload was finished or aborted meanwhile; then the content is discarded.
 */
export async function storePart(
  s3: S3,
  input: PartInput,
  upload: UploadRow,
  partNumber: number,
  received: Received,
  sent: ChecksumAlgorithm | undefined,
  context: RequestContext,
): Promise<Omit<PartRow, "start_at">> {
  const part = {
    upload_id: upload.upload_id,
    part_number: partNumber,
    etag: received.md5.toString("hex"),
    size: received.size,
    modified_at: s3.clock.now(),
    checksum: received.checksum.toString("base64"),
    sent_algorithm: sent ?? null,
    sent_checksum: received.second?.toString("base64") ?? null,
    blob_name: received.blobName ?? "",
  };
  try {
    const replaced = await s3.database.tx(async (tx) => {
      const bucket = await bucketFor(tx, input, context);
      await uploadFor(tx, bucket, upload.object_key, upload.upload_id);
      const before = await findPart(tx, upload.upload_id, partNumber);
      await putPart(tx, part);
      return before?.blob_name ?? null;
    });
    s3.content.discard([replaced]);
    return part;
  } catch (error) {
    discardRefused(s3, error, received.blobName);
    throw error;
  }
}
