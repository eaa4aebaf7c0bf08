/** The table of event source mappings. */
import type { Migration } from "../../store/database.ts";

export const mappings: Migration = {
  name: "001-mappings",
  // `settings` and `tags` are JSON; `event_source_arn` is NULL for self-managed Kafka.
  sql: `
    CREATE TABLE source_mappings (
      uuid text PRIMARY KEY,
      account text NOT NULL,
      region text NOT NULL,
      function_arn text NOT NULL,
      kind text NOT NULL,
      source_key text NOT NULL,
      event_source_arn text,
      settings text NOT NULL,
      is_enabled bigint NOT NULL,
      state text NOT NULL,
      reason text NOT NULL,
      last_modified bigint NOT NULL,
      last_result text,
      tags text NOT NULL,
      revision bigint NOT NULL
    );
    CREATE UNIQUE INDEX source_mappings_by_function ON source_mappings (function_arn, kind, source_key);
    CREATE INDEX source_mappings_by_account ON source_mappings (account, region, uuid);
  `,
};
