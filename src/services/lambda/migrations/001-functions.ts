/** Functions, their versions, aliases and resource policies, and the secret that signs code locations. */
import type { Migration } from "../../../store/database.ts";

export const functions: Migration = {
  name: "001-functions",
  sql: `
    CREATE TABLE lambda_functions (
      account text NOT NULL,
      region text NOT NULL,
      name text NOT NULL,
      tags text NOT NULL,
      PRIMARY KEY (account, region, name)
    );
    CREATE TABLE lambda_versions (
      account text NOT NULL,
      region text NOT NULL,
      name text NOT NULL,
      number bigint NOT NULL,
      deployment text NOT NULL,
      configuration text NOT NULL,
      fingerprint text NOT NULL,
      code_sha256 text NOT NULL,
      code_bytes bigint NOT NULL,
      unzipped_bytes bigint NOT NULL,
      revision text NOT NULL,
      last_modified bigint NOT NULL,
      state text NOT NULL,
      state_code text,
      state_reason text,
      update_status text,
      update_code text,
      update_reason text,
      serving text,
      serving_code text,
      PRIMARY KEY (account, region, name, number)
    );
    CREATE INDEX lambda_versions_by_code ON lambda_versions (code_sha256);
    CREATE TABLE lambda_version_counters (
      account text NOT NULL,
      region text NOT NULL,
      name text NOT NULL,
      last_number bigint NOT NULL,
      PRIMARY KEY (account, region, name)
    );
    CREATE TABLE lambda_aliases (
      account text NOT NULL,
      region text NOT NULL,
      function_name text NOT NULL,
      name text NOT NULL,
      number bigint NOT NULL,
      weights text NOT NULL,
      description text NOT NULL,
      revision text NOT NULL,
      PRIMARY KEY (account, region, function_name, name)
    );
    CREATE TABLE lambda_permissions (
      account text NOT NULL,
      region text NOT NULL,
      function_name text NOT NULL,
      qualifier text NOT NULL,
      statement_id text NOT NULL,
      position bigint NOT NULL,
      statement text NOT NULL,
      PRIMARY KEY (account, region, function_name, qualifier, statement_id)
    );
    CREATE TABLE lambda_settings (
      name text NOT NULL,
      value text NOT NULL,
      PRIMARY KEY (name)
    );
  `,
};
