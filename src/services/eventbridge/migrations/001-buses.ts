/** Event buses, their rules, the rules' targets, and when scheduled rules run next. */
import type { Migration } from "../../../store/database.ts";

/**
 * Times are epoch milliseconds; "" stands for what was not given. `version` of a bus grows with every change of what an event on it meets,
 * so that servers know when what they remember is old. `content` of a target is JSON of what PutTargets was given.
 */
export const buses: Migration = {
  name: "001-buses",
  sql: `
CREATE TABLE events_bus (
  account text NOT NULL,
  region text NOT NULL,
  name text NOT NULL,
  description text NOT NULL,
  log_config text NOT NULL,
  policy text NOT NULL,
  tags text NOT NULL,
  created_at bigint NOT NULL,
  modified_at bigint NOT NULL,
  version bigint NOT NULL,
  PRIMARY KEY (account, region, name)
);
CREATE TABLE events_rule (
  rule_id text NOT NULL PRIMARY KEY,
  account text NOT NULL,
  region text NOT NULL,
  bus text NOT NULL,
  name text NOT NULL,
  pattern text NOT NULL,
  schedule text NOT NULL,
  state text NOT NULL,
  description text NOT NULL,
  role_arn text NOT NULL,
  created_by text NOT NULL,
  created_at bigint NOT NULL,
  tags text NOT NULL,
  UNIQUE (account, region, bus, name)
);
CREATE TABLE events_target (
  rule_id text NOT NULL,
  target_id text NOT NULL,
  arn text NOT NULL,
  content text NOT NULL,
  PRIMARY KEY (rule_id, target_id)
);
CREATE INDEX events_target_arn ON events_target (arn);
CREATE TABLE events_schedule (
  rule_id text NOT NULL PRIMARY KEY,
  next_at bigint NOT NULL
);
CREATE INDEX events_schedule_next ON events_schedule (next_at);`,
};
