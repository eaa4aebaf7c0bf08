/** The SQL of multipart uploads and of parts, those of finished objects included. */
import type { Reader, Transaction } from "../../store/database.ts";
import { sql } from "../../store/database.ts";
import type { PartRow, UploadRow } from "./rows.ts";

const FIND = sql("s3.upload", "SELECT * FROM s3_upload WHERE upload_id = ?");
const OF_BUCKET = sql("s3.uploads-of-bucket", "SELECT upload_id FROM s3_upload WHERE bucket = ?");
const INSERT = sql(
  "s3.upload-insert",
  `INSERT INTO s3_upload (upload_id, bucket, object_key, seq, initiated_at, initiator, checksum_algorithm,
   checksum_type, headers, tags, object_lock, encryption) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
);
const DELETE = sql("s3.upload-delete", "DELETE FROM s3_upload WHERE upload_id = ?");
const PART = sql("s3.part", "SELECT * FROM s3_part WHERE upload_id = ? AND part_number = ?");
const PARTS = sql("s3.parts", "SELECT * FROM s3_part WHERE upload_id = ? ORDER BY part_number");
const PARTS_AFTER = sql(
  "s3.parts-after",
  "SELECT * FROM s3_part WHERE upload_id = ? AND part_number > ? ORDER BY part_number LIMIT ?",
);
const PARTS_OF_RANGE = sql(
  "s3.parts-of-range",
  `SELECT * FROM s3_part WHERE upload_id = ? AND start_at <= ? AND start_at + size > ? ORDER BY part_number`,
);
const PUT_PART = sql(
  "s3.part-put",
  `INSERT INTO s3_part (upload_id, part_number, etag, size, modified_at, checksum, sent_algorithm, sent_checksum,
   blob_name, start_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)
   ON CONFLICT (upload_id, part_number) DO UPDATE SET etag = excluded.etag, size = excluded.size,
   modified_at = excluded.modified_at, checksum = excluded.checksum, sent_algorithm = excluded.sent_algorithm,
   sent_checksum = excluded.sent_checksum, blob_name = excluded.blob_name`,
);
const START_PART = sql(
  "s3.part-start",
  "UPDATE s3_part SET start_at = ? WHERE upload_id = ? AND part_number = ?",
);
const DELETE_PART = sql("s3.part-delete", "DELETE FROM s3_part WHERE upload_id = ? AND part_number = ?");
const DELETE_PARTS = sql("s3.parts-delete", "DELETE FROM s3_part WHERE upload_id = ?");

export function findUpload(reader: Reader, uploadId: string): Promise<UploadRow | undefined> {
  return reader.get<UploadRow>(FIND, uploadId);
}

export async function uploadsOf(reader: Reader, bucket: string): Promise<string[]> {
  const rows = await reader.all<{ upload_id: string }>(OF_BUCKET, bucket);
  return rows.map((row) => row.upload_id);
}

export async function insertUpload(transaction: Transaction, row: UploadRow): Promise<void> {
  await transaction.run(
    INSERT,
    row.upload_id,
    row.bucket,
    row.object_key,
    row.seq,
    row.initiated_at,
    row.initiator,
    row.checksum_algorithm,
    row.checksum_type,
    row.headers,
    row.tags,
    row.object_lock,
    row.encryption,
  );
}

/** Removes the upload; its parts stay, for the object that they have become. */
export async function deleteUpload(transaction: Transaction, uploadId: string): Promise<void> {
  await transaction.run(DELETE, uploadId);
}

export function findPart(reader: Reader, uploadId: string, partNumber: number): Promise<PartRow | undefined> {
  return reader.get<PartRow>(PART, uploadId, partNumber);
}

/** Every part, in order. */
export function partsOf(reader: Reader, uploadId: string): Promise<PartRow[]> {
  return reader.all<PartRow>(PARTS, uploadId);
}

export function partsAfter(
  reader: Reader,
  uploadId: string,
  marker: number,
  limit: number,
): Promise<PartRow[]> {
  return reader.all<PartRow>(PARTS_AFTER, uploadId, marker, limit);
}

/** The parts of a finished object that hold bytes `first` to `last`, both inclusive. */
export function partsOfRange(
  reader: Reader,
  uploadId: string,
  first: number,
  last: number,
): Promise<PartRow[]> {
  return reader.all<PartRow>(PARTS_OF_RANGE, uploadId, last, first);
}

export async function putPart(transaction: Transaction, row: Omit<PartRow, "start_at">): Promise<void> {
  await transaction.run(
    PUT_PART,
    row.upload_id,
    row.part_number,
    row.etag,
    row.size,
    row.modified_at,
    row.checksum,
    row.sent_algorithm,
    row.sent_checksum,
    row.blob_name,
  );
}

/** Says where a part begins in the finished object. */
export async function startPart(transaction: Transaction, part: PartRow, startAt: number): Promise<void> {
  await transaction.run(START_PART, startAt, part.upload_id, part.part_number);
}

export async function deletePart(transaction: Transaction, part: PartRow): Promise<void> {
  await transaction.run(DELETE_PART, part.upload_id, part.part_number);
}

/** Removes all parts of an upload or a finished object; answers the names of their blobs. */
export async function deleteParts(transaction: Transaction, uploadId: string): Promise<string[]> {
  const parts = await partsOf(transaction, uploadId);
  await transaction.run(DELETE_PARTS, uploadId);
  return parts.map((part) => part.blob_name);
}
