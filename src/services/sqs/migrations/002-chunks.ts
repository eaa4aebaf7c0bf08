/** Messages of standard queues that came together. */
import type { Migration } from "../../../store/database.ts";

/** In one row until the first of them is received: writing each alone costs several times as much. `content` is JSON. */
export const chunks: Migration = {
  name: "002-chunks",
  sql: `
CREATE TABLE sqs_chunk (
  queue_id bigint NOT NULL,
  visible_at bigint NOT NULL,
  seq bigint NOT NULL,
  messages bigint NOT NULL,
  content text NOT NULL,
  PRIMARY KEY (queue_id, visible_at, seq)
);`,
};
