/** How far stream mappings have read. */
import type { Migration } from "../../../store/database.ts";

export const checkpoints: Migration = {
  name: "001-checkpoints",
  // `progress` and `open_windows` are JSON; `epoch` is of the lease under which the shard was last taken over.
  sql: `
    CREATE TABLE source_streams (
      mapping text NOT NULL PRIMARY KEY,
      started_at bigint NOT NULL
    );
    CREATE TABLE source_shards (
      mapping text NOT NULL,
      shard text NOT NULL,
      starting text NOT NULL,
      progress text NOT NULL,
      open_windows text NOT NULL,
      finished bigint NOT NULL,
      epoch bigint NOT NULL,
      PRIMARY KEY (mapping, shard)
    );
  `,
};
