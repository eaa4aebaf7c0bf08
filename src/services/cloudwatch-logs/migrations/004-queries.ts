/** Queries of Logs Insights with their results, and the queries that people keep. */
import type { Migration } from "../../../store/database.ts";

/**
 * `log_groups` is JSON: `[[group id, name], …]` of a query, names of a definition. Results lie in pages, each JSON of rows:
 * `[[[field, value], …], …]`. Times are epoch milliseconds; `ended_at` is 0 while a query runs.
 */
export const queries: Migration = {
  name: "004-queries",
  sql: `
CREATE TABLE logs_query (
  query_id text NOT NULL PRIMARY KEY,
  account text NOT NULL,
  region text NOT NULL,
  query text NOT NULL,
  log_groups text NOT NULL,
  from_at bigint NOT NULL,
  to_at bigint NOT NULL,
  row_limit bigint NOT NULL,
  caller text NOT NULL,
  status text NOT NULL,
  created_at bigint NOT NULL,
  ended_at bigint NOT NULL,
  scanned_records bigint NOT NULL,
  scanned_bytes bigint NOT NULL,
  matched_records bigint NOT NULL,
  scanned_groups bigint NOT NULL,
  rows bigint NOT NULL
);
CREATE INDEX logs_query_by_time ON logs_query (account, region, created_at);
CREATE INDEX logs_query_by_age ON logs_query (created_at);
CREATE TABLE logs_query_page (
  query_id text NOT NULL,
  first_row bigint NOT NULL,
  result text NOT NULL,
  PRIMARY KEY (query_id, first_row)
);
CREATE TABLE logs_query_definition (
  definition_id text NOT NULL PRIMARY KEY,
  account text NOT NULL,
  region text NOT NULL,
  name text NOT NULL,
  query text NOT NULL,
  log_groups text NOT NULL,
  changed_at bigint NOT NULL
);
CREATE INDEX logs_query_definition_by_name ON logs_query_definition (account, region, name, definition_id);
`,
};
