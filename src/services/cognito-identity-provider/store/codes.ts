/** SQL of confirmation codes, of attempts that are counted, and of messages to users. */
import { sql } from "../../../store/database.ts";
import type { Reader, Transaction } from "../../../store/database.ts";

/** What a code is for: one of each for a user. */
export type CodePurpose = "sign-up" | "forgot-password" | `verify:${string}`;

export interface CodeRow {
  readonly pool_id: string;
  readonly username_key: string;
  readonly purpose: CodePurpose;
  readonly code: string;
  /** The attribute that it was sent to, which it verifies. */
  readonly attribute: string;
  /** The attribute's value: one that the user does not have yet where it is verified first. */
  readonly value: string;
  readonly expires_at: number;
}

export interface Attempts {
  readonly attempts: number;
  readonly first_at: number;
  readonly last_at: number;
}

export interface MessageRow {
  readonly message_id: string;
  readonly username_key: string;
  readonly sent_at: number;
  readonly content: string;
}

const SET = sql(
  "cognito.set-code",
  `INSERT INTO cognito_code (pool_id, username_key, purpose, code, attribute, value, expires_at)
   VALUES (?, ?, ?, ?, ?, ?, ?)
   ON CONFLICT (pool_id, username_key, purpose) DO UPDATE SET code = excluded.code, attribute = excluded.attribute,
     value = excluded.value, expires_at = excluded.expires_at`,
);
const GET = sql(
  "cognito.code",
  `SELECT pool_id, username_key, purpose, code, attribute, value, expires_at FROM cognito_code
   WHERE pool_id = ? AND username_key = ? AND purpose = ?`,
);
const DELETE = sql(
  "cognito.delete-code",
  "DELETE FROM cognito_code WHERE pool_id = ? AND username_key = ? AND purpose = ?",
);
const GET_ATTEMPTS = sql(
  "cognito.attempts",
  "SELECT attempts, first_at, last_at FROM cognito_attempts WHERE pool_id = ? AND username_key = ? AND kind = ?",
);
const SET_ATTEMPTS = sql(
  "cognito.set-attempts",
  `INSERT INTO cognito_attempts (pool_id, username_key, kind, attempts, first_at, last_at) VALUES (?, ?, ?, ?, ?, ?)
   ON CONFLICT (pool_id, username_key, kind) DO UPDATE SET attempts = excluded.attempts, first_at = excluded.first_at,
     last_at = excluded.last_at`,
);
const CLEAR_ATTEMPTS = sql(
  "cognito.clear-attempts",
  "DELETE FROM cognito_attempts WHERE pool_id = ? AND username_key = ? AND kind = ?",
);
const ADD_MESSAGE = sql(
  "cognito.add-message",
  `INSERT INTO cognito_message (pool_id, message_id, username_key, sent_at, expires_at, content)
   VALUES (?, ?, ?, ?, ?, ?)`,
);
const MESSAGES = sql(
  "cognito.messages",
  `SELECT message_id, username_key, sent_at, content FROM cognito_message
   WHERE pool_id = ? AND expires_at > ? ORDER BY sent_at DESC, message_id LIMIT ?`,
);
/** The time of the first message that is too many. */
const MESSAGE_AT = sql(
  "cognito.message-at",
  "SELECT sent_at FROM cognito_message WHERE pool_id = ? ORDER BY sent_at DESC LIMIT 1 OFFSET ?",
);
const TRIM_MESSAGES = sql(
  "cognito.trim-messages",
  "DELETE FROM cognito_message WHERE pool_id = ? AND sent_at <= ?",
);

export async function setCode(tx: Transaction, row: CodeRow): Promise<void> {
  const { pool_id, username_key, purpose, code, attribute, value, expires_at } = row;
  await tx.run(SET, pool_id, username_key, purpose, code, attribute, value, expires_at);
}

export function getCode(
  reader: Reader,
  poolId: string,
  key: string,
  purpose: CodePurpose,
): Promise<CodeRow | undefined> {
  return reader.get<CodeRow>(GET, poolId, key, purpose);
}

export async function deleteCode(
  tx: Transaction,
  poolId: string,
  key: string,
  purpose: CodePurpose,
): Promise<void> {
  await tx.run(DELETE, poolId, key, purpose);
}

export function getAttempts(
  reader: Reader,
  poolId: string,
  key: string,
  kind: string,
): Promise<Attempts | undefined> {
  return reader.get<Attempts>(GET_ATTEMPTS, poolId, key, kind);
}

export async function setAttempts(
  tx: Transaction,
  poolId: string,
  key: string,
  kind: string,
  { attempts, first_at, last_at }: Attempts,
): Promise<void> {
  await tx.run(SET_ATTEMPTS, poolId, key, kind, attempts, first_at, last_at);
}

export async function clearAttempts(
  tx: Transaction,
  poolId: string,
  key: string,
  kind: string,
): Promise<void> {
  await tx.run(CLEAR_ATTEMPTS, poolId, key, kind);
}

/** Keeps a message, and drops the oldest of the pool where there are more than `max`. */
export async function addMessage(
  tx: Transaction,
  poolId: string,
  { message_id, username_key, sent_at, content }: MessageRow,
  expiresAt: number,
  max: number,
): Promise<void> {
  const old = await tx.get<{ sent_at: number }>(MESSAGE_AT, poolId, max - 1);
  if (old) await tx.run(TRIM_MESSAGES, poolId, old.sent_at);
  await tx.run(ADD_MESSAGE, poolId, message_id, username_key, sent_at, expiresAt, content);
}

/** The newest first. */
export function listMessages(
  reader: Reader,
  poolId: string,
  now: number,
  count: number,
): Promise<MessageRow[]> {
  return reader.all<MessageRow>(MESSAGES, poolId, now, count);
}
