/** Configurations of code signing, which functions have one, and the signatures of layer versions. */
import type { Migration } from "../../../store/database.ts";

export const codeSigning: Migration = {
  name: "008-code-signing",
  // Functions have a configuration by its id; layer versions the signature of their package as JSON.
  sql: `
    CREATE TABLE lambda_code_signing_configs (
      account text NOT NULL,
      region text NOT NULL,
      id text NOT NULL,
      description text NOT NULL,
      publishers text NOT NULL,
      untrusted text NOT NULL,
      tags text NOT NULL,
      last_modified bigint NOT NULL,
      PRIMARY KEY (account, region, id)
    );
    ALTER TABLE lambda_functions ADD COLUMN code_signing_config text;
    ALTER TABLE lambda_layer_versions ADD COLUMN signature text;
  `,
};
