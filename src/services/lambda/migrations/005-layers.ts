/** Layers: their versions, and which versions of functions have which content of them mounted. */
import type { Migration } from "../../../store/database.ts";

export const layers: Migration = {
  name: "005-layers",
  // A layer's policy is kept with those of functions. A function keeps the content of a layer version that is deleted.
  sql: `
    CREATE TABLE lambda_layer_versions (
      account text NOT NULL,
      region text NOT NULL,
      name text NOT NULL,
      number bigint NOT NULL,
      description text NOT NULL,
      license_info text,
      runtimes text,
      architectures text,
      created_at bigint NOT NULL,
      code_sha256 text NOT NULL,
      code_bytes bigint NOT NULL,
      unzipped_bytes bigint NOT NULL,
      revision text NOT NULL,
      PRIMARY KEY (account, region, name, number)
    );
    CREATE INDEX lambda_layer_versions_by_code ON lambda_layer_versions (code_sha256);
    CREATE TABLE lambda_layer_counters (
      account text NOT NULL,
      region text NOT NULL,
      name text NOT NULL,
      last_number bigint NOT NULL,
      PRIMARY KEY (account, region, name)
    );
    CREATE TABLE lambda_version_layers (
      account text NOT NULL,
      region text NOT NULL,
      name text NOT NULL,
      number bigint NOT NULL,
      code_sha256 text NOT NULL,
      PRIMARY KEY (account, region, name, number, code_sha256)
    );
    CREATE INDEX lambda_version_layers_by_code ON lambda_version_layers (code_sha256);
  `,
};
