/** UploadPartCopy: a part whose bytes are another object's, or a range of them. */
import type { ByteRange } from "../../../store/blobs.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { bucketFor, keyBytes } from "../access.ts";
import { checksumMember } from "../checksum/algorithms.ts";
import { checkCopySize, findSource } from "../copy-source.ts";
import type { FoundSource } from "../copy-source.ts";
import type { S3 } from "../deps.ts";
import { encryptionOutput } from "../encryption/requested.ts";
import { invalidArgument } from "../errors.ts";
import { shownVersionId } from "../find-object.ts";
import { receiveCopy } from "../receive-copy.ts";
import { refuseUnsupported } from "../refusals.ts";
import { storePart } from "../store-part.ts";
import { checkPartNumber, uploadAlgorithm, uploadFor } from "../uploads.ts";
import type { Client } from "./client.ts";

export async function uploadPartCopy(
  s3: S3,
  input: Input<Client, "UploadPartCopy">,
  context: RequestContext,
): Promise<Output<Client, "UploadPartCopy">> {
  refuseUnsupported(input);
  const partNumber = checkPartNumber(input.PartNumber);
  const bucket = await bucketFor(s3.database, input, context);
  const upload = await uploadFor(s3.database, bucket, keyBytes(input.Key), input.UploadId);
  const find = () => findSource(s3.database, input, context);
  const found = await find();
  checkCopySize(bytesOf(found, input.CopySourceRange));

  const algorithm = uploadAlgorithm(upload);
  const { row, received } = await receiveCopy(
    s3,
    find,
    () => algorithm,
    (source) => rangeOf(source, input.CopySourceRange),
    { inline: false, key: s3.keys.open(upload.encryption) },
  );
  const part = await storePart(s3, input, upload, partNumber, received, undefined, context);
  return {
    CopyPartResult: {
      ETag: `"${part.etag}"`,
      LastModified: new Date(Math.floor(part.modified_at / 1_000) * 1_000),
      [checksumMember(algorithm)]: part.checksum,
    },
    ...encryptionOutput(upload.encryption),
    CopySourceVersionId: shownVersionId(found.bucket, row),
  };
}

/** @throws InvalidArgument for anything but `bytes=first-last` within the source. */
function rangeOf({ row }: FoundSource, header: string | undefined): ByteRange | undefined {
  if (header === undefined) return undefined;
  const match = /^bytes=(\d+)-(\d+)$/.exec(header);
  const [start, end] = [Number(match?.[1]), Number(match?.[2])];
  if (!match || start > end)
    throw invalidArgument(
      "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy",
      "x-amz-copy-source-range",
      header,
    );
  if (end >= row.size)
    throw invalidArgument(
      `Range specified is not valid for source object of size: ${row.size}`,
      "x-amz-copy-source-range",
      header,
    );
  return { start, end };
}

function bytesOf(found: FoundSource, header: string | undefined): number {
  const range = rangeOf(found, header);
  return range ? range.end - range.start + 1 : found.row.size;
}
