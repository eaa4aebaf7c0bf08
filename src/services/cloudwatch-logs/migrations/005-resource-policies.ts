/** Policies of an account's log groups in a region, by which services may write to them. */
import type { Migration } from "../../../store/database.ts";

export const resourcePolicies: Migration = {
  name: "005-resource-policies",
  sql: `
CREATE TABLE logs_resource_policy (
  account text NOT NULL,
  region text NOT NULL,
  name text NOT NULL,
  document text NOT NULL,
  changed_at bigint NOT NULL,
  PRIMARY KEY (account, region, name)
);
`,
};
