/** Joining parts into an object: the list the caller gives against the parts that are there. Pure. */
import { ALGORITHM_NAMES, checksumMember, multipartChecksum } from "./checksum/algorithms.ts";
import type { ChecksumAlgorithm } from "./checksum/algorithms.ts";
import type { ChecksumMembers } from "./checksum/requested.ts";
import type { StoredChecksum } from "./checksum/stored.ts";
import { createHash } from "node:crypto";
import { invalidRequest, s3Error } from "./errors.ts";
import { PART_BYTES_MIN, PART_NUMBER_MAX } from "./limits.ts";
import type { PartRow, UploadRow } from "./rows.ts";
import { uploadAlgorithm } from "./uploads.ts";

export interface ListedPart extends ChecksumMembers {
  readonly PartNumber?: number | undefined;
  readonly ETag?: string | undefined;
}

export interface Joined {
  readonly parts: readonly PartRow[];
  readonly unused: readonly PartRow[];
  readonly size: number;
  /** `<md5 of the parts' md5s>-<number of parts>` */
  readonly etag: string;
  readonly checksum: StoredChecksum;
}

/** @throws MalformedXML, InvalidPartOrder, InvalidPart, EntityTooSmall, InvalidRequest */
export function joinParts(
  upload: UploadRow,
  listed: readonly ListedPart[],
  stored: readonly PartRow[],
): Joined {
  if (listed.length === 0 || listed.length > PART_NUMBER_MAX) throw s3Error("MalformedXML");
  const byNumber = new Map(stored.map((part) => [part.part_number, part]));
  const algorithm = uploadAlgorithm(upload);
  let before = 0;
  const parts = listed.map((one, index) => {
    const number = one.PartNumber ?? 0;
    if (index > 0 && number <= before) throw s3Error("InvalidPartOrder", { UploadId: upload.upload_id });
    before = number;
    return pick(upload, one, byNumber.get(number), algorithm);
  });
  for (const part of parts.slice(0, -1))
    if (part.size < PART_BYTES_MIN)
      throw s3Error("EntityTooSmall", {
        ProposedSize: part.size,
        MinSizeAllowed: PART_BYTES_MIN,
        PartNumber: part.part_number,
        ETag: part.etag,
      });
  const used = new Set(parts.map((part) => part.part_number));
  const md5 = createHash("md5");
  for (const part of parts) md5.update(Buffer.from(part.etag, "hex"));
  return {
    parts,
    unused: stored.filter((part) => !used.has(part.part_number)),
    size: parts.reduce((sum, part) => sum + part.size, 0),
    etag: `${md5.digest("hex")}-${parts.length}`,
    checksum: {
      algorithm,
      type: upload.checksum_type,
      value: multipartChecksum(
        algorithm,
        upload.checksum_type,
        parts.map((part) => ({ bytes: part.size, digest: Buffer.from(part.checksum, "base64") })),
      ),
    },
  };
}

function pick(
  upload: UploadRow,
  listed: ListedPart,
  part: PartRow | undefined,
  algorithm: ChecksumAlgorithm,
): PartRow {
  const etag = (listed.ETag ?? "").replaceAll('"', "");
  const composed = upload.checksum_algorithm !== null && upload.checksum_type === "COMPOSITE";
  if (composed && listed[checksumMember(algorithm)] === undefined)
    throw invalidRequest(
      `The upload was created using a ${algorithm.toLowerCase()} checksum. The complete request must include the checksum for each part. It was missing for part ${listed.PartNumber} in the request.`,
    );
  if (part?.etag === etag && checksumsFit(listed, part, algorithm)) return part;
  throw s3Error("InvalidPart", { UploadId: upload.upload_id, PartNumber: listed.PartNumber, ETag: etag });
}

/** Whether every checksum that the list gives for a part is the part's. */
function checksumsFit(listed: ListedPart, part: PartRow, algorithm: ChecksumAlgorithm): boolean {
  return ALGORITHM_NAMES.every((name) => {
    const given = listed[checksumMember(name)];
    if (given === undefined) return true;
    return (
      given ===
      (name === algorithm ? part.checksum : name === part.sent_algorithm ? part.sent_checksum : null)
    );
  });
}
