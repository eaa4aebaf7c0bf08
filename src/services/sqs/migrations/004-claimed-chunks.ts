/** Chunks that were received as a whole. */
import type { Migration } from "../../../store/database.ts";

/**
 * A chunk that one receiver took stays one row while its messages are in flight: `visible_at` is then when they are visible again, and
 * `gone` has a bit for each that was deleted, `gone_count` of them. `sent_at` is when the last of them was sent.
 */
export const claimedChunks: Migration = {
  name: "004-claimed-chunks",
  sql: `
ALTER TABLE sqs_chunk ADD COLUMN sent_at bigint NOT NULL DEFAULT 0;
ALTER TABLE sqs_chunk ADD COLUMN claimed_at bigint NOT NULL DEFAULT 0;
ALTER TABLE sqs_chunk ADD COLUMN gone bigint NOT NULL DEFAULT 0;
ALTER TABLE sqs_chunk ADD COLUMN gone_count bigint NOT NULL DEFAULT 0;
UPDATE sqs_chunk SET sent_at = visible_at;
CREATE INDEX sqs_chunk_claimed ON sqs_chunk (queue_id, seq) WHERE claimed_at > 0;`,
};
