/** Reserved concurrency of functions, and provisioned concurrency of their versions and aliases. */
import type { Migration } from "../../../store/database.ts";

export const concurrency: Migration = {
  name: "004-concurrency",
  // Nothing is reserved where it is NULL; 0 switches the function off.
  sql: `
    ALTER TABLE lambda_functions ADD COLUMN reserved_concurrency bigint;
    CREATE TABLE lambda_provisioned_concurrency (
      account text NOT NULL,
      region text NOT NULL,
      function_name text NOT NULL,
      qualifier text NOT NULL,
      requested bigint NOT NULL,
      last_modified bigint NOT NULL,
      PRIMARY KEY (account, region, function_name, qualifier)
    );
  `,
};
