/** SQL of access keys and of the sessions behind temporary credentials. */
import { sql } from "../../store/database.ts";
import type { Reader, Transaction } from "../../store/database.ts";

export interface AccessKeyRow {
  readonly access_key_id: string;
  readonly account: string;
  readonly user_id: string;
  readonly secret: string;
  /** 1 or 0. */
  readonly active: number;
  readonly created_at: number;
}

export interface SessionRow {
  readonly access_key_id: string;
  readonly account: string;
  /** A role's or a user's unique id, or the account for its root. */
  readonly identity_id: string;
  /** Of a role's session. */
  readonly session_name: string | null;
  readonly secret: string;
  readonly token: string;
  /** JSON: the session policies' documents, as text. */
  readonly session_policies: string | null;
  readonly expires_at: number;
}

const KEY = `access_key_id, account, user_id, secret, active, created_at`;
const SESSION = `access_key_id, account, identity_id, session_name, secret, token, session_policies, expires_at`;

const GET_KEY = sql("iam.getKey", `SELECT ${KEY} FROM iam_access_key WHERE access_key_id = ?`);
const LIST_KEYS = sql(
  "iam.listKeys",
  `SELECT ${KEY} FROM iam_access_key WHERE account = ? AND user_id = ? ORDER BY created_at, access_key_id`,
);
const INSERT_KEY = sql("iam.insertKey", `INSERT INTO iam_access_key (${KEY}) VALUES (?, ?, ?, ?, ?, ?)`);
const SET_KEY_ACTIVE = sql(
  "iam.setKeyActive",
  `UPDATE iam_access_key SET active = ? WHERE access_key_id = ?`,
);
const DELETE_KEY = sql("iam.deleteKey", `DELETE FROM iam_access_key WHERE access_key_id = ?`);
const GET_SESSION = sql("iam.getSession", `SELECT ${SESSION} FROM iam_session WHERE access_key_id = ?`);
const INSERT_SESSION = sql(
  "iam.insertSession",
  `INSERT INTO iam_session (${SESSION}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
);
const DELETE_EXPIRED = sql("iam.deleteExpiredSessions", `DELETE FROM iam_session WHERE expires_at <= ?`);

export function getKey(reader: Reader, accessKeyId: string): Promise<AccessKeyRow | undefined> {
  return reader.get<AccessKeyRow>(GET_KEY, accessKeyId);
}

export function listKeys(reader: Reader, account: string, userId: string): Promise<AccessKeyRow[]> {
  return reader.all<AccessKeyRow>(LIST_KEYS, account, userId);
}

export async function insertKey(tx: Transaction, key: AccessKeyRow): Promise<void> {
  await tx.run(
    INSERT_KEY,
    key.access_key_id,
    key.account,
    key.user_id,
    key.secret,
    key.active,
    key.created_at,
  );
}

export async function setKeyActive(tx: Transaction, accessKeyId: string, active: boolean): Promise<void> {
  await tx.run(SET_KEY_ACTIVE, active ? 1 : 0, accessKeyId);
}

export async function deleteKey(tx: Transaction, accessKeyId: string): Promise<void> {
  await tx.run(DELETE_KEY, accessKeyId);
}

export function getSession(reader: Reader, accessKeyId: string): Promise<SessionRow | undefined> {
  return reader.get<SessionRow>(GET_SESSION, accessKeyId);
}

export async function insertSession(tx: Transaction, session: SessionRow): Promise<void> {
  await tx.run(
    INSERT_SESSION,
    session.access_key_id,
    session.account,
    session.identity_id,
    session.session_name,
    session.secret,
    session.token,
    session.session_policies,
    session.expires_at,
  );
}

/** Removes the sessions that ended at or before `now` (epoch ms); answers how many. */
export function deleteExpiredSessions(tx: Transaction, now: number): Promise<number> {
  return tx.run(DELETE_EXPIRED, now);
}
