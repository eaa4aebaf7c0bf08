/** When a message was last received. */
import type { Migration } from "../../../store/database.ts";

/** From then on its visibility may be put off by twelve hours in all; 0 for one that was not received, or before this was kept. */
export const claimedAt: Migration = {
  name: "003-claimed-at",
  sql: "ALTER TABLE sqs_message ADD COLUMN claimed_at bigint NOT NULL DEFAULT 0;",
};
