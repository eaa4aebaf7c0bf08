/** Streams, their shards, the records in chunks, consumers, and the changes that are limited in number. */
import type { Migration } from "../../../store/database.ts";

/**
 * Times are epoch milliseconds unless they say otherwise. `last_index` of a shard is the place of its last record, of a chunk that of the
 * chunk's last; a chunk's records lie at the `records` places up to it. Hash keys are 32 hexadecimal digits.
 */
export const streams: Migration = {
  name: "001-streams",
  sql: `
CREATE TABLE kinesis_stream (
  stream_id bigint NOT NULL PRIMARY KEY,
  account text NOT NULL,
  region text NOT NULL,
  name text NOT NULL,
  status text NOT NULL,
  mode text NOT NULL,
  distribution text NOT NULL,
  retention_hours bigint NOT NULL,
  trimmed_before bigint NOT NULL,
  record_kib_max bigint NOT NULL,
  policy text,
  tags text NOT NULL,
  created_at bigint NOT NULL,
  next_shard bigint NOT NULL,
  UNIQUE (account, region, name)
);
CREATE TABLE kinesis_shard (
  stream_id bigint NOT NULL,
  shard_no bigint NOT NULL,
  parent_no bigint,
  adjacent_no bigint,
  start_hash text NOT NULL,
  end_hash text NOT NULL,
  created_seconds bigint NOT NULL,
  created_at bigint NOT NULL,
  closed_at bigint,
  last_index bigint NOT NULL,
  PRIMARY KEY (stream_id, shard_no)
);
CREATE TABLE kinesis_chunk (
  stream_id bigint NOT NULL,
  shard_no bigint NOT NULL,
  last_index bigint NOT NULL,
  records bigint NOT NULL,
  arrived_at bigint NOT NULL,
  bytes bigint NOT NULL,
  content blob NOT NULL,
  PRIMARY KEY (stream_id, shard_no, last_index)
);
CREATE TABLE kinesis_consumer (
  stream_id bigint NOT NULL,
  name text NOT NULL,
  created_at bigint NOT NULL,
  policy text,
  tags text NOT NULL,
  PRIMARY KEY (stream_id, name)
);
CREATE TABLE kinesis_change (
  stream_id bigint NOT NULL,
  kind text NOT NULL,
  at bigint NOT NULL,
  change_id bigint NOT NULL,
  PRIMARY KEY (stream_id, kind, at, change_id)
);
`,
};
