/** Topics, their subscriptions, what FIFO topics have delivered lately, and the key that messages are signed with. */
import type { Migration } from "../../../store/database.ts";

/**
 * Times are epoch milliseconds. `attributes` is JSON of those that were set. `next_sequence` is a FIFO topic's. A subscription with a token
 * waits to be confirmed until `pending_until`; `base` is how its subscriber reaches the server.
 */
export const topics: Migration = {
  name: "001-topics",
  sql: `
CREATE TABLE sns_topic (
  topic_id bigint NOT NULL PRIMARY KEY,
  account text NOT NULL,
  region text NOT NULL,
  name text NOT NULL,
  created_at bigint NOT NULL,
  attributes text NOT NULL,
  tags text NOT NULL,
  next_sequence bigint NOT NULL,
  UNIQUE (account, region, name)
);
CREATE TABLE sns_subscription (
  subscription_id text NOT NULL PRIMARY KEY,
  topic_id bigint NOT NULL,
  topic_arn text NOT NULL,
  owner text NOT NULL,
  region text NOT NULL,
  protocol text NOT NULL,
  endpoint text NOT NULL,
  attributes text NOT NULL,
  token text NOT NULL,
  pending_until bigint NOT NULL,
  confirmed_by text NOT NULL,
  needs_signature bigint NOT NULL,
  base text NOT NULL,
  principal text NOT NULL,
  created_at bigint NOT NULL,
  UNIQUE (topic_id, protocol, endpoint)
);
CREATE INDEX sns_subscription_topic ON sns_subscription (topic_id, subscription_id);
CREATE INDEX sns_subscription_owner ON sns_subscription (owner, region, subscription_id);
CREATE INDEX sns_subscription_token ON sns_subscription (token) WHERE token <> '';
CREATE TABLE sns_deduplication (
  topic_id bigint NOT NULL,
  scope text NOT NULL,
  deduplication_id text NOT NULL,
  until bigint NOT NULL,
  message_id text NOT NULL,
  sequence bigint NOT NULL,
  PRIMARY KEY (topic_id, scope, deduplication_id)
);
CREATE INDEX sns_deduplication_until ON sns_deduplication (until);
CREATE TABLE sns_signing (
  name text NOT NULL PRIMARY KEY,
  private_key text NOT NULL,
  certificate text NOT NULL
);`,
};
