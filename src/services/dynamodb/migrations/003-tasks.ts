/** When items expire, and what is done to tables in the background. */
import type { Migration } from "../../../store/database.ts";

/**
 * `dynamodb_expiries` has an entry for each item with a time to live in a table that heeds it; `owner` is the id of the
 * table's setting, new each time it is switched on. `dynamodb_tasks` has what goes on after a change of a table: `id` is
 * the owner of the rows that are made or removed, `partition_key` and `position` are how far it has come.
 */
export const tasks: Migration = {
  name: "003-tasks",
  sql: `
    CREATE TABLE dynamodb_expiring_tables (
      owner bigint NOT NULL,
      account text NOT NULL,
      region text NOT NULL,
      name text NOT NULL,
      PRIMARY KEY (owner)
    );

    CREATE TABLE dynamodb_expiries (
      owner bigint NOT NULL,
      expires_at bigint NOT NULL,
      partition_key blob NOT NULL,
      position blob NOT NULL,
      PRIMARY KEY (owner, expires_at, partition_key, position)
    );

    CREATE TABLE dynamodb_tasks (
      id bigint NOT NULL,
      kind text NOT NULL,
      account text NOT NULL,
      region text NOT NULL,
      name text NOT NULL,
      table_id bigint NOT NULL,
      partition_key blob NOT NULL,
      position blob NOT NULL,
      PRIMARY KEY (id)
    );
  `,
};
