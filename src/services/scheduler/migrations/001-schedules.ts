/** Schedules, their groups, and the requests that are known by their ClientTokens. */
import type { Migration } from "../../../store/database.ts";

/**
 * Times are epoch milliseconds. `definition` is JSON. `scheduled_at` is when the next invocation is meant to be, `fire_at` when in its flexible window it
 * is made; both are null when none comes. `anchor_at` is from when a rate counts. Whoever changes a row raises its `version`.
 */
export const schedules: Migration = {
  name: "001-schedules",
  sql: `
CREATE TABLE scheduler_group (
  account text NOT NULL,
  region text NOT NULL,
  name text NOT NULL,
  created_at bigint NOT NULL,
  modified_at bigint NOT NULL,
  tags text NOT NULL,
  PRIMARY KEY (account, region, name)
);
CREATE TABLE scheduler_schedule (
  account text NOT NULL,
  region text NOT NULL,
  group_name text NOT NULL,
  name text NOT NULL,
  state text NOT NULL,
  definition text NOT NULL,
  created_at bigint NOT NULL,
  modified_at bigint NOT NULL,
  anchor_at bigint NOT NULL,
  scheduled_at bigint,
  fire_at bigint,
  version bigint NOT NULL,
  PRIMARY KEY (account, region, group_name, name)
);
CREATE INDEX scheduler_schedule_due ON scheduler_schedule (fire_at) WHERE fire_at IS NOT NULL;
CREATE TABLE scheduler_token (
  account text NOT NULL,
  region text NOT NULL,
  token text NOT NULL,
  request text NOT NULL,
  made_at bigint NOT NULL,
  PRIMARY KEY (account, region, token)
);
CREATE INDEX scheduler_token_age ON scheduler_token (made_at);
`,
};
