/** Groups, streams, and events in chunks: one row for what one stream received at once. */
import type { Migration } from "../../../store/database.ts";

/** Times are epoch milliseconds. 0 stands for "no event yet" in `first_event_at`, `last_event_at` and `last_ingested_at`. */
export const logs: Migration = {
  name: "001-logs",
  sql: `
CREATE TABLE logs_group (
  group_id bigint NOT NULL PRIMARY KEY,
  account text NOT NULL,
  region text NOT NULL,
  name text NOT NULL,
  retention_days bigint,
  tags text NOT NULL,
  created_at bigint NOT NULL,
  UNIQUE (account, region, name)
);
CREATE TABLE logs_stream (
  stream_id bigint NOT NULL PRIMARY KEY,
  group_id bigint NOT NULL,
  name text NOT NULL,
  created_at bigint NOT NULL,
  first_event_at bigint NOT NULL,
  last_event_at bigint NOT NULL,
  last_ingested_at bigint NOT NULL,
  next_chunk bigint NOT NULL,
  bytes bigint NOT NULL,
  UNIQUE (group_id, name)
);
CREATE INDEX logs_stream_by_event ON logs_stream (group_id, last_event_at, name);
CREATE TABLE logs_chunk (
  stream_id bigint NOT NULL,
  chunk_no bigint NOT NULL,
  group_id bigint NOT NULL,
  min_at bigint NOT NULL,
  max_at bigint NOT NULL,
  ingested_at bigint NOT NULL,
  bytes bigint NOT NULL,
  events text NOT NULL,
  PRIMARY KEY (stream_id, chunk_no)
);
CREATE INDEX logs_chunk_by_stream ON logs_chunk (stream_id, min_at, chunk_no);
CREATE INDEX logs_chunk_by_group ON logs_chunk (group_id, min_at, stream_id, chunk_no);
`,
};
