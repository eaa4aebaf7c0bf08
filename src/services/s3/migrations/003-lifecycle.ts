/** What is to become of a bucket's objects in time. */
import type { Migration } from "../../../store/database.ts";

export const lifecycle: Migration = {
  name: "003-lifecycle",
  sql: "ALTER TABLE s3_bucket ADD COLUMN lifecycle text;",
};
