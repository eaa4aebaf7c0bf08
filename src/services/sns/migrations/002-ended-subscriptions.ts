/** Subscriptions that were ended, with which token each can be taken up again; an endpoint is told. */
import type { Migration } from "../../../store/database.ts";

export const endedSubscriptions: Migration = {
  name: "002-ended-subscriptions",
  sql: `
CREATE TABLE sns_ended_subscription (
  token text NOT NULL PRIMARY KEY,
  topic_id bigint NOT NULL,
  until bigint NOT NULL,
  subscription text NOT NULL
);
CREATE INDEX sns_ended_subscription_topic ON sns_ended_subscription (topic_id);
CREATE INDEX sns_ended_subscription_until ON sns_ended_subscription (until);`,
};
