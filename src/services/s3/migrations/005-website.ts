/** How a bucket is shown as a website. */
import type { Migration } from "../../../store/database.ts";

export const website: Migration = {
  name: "005-website",
  sql: "ALTER TABLE s3_bucket ADD COLUMN website text;",
};
