/** Tables, their items and index entries, and the tokens of finished transactions. */
import type { Migration } from "../../../store/database.ts";

/**
 * `dynamodb_items` holds the items of tables and the entries of indexes alike: `owner` is the id of one or the other,
 * `partition_key` and `position` are order-preserving encodings, so that a query is a range of the primary key.
 */
export const tables: Migration = {
  name: "001-tables",
  sql: `
    CREATE TABLE dynamodb_tables (
      account text NOT NULL,
      region text NOT NULL,
      name text NOT NULL,
      id bigint NOT NULL,
      status text NOT NULL,
      definition text NOT NULL,
      PRIMARY KEY (account, region, name)
    );

    CREATE TABLE dynamodb_tags (
      table_id bigint NOT NULL,
      key text NOT NULL,
      value text NOT NULL,
      PRIMARY KEY (table_id, key)
    );

    CREATE TABLE dynamodb_items (
      owner bigint NOT NULL,
      partition_key blob NOT NULL,
      position blob NOT NULL,
      size bigint NOT NULL,
      item text NOT NULL,
      PRIMARY KEY (owner, partition_key, position)
    );

    CREATE TABLE dynamodb_transaction_tokens (
      account text NOT NULL,
      region text NOT NULL,
      token text NOT NULL,
      request text NOT NULL,
      expires_at bigint NOT NULL,
      PRIMARY KEY (account, region, token)
    );

    CREATE INDEX dynamodb_transaction_tokens_by_expiry ON dynamodb_transaction_tokens (expires_at);
  `,
};
