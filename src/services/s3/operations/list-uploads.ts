/** ListMultipartUploads and ListParts. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { bucketFor, canonicalUserId, keyBytes } from "../access.ts";
import { checksumMember } from "../checksum/algorithms.ts";
import type { S3 } from "../deps.ts";
import { invalidArgument } from "../errors.ts";
import { encoder } from "../listing/encoding.ts";
import { fetchUploads } from "../listing/fetch.ts";
import { abortOutput } from "../lifecycle/headers.ts";
import { pageSize } from "../listing/page-size.ts";
import { walk } from "../listing/walk.ts";
import { refuseUnsupported } from "../refusals.ts";
import { storageClassOf } from "../metadata.ts";
import type { BucketRow, UploadRow } from "../rows.ts";
import { seqOfUploadId } from "../sequence.ts";
import { partsAfter } from "../store-uploads.ts";
import { uploadAlgorithm, uploadFor } from "../uploads.ts";
import type { Client } from "./client.ts";

export async function listMultipartUploads(
  s3: S3,
  input: Input<Client, "ListMultipartUploads">,
  context: RequestContext,
): Promise<Output<Client, "ListMultipartUploads">> {
  const encode = encoder(input.EncodingType);
  const most = pageSize(input.MaxUploads, "max-uploads");
  const bucket = await bucketFor(s3.database, input, context);
  const marker = input.KeyMarker ? Buffer.from(input.KeyMarker) : undefined;
  // Without a key marker S3 takes no notice of the upload's.
  const seq = marker && input.UploadIdMarker ? seqOfUploadId(input.UploadIdMarker) : undefined;
  if (marker && input.UploadIdMarker && seq === undefined)
    throw invalidArgument("Invalid uploadId marker", "upload-id-marker", input.UploadIdMarker);
  const page = await walk({
    prefix: Buffer.from(input.Prefix ?? ""),
    delimiter: Buffer.from(input.Delimiter ?? ""),
    marker,
    ...(marker && seq !== undefined ? { start: { after: { object_key: marker, seq } } } : {}),
    limit: most,
    fetch: fetchUploads(s3.database, bucket.name),
  });
  const last = page.truncated ? page.last : undefined;
  return {
    Bucket: bucket.name,
    KeyMarker: encode(input.KeyMarker ?? ""),
    UploadIdMarker: input.UploadIdMarker ?? "",
    NextKeyMarker: last ? encode(("row" in last ? last.row.object_key : last.prefix).toString()) : "",
    NextUploadIdMarker: last && "row" in last ? last.row.upload_id : "",
    Prefix: encode(input.Prefix ?? ""),
    ...(input.Delimiter ? { Delimiter: encode(input.Delimiter) } : {}),
    ...(input.EncodingType ? { EncodingType: input.EncodingType } : {}),
    MaxUploads: most,
    IsTruncated: page.truncated,
    Uploads: page.rows.map((row) => listed(row, bucket, encode)),
    CommonPrefixes: page.prefixes.map((prefix) => ({ Prefix: encode(prefix.toString()) })),
  };
}

export async function listParts(
  s3: S3,
  input: Input<Client, "ListParts">,
  context: RequestContext,
): Promise<Output<Client, "ListParts">> {
  refuseUnsupported(input);
  const most = pageSize(input.MaxParts, "max-parts");
  const marker = Number(input.PartNumberMarker ?? 0);
  if (!Number.isInteger(marker) || marker < 0)
    throw invalidArgument(
      "Argument part-number-marker must be an integer",
      "part-number-marker",
      input.PartNumberMarker ?? "",
    );
  const bucket = await bucketFor(s3.database, input, context);
  const upload = await uploadFor(s3.database, bucket, keyBytes(input.Key), input.UploadId);
  const rows = most === 0 ? [] : await partsAfter(s3.database, upload.upload_id, marker, most + 1);
  const page = rows.slice(0, most);
  const named =
    upload.checksum_algorithm === null
      ? {}
      : { ChecksumAlgorithm: upload.checksum_algorithm, ChecksumType: upload.checksum_type };
  return {
    Bucket: bucket.name,
    Key: input.Key,
    UploadId: upload.upload_id,
    PartNumberMarker: String(marker),
    NextPartNumberMarker: String(page.at(-1)?.part_number ?? 0),
    MaxParts: most,
    IsTruncated: rows.length > most,
    Parts: page.map((part) => ({
      PartNumber: part.part_number,
      LastModified: new Date(Math.floor(part.modified_at / 1_000) * 1_000),
      ETag: `"${part.etag}"`,
      Size: part.size,
      [checksumMember(uploadAlgorithm(upload))]: part.checksum,
    })),
    ...people(upload, bucket),
    ...abortOutput(bucket, input.Key ?? "", upload.initiated_at),
    StorageClass: storageClassOf(upload.headers),
    ...named,
  };
}

function listed(row: UploadRow, bucket: BucketRow, encode: (text: string) => string) {
  return {
    UploadId: row.upload_id,
    Key: encode(row.object_key.toString()),
    Initiated: new Date(Math.floor(row.initiated_at / 1_000) * 1_000),
    StorageClass: storageClassOf(row.headers),
    ...people(row, bucket),
    ...(row.checksum_algorithm === null
      ? {}
      : { ChecksumAlgorithm: row.checksum_algorithm, ChecksumType: row.checksum_type }),
  };
}

/** The root is told by its canonical user id, everyone else by ARN. */
function people(upload: UploadRow, bucket: BucketRow) {
  const owner = { ID: canonicalUserId(bucket.account) };
  const { initiator } = upload;
  const initiated = initiator.endsWith(":root")
    ? owner
    : { ID: initiator, DisplayName: initiator.slice(initiator.lastIndexOf(":") + 1) };
  return { Initiator: initiated, Owner: owner };
}
