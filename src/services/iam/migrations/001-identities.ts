/** Roles, users, their policies and their keys. IAM is global: everything is keyed by account, nothing by region. */
import type { Migration } from "../../../store/database.ts";

/** `name_key` is the name in lower case: IAM's names are unique without regard to case. */
export const identities: Migration = {
  name: "001-identities",
  sql: `
CREATE TABLE iam_role (
  account text NOT NULL,
  name_key text NOT NULL,
  name text NOT NULL,
  path text NOT NULL,
  role_id text NOT NULL UNIQUE,
  trust_policy text NOT NULL,
  description text,
  max_session_seconds bigint NOT NULL,
  boundary_arn text,
  tags text NOT NULL,
  created_at bigint NOT NULL,
  PRIMARY KEY (account, name_key)
);
CREATE TABLE iam_user (
  account text NOT NULL,
  name_key text NOT NULL,
  name text NOT NULL,
  path text NOT NULL,
  user_id text NOT NULL UNIQUE,
  boundary_arn text,
  tags text NOT NULL,
  created_at bigint NOT NULL,
  PRIMARY KEY (account, name_key)
);
CREATE TABLE iam_policy (
  account text NOT NULL,
  name_key text NOT NULL,
  name text NOT NULL,
  path text NOT NULL,
  policy_id text NOT NULL UNIQUE,
  description text,
  default_version bigint NOT NULL,
  last_version bigint NOT NULL,
  tags text NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  PRIMARY KEY (account, name_key)
);
CREATE TABLE iam_policy_version (
  policy_id text NOT NULL,
  version bigint NOT NULL,
  document text NOT NULL,
  created_at bigint NOT NULL,
  PRIMARY KEY (policy_id, version)
);
CREATE TABLE iam_inline_policy (
  owner_id text NOT NULL,
  name text NOT NULL,
  document text NOT NULL,
  PRIMARY KEY (owner_id, name)
);
CREATE TABLE iam_attachment (
  account text NOT NULL,
  policy_arn text NOT NULL,
  owner_id text NOT NULL,
  owner_kind text NOT NULL,
  attached_at bigint NOT NULL,
  PRIMARY KEY (owner_id, policy_arn)
);
CREATE INDEX iam_attachment_by_policy ON iam_attachment (account, policy_arn);
CREATE TABLE iam_access_key (
  access_key_id text NOT NULL PRIMARY KEY,
  account text NOT NULL,
  user_id text NOT NULL,
  secret text NOT NULL,
  active bigint NOT NULL,
  created_at bigint NOT NULL
);
CREATE INDEX iam_access_key_by_user ON iam_access_key (account, user_id);
CREATE TABLE iam_session (
  access_key_id text NOT NULL PRIMARY KEY,
  account text NOT NULL,
  identity_id text NOT NULL,
  session_name text,
  secret text NOT NULL,
  token text NOT NULL,
  session_policies text,
  expires_at bigint NOT NULL
);
CREATE INDEX iam_session_by_expiry ON iam_session (expires_at);
`,
};
