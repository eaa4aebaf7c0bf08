/** Who may do what with a bucket, and which web pages may: its policy, its public access block, its CORS rules. */
import type { Migration } from "../../../store/database.ts";

export const bucketAccess: Migration = {
  name: "002-bucket-access",
  sql: `
ALTER TABLE s3_bucket ADD COLUMN policy text;
ALTER TABLE s3_bucket ADD COLUMN policy_is_public bigint NOT NULL DEFAULT 0;
ALTER TABLE s3_bucket ADD COLUMN public_access text;
ALTER TABLE s3_bucket ADD COLUMN cors text;
`,
};
