/** The SQL of object versions. */
import type { Reader, Transaction } from "../../store/database.ts";
import { sql } from "../../store/database.ts";
import type { Lock } from "./object-lock/lock.ts";
import type { ObjectRow, VersionRow } from "./rows.ts";

const VERSION_COLUMNS = `object_key, seq, version_id, is_latest, is_marker, size, etag, modified_at,
  checksum_algorithm, checksum_type, checksum, parts, upload_id, blob_name, object_lock, encryption`;

const CURRENT = sql(
  "s3.object-current",
  `SELECT ${VERSION_COLUMNS}, headers, tags, inline_bytes FROM s3_object
   WHERE bucket = ? AND object_key = ? ORDER BY seq DESC LIMIT 1`,
);
const VERSION = sql(
  "s3.object-version",
  `SELECT ${VERSION_COLUMNS}, headers, tags, inline_bytes FROM s3_object
   WHERE bucket = ? AND object_key = ? AND version_id = ?`,
);
const HEAD = sql(
  "s3.object-head",
  `SELECT ${VERSION_COLUMNS} FROM s3_object WHERE bucket = ? AND object_key = ? ORDER BY seq DESC LIMIT 1`,
);
const HEAD_VERSION = sql(
  "s3.object-head-version",
  `SELECT ${VERSION_COLUMNS} FROM s3_object WHERE bucket = ? AND object_key = ? AND version_id = ?`,
);
const OF_UPLOAD = sql(
  "s3.object-of-upload",
  `SELECT ${VERSION_COLUMNS} FROM s3_object WHERE bucket = ? AND object_key = ? AND upload_id = ?`,
);
const AT = sql(
  "s3.object-at",
  `SELECT ${VERSION_COLUMNS}, headers, tags FROM s3_object WHERE bucket = ? AND object_key = ? AND seq = ?`,
);
const NEWER = sql(
  "s3.object-newer",
  `SELECT ${VERSION_COLUMNS} FROM s3_object WHERE bucket = ? AND object_key = ? AND seq > ? ORDER BY seq LIMIT ?`,
);
const INSERT = sql(
  "s3.object-insert",
  `INSERT INTO s3_object (bucket, ${VERSION_COLUMNS}, headers, tags, inline_bytes)
   VALUES (?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
);
const DELETE = sql(
  "s3.object-delete",
  "DELETE FROM s3_object WHERE bucket = ? AND object_key = ? AND seq = ?",
);
const SET_LATEST = sql(
  "s3.object-latest",
  "UPDATE s3_object SET is_latest = ? WHERE bucket = ? AND object_key = ? AND seq = ?",
);
const SET_TAGS = sql(
  "s3.object-tags",
  "UPDATE s3_object SET tags = ? WHERE bucket = ? AND object_key = ? AND seq = ?",
);

const SET_LOCK = sql(
  "s3.object-lock",
  "UPDATE s3_object SET object_lock = ? WHERE bucket = ? AND object_key = ? AND seq = ?",
);

/** The newest version of a key, which may be a delete marker. */
export function currentObject(reader: Reader, bucket: string, key: Buffer): Promise<ObjectRow | undefined> {
  return reader.get<ObjectRow>(CURRENT, bucket, key);
}

export function objectVersion(
  reader: Reader,
  bucket: string,
  key: Buffer,
  versionId: string,
): Promise<ObjectRow | undefined> {
  return reader.get<ObjectRow>(VERSION, bucket, key, versionId);
}

/** As {@link currentObject}, without content, headers and tags. */
export function currentHead(reader: Reader, bucket: string, key: Buffer): Promise<VersionRow | undefined> {
  return reader.get<VersionRow>(HEAD, bucket, key);
}

export function headOfVersion(
  reader: Reader,
  bucket: string,
  key: Buffer,
  versionId: string,
): Promise<VersionRow | undefined> {
  return reader.get<VersionRow>(HEAD_VERSION, bucket, key, versionId);
}

/** The version that a finished multipart upload became. */
export function objectOfUpload(
  reader: Reader,
  bucket: string,
  key: Buffer,
  uploadId: string,
): Promise<VersionRow | undefined> {
  return reader.get<VersionRow>(OF_UPLOAD, bucket, key, uploadId);
}

/** A version by its number; without its content. */
export function versionAt(
  reader: Reader,
  bucket: string,
  key: Buffer,
  seq: number,
): Promise<Omit<ObjectRow, "inline_bytes"> | undefined> {
  return reader.get<Omit<ObjectRow, "inline_bytes">>(AT, bucket, key, seq);
}

/** The versions of a key that are newer than `seq`, the oldest of them first. */
export function newerVersions(
  reader: Reader,
  bucket: string,
  key: Buffer,
  seq: number,
  limit: number,
): Promise<VersionRow[]> {
  return reader.all<VersionRow>(NEWER, bucket, key, seq, limit);
}

/** Inserts a version as the latest one; the one before must have been demoted or deleted. */
export async function insertVersion(
  transaction: Transaction,
  bucket: string,
  row: Omit<ObjectRow, "is_latest">,
): Promise<void> {
  await transaction.run(
    INSERT,
    bucket,
    row.object_key,
    row.seq,
    row.version_id,
    row.is_marker,
    row.size,
    row.etag,
    row.modified_at,
    row.checksum_algorithm,
    row.checksum_type,
    row.checksum,
    row.parts,
    row.upload_id,
    row.blob_name,
    row.object_lock,
    row.encryption,
    row.headers,
    row.tags,
    row.inline_bytes,
  );
}

export async function deleteVersion(
  transaction: Transaction,
  bucket: string,
  key: Buffer,
  seq: number,
): Promise<void> {
  await transaction.run(DELETE, bucket, key, seq);
}

export async function setLatest(
  transaction: Transaction,
  bucket: string,
  row: VersionRow,
  isLatest: 0 | 1,
): Promise<void> {
  await transaction.run(SET_LATEST, isLatest, bucket, row.object_key, row.seq);
}

export async function setObjectTags(
  transaction: Transaction,
  bucket: string,
  row: VersionRow,
  tags: string | null,
): Promise<void> {
  await transaction.run(SET_TAGS, tags, bucket, row.object_key, row.seq);
}

export async function setLock(
  transaction: Transaction,
  bucket: string,
  row: VersionRow,
  lock: Lock,
): Promise<void> {
  const stored = Object.keys(lock).length === 0 ? null : JSON.stringify(lock);
  await transaction.run(SET_LOCK, stored, bucket, row.object_key, row.seq);
}
