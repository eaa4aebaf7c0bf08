/** Buckets, object versions, multipart uploads and their parts. Keys are blobs: both engines order those by bytes, as S3 does. */
import type { Migration } from "../../../store/database.ts";

export const objects: Migration = {
  name: "001-objects",
  sql: `
CREATE TABLE s3_bucket (
  name text NOT NULL PRIMARY KEY,
  account text NOT NULL,
  region text NOT NULL,
  location text NOT NULL,
  created_at bigint NOT NULL,
  versioning text NOT NULL,
  tags text,
  notification text
);
CREATE INDEX s3_bucket_by_account ON s3_bucket (account);

CREATE TABLE s3_object (
  bucket text NOT NULL,
  object_key blob NOT NULL,
  seq bigint NOT NULL,
  version_id text NOT NULL,
  is_latest bigint NOT NULL,
  is_marker bigint NOT NULL,
  size bigint NOT NULL,
  etag text NOT NULL,
  modified_at bigint NOT NULL,
  checksum_algorithm text NOT NULL,
  checksum_type text NOT NULL,
  checksum text NOT NULL,
  parts bigint NOT NULL,
  upload_id text,
  blob_name text,
  headers text NOT NULL,
  tags text,
  inline_bytes blob,
  PRIMARY KEY (bucket, object_key, seq)
);
CREATE UNIQUE INDEX s3_object_by_version ON s3_object (bucket, object_key, version_id);
CREATE UNIQUE INDEX s3_object_current ON s3_object (bucket, object_key) WHERE is_latest = 1 AND is_marker = 0;
CREATE INDEX s3_object_by_blob ON s3_object (blob_name) WHERE blob_name IS NOT NULL;

CREATE TABLE s3_upload (
  upload_id text NOT NULL PRIMARY KEY,
  bucket text NOT NULL,
  object_key blob NOT NULL,
  seq bigint NOT NULL,
  initiated_at bigint NOT NULL,
  initiator text NOT NULL,
  checksum_algorithm text,
  checksum_type text NOT NULL,
  headers text NOT NULL,
  tags text
);
CREATE INDEX s3_upload_by_key ON s3_upload (bucket, object_key, seq);

CREATE TABLE s3_part (
  upload_id text NOT NULL,
  part_number bigint NOT NULL,
  etag text NOT NULL,
  size bigint NOT NULL,
  modified_at bigint NOT NULL,
  checksum text NOT NULL,
  sent_algorithm text,
  sent_checksum text,
  blob_name text NOT NULL,
  start_at bigint,
  PRIMARY KEY (upload_id, part_number)
);
CREATE INDEX s3_part_by_blob ON s3_part (blob_name);
`,
};
