/** Repositories, their images and tags, the layers that they have, uploads that are under way, and the files that hold layers. */
import type { Migration } from "../../../store/database.ts";

/**
 * Times are epoch milliseconds. A layer's file is kept once, in `ecr_blob`, however many repositories have it; a repository has it by a row
 * in `ecr_layer`, whose `free_at` tells when it goes while no manifest names it (null: one does). `ecr_reference` is what manifests name.
 */
export const registry: Migration = {
  name: "001-registry",
  sql: `
CREATE TABLE ecr_repository (
  repository_id bigint NOT NULL PRIMARY KEY,
  account text NOT NULL,
  region text NOT NULL,
  name text NOT NULL,
  created_at bigint NOT NULL,
  mutability text NOT NULL,
  exclusions text NOT NULL,
  tags text NOT NULL,
  policy text,
  lifecycle text,
  evaluated_at bigint,
  preview text,
  UNIQUE (account, region, name)
);
CREATE INDEX ecr_repository_by_name ON ecr_repository (account, name);
CREATE TABLE ecr_image (
  repository_id bigint NOT NULL,
  digest text NOT NULL,
  media_type text NOT NULL,
  artifact_type text,
  subject text,
  annotations text,
  manifest blob NOT NULL,
  manifest_bytes bigint NOT NULL,
  image_bytes bigint NOT NULL,
  pushed_at bigint NOT NULL,
  pulled_at bigint,
  PRIMARY KEY (repository_id, digest)
);
CREATE INDEX ecr_image_by_subject ON ecr_image (repository_id, subject, digest);
CREATE TABLE ecr_tag (
  repository_id bigint NOT NULL,
  tag text NOT NULL,
  digest text NOT NULL,
  PRIMARY KEY (repository_id, tag)
);
CREATE INDEX ecr_tag_by_digest ON ecr_tag (repository_id, digest, tag);
CREATE TABLE ecr_reference (
  repository_id bigint NOT NULL,
  image text NOT NULL,
  digest text NOT NULL,
  media_type text NOT NULL,
  PRIMARY KEY (repository_id, image, digest)
);
CREATE INDEX ecr_reference_by_digest ON ecr_reference (repository_id, digest);
CREATE TABLE ecr_layer (
  repository_id bigint NOT NULL,
  digest text NOT NULL,
  free_at bigint,
  PRIMARY KEY (repository_id, digest)
);
CREATE INDEX ecr_layer_by_digest ON ecr_layer (digest);
CREATE INDEX ecr_layer_by_free_at ON ecr_layer (free_at);
CREATE TABLE ecr_blob (
  digest text NOT NULL PRIMARY KEY,
  bytes bigint NOT NULL,
  blob_name text NOT NULL
);
CREATE INDEX ecr_blob_by_name ON ecr_blob (blob_name);
CREATE TABLE ecr_upload (
  upload_id text NOT NULL PRIMARY KEY,
  repository_id bigint NOT NULL,
  bytes bigint NOT NULL,
  used_at bigint NOT NULL
);
CREATE INDEX ecr_upload_by_repository ON ecr_upload (repository_id);
CREATE TABLE ecr_part (
  upload_id text NOT NULL,
  start_at bigint NOT NULL,
  bytes bigint NOT NULL,
  sha256 text NOT NULL,
  blob_name text NOT NULL,
  PRIMARY KEY (upload_id, start_at)
);
CREATE INDEX ecr_part_by_name ON ecr_part (blob_name);
CREATE TABLE ecr_setting (
  account text NOT NULL,
  region text NOT NULL,
  name text NOT NULL,
  value text NOT NULL,
  PRIMARY KEY (account, region, name)
);
`,
};
