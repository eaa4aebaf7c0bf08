/** Tokens by which subscriptions were confirmed: who visits a link again is told the same. */
import type { Migration } from "../../../store/database.ts";

export const usedTokens: Migration = {
  name: "003-used-tokens",
  sql: `
CREATE TABLE sns_used_token (
  token text NOT NULL PRIMARY KEY,
  topic_id bigint NOT NULL,
  until bigint NOT NULL,
  subscription_id text NOT NULL
);
CREATE INDEX sns_used_token_until ON sns_used_token (until);`,
};
