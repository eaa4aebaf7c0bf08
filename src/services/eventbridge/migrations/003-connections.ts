/** Connections, with what they sign in by, and API destinations. */
import type { Migration } from "../../../store/database.ts";

/** `auth` is JSON, encrypted under the key that `events_secret` holds. Times are epoch milliseconds, 0 for never. */
export const connections: Migration = {
  name: "003-connections",
  sql: `
CREATE TABLE events_secret (
  name text NOT NULL PRIMARY KEY,
  value blob NOT NULL
);
CREATE TABLE events_connection (
  account text NOT NULL,
  region text NOT NULL,
  name text NOT NULL,
  connection_id text NOT NULL,
  description text NOT NULL,
  kind text NOT NULL,
  auth blob NOT NULL,
  state text NOT NULL,
  state_reason text NOT NULL,
  created_at bigint NOT NULL,
  modified_at bigint NOT NULL,
  authorized_at bigint NOT NULL,
  PRIMARY KEY (account, region, name)
);
CREATE TABLE events_api_destination (
  account text NOT NULL,
  region text NOT NULL,
  name text NOT NULL,
  destination_id text NOT NULL,
  description text NOT NULL,
  connection text NOT NULL,
  endpoint text NOT NULL,
  method text NOT NULL,
  per_second bigint NOT NULL,
  created_at bigint NOT NULL,
  modified_at bigint NOT NULL,
  PRIMARY KEY (account, region, name)
);`,
};
