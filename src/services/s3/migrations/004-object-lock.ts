/** What keeps versions of objects from being removed. */
import type { Migration } from "../../../store/database.ts";

export const objectLock: Migration = {
  name: "004-object-lock",
  sql: `
ALTER TABLE s3_bucket ADD COLUMN object_lock text;
ALTER TABLE s3_object ADD COLUMN object_lock text;
ALTER TABLE s3_upload ADD COLUMN object_lock text;
`,
};
