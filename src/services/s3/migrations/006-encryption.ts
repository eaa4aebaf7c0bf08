/** Which objects are encrypted, with what; and the key that the others are kept under. */
import type { Migration } from "../../../store/database.ts";

export const encryption: Migration = {
  name: "006-encryption",
  sql: `
ALTER TABLE s3_bucket ADD COLUMN encryption text;
ALTER TABLE s3_object ADD COLUMN encryption text;
ALTER TABLE s3_upload ADD COLUMN encryption text;

CREATE TABLE s3_secret (
  name text NOT NULL PRIMARY KEY,
  value blob NOT NULL
);
`,
};
