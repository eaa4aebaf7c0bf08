/** Deleted groups and streams whose events are still to be removed, a little at a time. */
import type { Migration } from "../../../store/database.ts";

/** `stream_id` is 0 where a whole group goes. Row ids are never used again, so nothing new is taken for old. */
export const garbage: Migration = {
  name: "002-garbage",
  sql: `
CREATE TABLE logs_garbage (
  group_id bigint NOT NULL,
  stream_id bigint NOT NULL,
  PRIMARY KEY (group_id, stream_id)
);
`,
};
