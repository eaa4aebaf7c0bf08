/** User pools and everything that is in them. */
import type { Migration } from "../../../store/database.ts";

/**
 * Times are epoch milliseconds. `settings`, `attributes`, `credentials`, `state`, `content`, `tags`, `scopes` and `secrets` are JSON.
 * A user's `username_key` is how the name is compared: in lower case where the pool does not heed case. `cognito_alias` has what users also
 * sign in by. `cognito_ticket` has what is taken once: challenges, codes of OAuth, pages' sessions. A `cognito_session` is one sign-in, as
 * long as it can be refreshed; its tokens carry `event_id`. `cognito_message` has what would have been sent to users.
 */
export const userPools: Migration = {
  name: "001-user-pools",
  sql: `
CREATE TABLE cognito_pool (
  pool_id text NOT NULL PRIMARY KEY,
  account text NOT NULL,
  region text NOT NULL,
  name text NOT NULL,
  created_at bigint NOT NULL,
  modified_at bigint NOT NULL,
  settings text NOT NULL,
  tags text NOT NULL,
  secret text NOT NULL
);
CREATE INDEX cognito_pool_place ON cognito_pool (account, region, pool_id);
CREATE TABLE cognito_client (
  client_id text NOT NULL PRIMARY KEY,
  pool_id text NOT NULL,
  name text NOT NULL,
  created_at bigint NOT NULL,
  modified_at bigint NOT NULL,
  settings text NOT NULL,
  secrets text NOT NULL
);
CREATE INDEX cognito_client_pool ON cognito_client (pool_id, client_id);
CREATE TABLE cognito_user (
  pool_id text NOT NULL,
  username_key text NOT NULL,
  username text NOT NULL,
  sub text NOT NULL,
  status text NOT NULL,
  enabled bigint NOT NULL,
  created_at bigint NOT NULL,
  modified_at bigint NOT NULL,
  attributes text NOT NULL,
  credentials text NOT NULL,
  PRIMARY KEY (pool_id, username_key)
);
CREATE UNIQUE INDEX cognito_user_sub ON cognito_user (pool_id, sub);
CREATE TABLE cognito_alias (
  pool_id text NOT NULL,
  kind text NOT NULL,
  value text NOT NULL,
  username_key text NOT NULL,
  PRIMARY KEY (pool_id, kind, value)
);
CREATE INDEX cognito_alias_user ON cognito_alias (pool_id, username_key);
CREATE TABLE cognito_group (
  pool_id text NOT NULL,
  name text NOT NULL,
  description text,
  role_arn text,
  precedence bigint,
  created_at bigint NOT NULL,
  modified_at bigint NOT NULL,
  PRIMARY KEY (pool_id, name)
);
CREATE TABLE cognito_member (
  pool_id text NOT NULL,
  group_name text NOT NULL,
  username_key text NOT NULL,
  PRIMARY KEY (pool_id, group_name, username_key)
);
CREATE INDEX cognito_member_user ON cognito_member (pool_id, username_key);
CREATE TABLE cognito_code (
  pool_id text NOT NULL,
  username_key text NOT NULL,
  purpose text NOT NULL,
  code text NOT NULL,
  attribute text NOT NULL,
  value text NOT NULL,
  expires_at bigint NOT NULL,
  PRIMARY KEY (pool_id, username_key, purpose)
);
CREATE INDEX cognito_code_expires ON cognito_code (expires_at);
CREATE TABLE cognito_attempts (
  pool_id text NOT NULL,
  username_key text NOT NULL,
  kind text NOT NULL,
  attempts bigint NOT NULL,
  first_at bigint NOT NULL,
  last_at bigint NOT NULL,
  PRIMARY KEY (pool_id, username_key, kind)
);
CREATE INDEX cognito_attempts_last ON cognito_attempts (last_at);
CREATE TABLE cognito_ticket (
  ticket_id text NOT NULL PRIMARY KEY,
  kind text NOT NULL,
  pool_id text NOT NULL,
  client_id text NOT NULL,
  username_key text NOT NULL,
  state text NOT NULL,
  expires_at bigint NOT NULL
);
CREATE INDEX cognito_ticket_expires ON cognito_ticket (expires_at);
CREATE INDEX cognito_ticket_pool ON cognito_ticket (pool_id, username_key);
CREATE TABLE cognito_session (
  event_id text NOT NULL PRIMARY KEY,
  pool_id text NOT NULL,
  client_id text NOT NULL,
  username_key text NOT NULL,
  origin_jti text NOT NULL,
  auth_time bigint NOT NULL,
  scopes text NOT NULL,
  refresh_hash text NOT NULL,
  previous_hash text NOT NULL,
  previous_until bigint NOT NULL,
  expires_at bigint NOT NULL
);
CREATE UNIQUE INDEX cognito_session_refresh ON cognito_session (refresh_hash);
CREATE INDEX cognito_session_previous ON cognito_session (previous_hash) WHERE previous_hash <> '';
CREATE INDEX cognito_session_user ON cognito_session (pool_id, username_key);
CREATE INDEX cognito_session_expires ON cognito_session (expires_at);
CREATE TABLE cognito_key (
  pool_id text NOT NULL,
  kid text NOT NULL,
  private_key text NOT NULL,
  created_at bigint NOT NULL,
  PRIMARY KEY (pool_id, kid)
);
CREATE TABLE cognito_message (
  pool_id text NOT NULL,
  message_id text NOT NULL,
  username_key text NOT NULL,
  sent_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  content text NOT NULL,
  PRIMARY KEY (pool_id, message_id)
);
CREATE INDEX cognito_message_sent ON cognito_message (pool_id, sent_at, message_id);
CREATE INDEX cognito_message_expires ON cognito_message (expires_at);
CREATE TABLE cognito_resource_server (
  pool_id text NOT NULL,
  identifier text NOT NULL,
  name text NOT NULL,
  scopes text NOT NULL,
  PRIMARY KEY (pool_id, identifier)
);
CREATE TABLE cognito_domain (
  domain text NOT NULL,
  region text NOT NULL,
  pool_id text NOT NULL,
  PRIMARY KEY (domain, region)
);
CREATE INDEX cognito_domain_pool ON cognito_domain (pool_id);
`,
};
