/** Devices that are remembered, and which of them a sign-in was on. */
import type { Migration } from "../../../store/database.ts";

/** `verifier` and `salt` are hexadecimal, of what the device proves itself by; `remembered` is 1 or 0; times are epoch milliseconds. */
export const devices: Migration = {
  name: "002-devices",
  sql: `
CREATE TABLE cognito_device (
  pool_id text NOT NULL,
  username_key text NOT NULL,
  device_key text NOT NULL,
  name text NOT NULL,
  verifier text NOT NULL,
  salt text NOT NULL,
  remembered bigint NOT NULL,
  last_ip text NOT NULL,
  created_at bigint NOT NULL,
  modified_at bigint NOT NULL,
  authenticated_at bigint NOT NULL,
  PRIMARY KEY (pool_id, username_key, device_key)
);
ALTER TABLE cognito_session ADD COLUMN device_key text NOT NULL DEFAULT '';
`,
};
