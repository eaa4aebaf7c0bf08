/** The key of what queues with SqsManagedSseEnabled hold. */
import type { Migration } from "../../../store/database.ts";

export const secrets: Migration = {
  name: "006-secrets",
  sql: `
CREATE TABLE sqs_secret (
  name text NOT NULL PRIMARY KEY,
  value blob NOT NULL
);`,
};
