/** The SQL of listings: each one walks an index forwards from a key, so that a page costs what it shows. */
import type { Reader } from "../../store/database.ts";
import { sql } from "../../store/database.ts";
import type { UploadRow, VersionRow } from "./rows.ts";

const LISTED = `object_key, seq, version_id, is_latest, is_marker, size, etag, modified_at,
  checksum_algorithm, checksum_type, parts, upload_id,
  CASE WHEN headers LIKE '%"storageClass":%' THEN headers ELSE NULL END AS classed_headers`;

const OBJECTS = sql(
  "s3.list-objects",
  `SELECT ${LISTED} FROM s3_object
   WHERE bucket = ? AND object_key >= ? AND object_key < ? AND is_latest = 1 AND is_marker = 0
   ORDER BY object_key LIMIT ?`,
);
const VERSIONS = sql(
  "s3.list-versions",
  `SELECT ${LISTED} FROM s3_object WHERE bucket = ? AND object_key >= ? AND object_key < ?
   ORDER BY object_key, seq DESC LIMIT ?`,
);
const VERSIONS_OF_KEY = sql(
  "s3.list-versions-of-key",
  `SELECT ${LISTED} FROM s3_object WHERE bucket = ? AND object_key = ? AND seq < ? ORDER BY seq DESC LIMIT ?`,
);
const UPLOADS = sql(
  "s3.list-uploads",
  `SELECT * FROM s3_upload WHERE bucket = ? AND object_key >= ? AND object_key < ?
   ORDER BY object_key, seq LIMIT ?`,
);
const UPLOADS_OF_KEY = sql(
  "s3.list-uploads-of-key",
  `SELECT * FROM s3_upload WHERE bucket = ? AND object_key = ? AND seq > ? ORDER BY seq LIMIT ?`,
);

export type ListedVersion = Omit<VersionRow, "checksum" | "blob_name" | "object_lock" | "encryption"> & {
  /** The headers where a storage class may be among them; null for STANDARD. */
  readonly classed_headers: string | null;
};

/** A span of keys: from `from` (inclusive) to `to` (exclusive). */
export interface KeySpan {
  readonly from: Buffer;
  readonly to: Buffer;
}

/** Current objects, in the order of their keys. */
export function listObjects(
  reader: Reader,
  bucket: string,
  span: KeySpan,
  limit: number,
): Promise<ListedVersion[]> {
  return reader.all<ListedVersion>(OBJECTS, bucket, span.from, span.to, limit);
}

/** Versions and delete markers: by key, the newest first. */
export function listVersions(
  reader: Reader,
  bucket: string,
  span: KeySpan,
  limit: number,
): Promise<ListedVersion[]> {
  return reader.all<ListedVersion>(VERSIONS, bucket, span.from, span.to, limit);
}

/** Versions of one key that are older than `seq`, the newest first. */
export function listVersionsOfKey(
  reader: Reader,
  bucket: string,
  key: Buffer,
  olderThan: number,
  limit: number,
): Promise<ListedVersion[]> {
  return reader.all<ListedVersion>(VERSIONS_OF_KEY, bucket, key, olderThan, limit);
}

/** Unfinished uploads: by key, the oldest first. */
export function listUploads(
  reader: Reader,
  bucket: string,
  span: KeySpan,
  limit: number,
): Promise<UploadRow[]> {
  return reader.all<UploadRow>(UPLOADS, bucket, span.from, span.to, limit);
}

/** Unfinished uploads of one key begun after `seq`, the oldest first. */
export function listUploadsOfKey(
  reader: Reader,
  bucket: string,
  key: Buffer,
  laterThan: number,
  limit: number,
): Promise<UploadRow[]> {
  return reader.all<UploadRow>(UPLOADS_OF_KEY, bucket, key, laterThan, limit);
}
