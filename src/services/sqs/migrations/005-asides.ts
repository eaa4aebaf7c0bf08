/** What is set aside of noisy message groups. */
import type { Migration } from "../../../store/database.ts";

/** A group's messages that are set aside have `aside_id` in the place of their queue's number. */
export const asides: Migration = {
  name: "005-asides",
  sql: `
CREATE TABLE sqs_aside (
  queue_id bigint NOT NULL,
  group_id text NOT NULL,
  aside_id bigint NOT NULL UNIQUE,
  PRIMARY KEY (queue_id, group_id)
);`,
};
