/** Backups, what writes replaced, and the copies of tables that are being made. */
import type { Migration } from "../../../store/database.ts";

/**
 * The items of a backup are rows of `dynamodb_items` whose owner is the backup's `id`. `dynamodb_history` has what was there
 * before each write to a table that keeps it, `item` being empty where nothing was; `owner` is the id of the table's
 * history, new each time it begins. `dynamodb_copies` has the backups and restored tables that are being made: `id` owns the
 * rows that are made, `since` and `later_than` say which entries of `history` are undone in them (0 for none).
 */
export const backups: Migration = {
  name: "005-backups",
  sql: `
    CREATE TABLE dynamodb_backups (
      account text NOT NULL,
      region text NOT NULL,
      backup_id text NOT NULL,
      table_name text NOT NULL,
      id bigint NOT NULL,
      name text NOT NULL,
      kind text NOT NULL,
      status text NOT NULL,
      created_at bigint NOT NULL,
      expires_at bigint NOT NULL,
      items bigint NOT NULL,
      bytes bigint NOT NULL,
      definition text NOT NULL,
      PRIMARY KEY (account, region, backup_id, table_name)
    );

    CREATE INDEX dynamodb_backups_by_expiry ON dynamodb_backups (expires_at);

    CREATE TABLE dynamodb_history (
      sequence bigint NOT NULL,
      owner bigint NOT NULL,
      written_at bigint NOT NULL,
      partition_key blob NOT NULL,
      position blob NOT NULL,
      size bigint NOT NULL,
      item text NOT NULL,
      PRIMARY KEY (sequence)
    );

    CREATE INDEX dynamodb_history_by_owner ON dynamodb_history (owner, sequence);

    CREATE TABLE dynamodb_copies (
      id bigint NOT NULL,
      kind text NOT NULL,
      phase text NOT NULL,
      account text NOT NULL,
      region text NOT NULL,
      name text NOT NULL,
      source bigint NOT NULL,
      source_name text NOT NULL,
      history bigint NOT NULL,
      since bigint NOT NULL,
      later_than bigint NOT NULL,
      before_sequence bigint NOT NULL,
      partition_key blob NOT NULL,
      position blob NOT NULL,
      items bigint NOT NULL,
      bytes bigint NOT NULL,
      PRIMARY KEY (id)
    );
  `,
};
