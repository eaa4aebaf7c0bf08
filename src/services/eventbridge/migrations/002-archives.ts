/** Archives, the events that they keep, and replays. */
import type { Migration } from "../../../store/database.ts";

/**
 * Times are epoch milliseconds, `retention_days` 0 for ever. An archive that was deleted leaves its events, which `events_archive_garbage` names
 * until they are gone. `position_at` and `position_id` are of the last event that a replay has put.
 */
export const archives: Migration = {
  name: "002-archives",
  sql: `
CREATE TABLE events_archive (
  archive_id text NOT NULL PRIMARY KEY,
  account text NOT NULL,
  region text NOT NULL,
  name text NOT NULL,
  bus text NOT NULL,
  description text NOT NULL,
  pattern text NOT NULL,
  retention_days bigint NOT NULL,
  created_at bigint NOT NULL,
  events bigint NOT NULL,
  bytes bigint NOT NULL,
  UNIQUE (account, region, name)
);
CREATE INDEX events_archive_bus ON events_archive (account, region, bus);
CREATE TABLE events_archived (
  archive_id text NOT NULL,
  received_at bigint NOT NULL,
  entry_id text NOT NULL,
  event text NOT NULL,
  PRIMARY KEY (archive_id, received_at, entry_id)
);
CREATE TABLE events_archive_garbage (archive_id text NOT NULL PRIMARY KEY);
CREATE TABLE events_replay (
  account text NOT NULL,
  region text NOT NULL,
  name text NOT NULL,
  archive_id text NOT NULL,
  archive_name text NOT NULL,
  bus text NOT NULL,
  description text NOT NULL,
  rule_arns text NOT NULL,
  start_at bigint NOT NULL,
  end_at bigint NOT NULL,
  state text NOT NULL,
  state_reason text NOT NULL,
  started_at bigint NOT NULL,
  ended_at bigint NOT NULL,
  position_at bigint NOT NULL,
  position_id text NOT NULL,
  PRIMARY KEY (account, region, name)
);
CREATE INDEX events_replay_state ON events_replay (state, started_at);`,
};
