/** Policies of streams; those of tables are in their definitions. */
import type { Migration } from "../../../store/database.ts";

export const streamPolicies: Migration = {
  name: "004-stream-policies",
  sql: `
    ALTER TABLE dynamodb_streams ADD COLUMN policy text;
    ALTER TABLE dynamodb_streams ADD COLUMN policy_revision text;
  `,
};
