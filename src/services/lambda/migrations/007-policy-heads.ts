/** What stands around the statements of policies that were put as whole documents. */
import type { Migration } from "../../../store/database.ts";

export const policyHeads: Migration = {
  name: "007-policy-heads",
  // The qualifier of an unqualified function is ""; a document without an Id has NULL.
  sql: `
    CREATE TABLE lambda_policy_heads (
      account text NOT NULL,
      region text NOT NULL,
      function_name text NOT NULL,
      qualifier text NOT NULL,
      version text NOT NULL,
      document_id text,
      PRIMARY KEY (account, region, function_name, qualifier)
    );
  `,
};
