/** Buckets whose ownership controls were removed. */
import type { Migration } from "../../../store/database.ts";

export const ownership: Migration = {
  name: "007-ownership",
  sql: `ALTER TABLE s3_bucket ADD COLUMN has_ownership bigint NOT NULL DEFAULT 1;`,
};
