/** The servers that share a database, so that they can share the shards of a stream. */
import type { Migration } from "../../store/database.ts";

export const servers: Migration = {
  name: "002-servers",
  // `until` is in epoch milliseconds: a server that is not heard of by then is taken for dead.
  sql: `
    CREATE TABLE source_servers (
      name text PRIMARY KEY,
      until bigint NOT NULL
    );
  `,
};
