/** How many of a topic's subscriptions were ended. */
import type { Migration } from "../../../store/database.ts";

export const deletedSubscriptions: Migration = {
  name: "004-deleted-subscriptions",
  sql: `
ALTER TABLE sns_topic ADD COLUMN subscriptions_deleted bigint NOT NULL DEFAULT 0;`,
};
