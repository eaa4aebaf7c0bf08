/** Streams of tables, their shards, and the records in these. */
import type { Migration } from "../../../store/database.ts";

/**
 * A stream outlives its table. `ending` and `closed_at` of an open shard, `ended_at` of an enabled stream are 0;
 * `trimmed` is the sequence number of the last record that was removed for its age.
 */
export const streams: Migration = {
  name: "002-streams",
  sql: `
    CREATE TABLE dynamodb_streams (
      account text NOT NULL,
      region text NOT NULL,
      table_name text NOT NULL,
      label text NOT NULL,
      id bigint NOT NULL,
      view_type text NOT NULL,
      key_schema text NOT NULL,
      created_at bigint NOT NULL,
      ended_at bigint NOT NULL,
      PRIMARY KEY (account, region, table_name, label)
    );

    CREATE TABLE dynamodb_stream_shards (
      id bigint NOT NULL,
      stream bigint NOT NULL,
      slot bigint NOT NULL,
      shard_id text NOT NULL,
      parent text NOT NULL,
      starting bigint NOT NULL,
      ending bigint NOT NULL,
      trimmed bigint NOT NULL,
      opened_at bigint NOT NULL,
      closed_at bigint NOT NULL,
      PRIMARY KEY (id)
    );

    CREATE INDEX dynamodb_stream_shards_by_slot ON dynamodb_stream_shards (stream, ending, slot);

    CREATE TABLE dynamodb_stream_records (
      shard bigint NOT NULL,
      sequence bigint NOT NULL,
      arrived_at bigint NOT NULL,
      bytes bigint NOT NULL,
      item_key text NOT NULL,
      record text NOT NULL,
      PRIMARY KEY (shard, sequence)
    );
  `,
};

/** PostgreSQL alone: numbers that several servers draw from; SQLite's one server counts by itself. */
export const sharedSequence: Migration = {
  name: "001-sequence",
  sql: "CREATE SEQUENCE dynamodb_stream_sequence MINVALUE 1;",
};
