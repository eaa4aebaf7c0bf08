/** SQL of what is signed in, of tickets that are taken once, of signing keys, and of what has expired. */
import { sql } from "../../../store/database.ts";
import type { Reader, Transaction } from "../../../store/database.ts";

export interface SessionRow {
  readonly event_id: string;
  readonly pool_id: string;
  readonly client_id: string;
  readonly username_key: string;
  readonly origin_jti: string;
  /** Epoch seconds. */
  readonly auth_time: number;
  /** Words apart by spaces. */
  readonly scopes: string;
  readonly refresh_hash: string;
  /** The refresh token before it was exchanged, "" for none, which is taken until `previous_until` (epoch ms). */
  readonly previous_hash: string;
  readonly previous_until: number;
  /** Epoch milliseconds: when the refresh token ends. */
  readonly expires_at: number;
  /** The device that it was on; "" where the pool remembers none. */
  readonly device_key: string;
}

export interface TicketRow {
  readonly ticket_id: string;
  readonly kind: string;
  readonly pool_id: string;
  readonly client_id: string;
  readonly username_key: string;
  readonly state: string;
  readonly expires_at: number;
}

export interface KeyRow {
  readonly kid: string;
  readonly private_key: string;
  readonly created_at: number;
}

const SESSION =
  "event_id, pool_id, client_id, username_key, origin_jti, auth_time, scopes, refresh_hash, previous_hash, previous_until, expires_at, device_key";
const INSERT = sql(
  "cognito.insert-session",
  `INSERT INTO cognito_session (${SESSION}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
);
const GET = sql("cognito.session", `SELECT ${SESSION} FROM cognito_session WHERE event_id = ?`);
const BY_REFRESH = sql(
  "cognito.session-by-refresh",
  `SELECT ${SESSION} FROM cognito_session WHERE refresh_hash = ?`,
);
const BY_PREVIOUS = sql(
  "cognito.session-by-previous",
  `SELECT ${SESSION} FROM cognito_session WHERE previous_hash = ? AND previous_hash <> ''`,
);
const EXCHANGE = sql(
  "cognito.exchange-refresh",
  `UPDATE cognito_session SET refresh_hash = ?, previous_hash = ?, previous_until = ?, expires_at = ? WHERE event_id = ?`,
);
const END = sql("cognito.end-session", "DELETE FROM cognito_session WHERE event_id = ?");
const END_ALL = sql(
  "cognito.end-sessions",
  "DELETE FROM cognito_session WHERE pool_id = ? AND username_key = ?",
);
const TICKET = "ticket_id, kind, pool_id, client_id, username_key, state, expires_at";
const INSERT_TICKET = sql(
  "cognito.insert-ticket",
  `INSERT INTO cognito_ticket (${TICKET}) VALUES (?, ?, ?, ?, ?, ?, ?)`,
);
const GET_TICKET = sql("cognito.ticket", `SELECT ${TICKET} FROM cognito_ticket WHERE ticket_id = ?`);
const TAKE_TICKET = sql("cognito.take-ticket", "DELETE FROM cognito_ticket WHERE ticket_id = ?");
const END_TICKETS = sql(
  "cognito.end-tickets",
  "DELETE FROM cognito_ticket WHERE pool_id = ? AND username_key = ?",
);
const KEYS = sql(
  "cognito.keys",
  "SELECT kid, private_key, created_at FROM cognito_key WHERE pool_id = ? ORDER BY created_at DESC, kid",
);
const INSERT_KEY = sql(
  "cognito.insert-key",
  "INSERT INTO cognito_key (pool_id, kid, private_key, created_at) VALUES (?, ?, ?, ?)",
);
const DELETE_KEYS = sql(
  "cognito.delete-keys",
  "DELETE FROM cognito_key WHERE pool_id = ? AND created_at < ?",
);
const EXPIRED = ["ticket", "session", "message", "code"].map((table) =>
  sql(`cognito.expired-${table}`, `DELETE FROM cognito_${table} WHERE expires_at <= ?`),
);
const OLD_ATTEMPTS = sql("cognito.old-attempts", "DELETE FROM cognito_attempts WHERE last_at <= ?");

export async function insertSession(tx: Transaction, row: SessionRow): Promise<void> {
  await tx.run(
    INSERT,
    row.event_id,
    row.pool_id,
    row.client_id,
    row.username_key,
    row.origin_jti,
    row.auth_time,
    row.scopes,
    row.refresh_hash,
    row.previous_hash,
    row.previous_until,
    row.expires_at,
    row.device_key,
  );
}

export function getSession(reader: Reader, eventId: string): Promise<SessionRow | undefined> {
  return reader.get<SessionRow>(GET, eventId);
}

/** The sign-in that a refresh token stands for, and whether it is the one that has been exchanged since. */
export async function sessionByRefresh(
  reader: Reader,
  hash: string,
): Promise<{ readonly session: SessionRow; readonly isPrevious: boolean } | undefined> {
  const current = await reader.get<SessionRow>(BY_REFRESH, hash);
  if (current) return { session: current, isPrevious: false };
  const previous = await reader.get<SessionRow>(BY_PREVIOUS, hash);
  return previous && { session: previous, isPrevious: true };
}

/** Puts another refresh token in the place of one. */
export async function exchangeRefresh(tx: Transaction, row: SessionRow): Promise<void> {
  const { refresh_hash, previous_hash, previous_until, expires_at, event_id } = row;
  await tx.run(EXCHANGE, refresh_hash, previous_hash, previous_until, expires_at, event_id);
}

export async function endSession(tx: Transaction, eventId: string): Promise<void> {
  await tx.run(END, eventId);
}

/** Signs a user out everywhere: of clients and of pages. */
export async function endSessions(tx: Transaction, poolId: string, key: string): Promise<void> {
  await tx.run(END_ALL, poolId, key);
  await tx.run(END_TICKETS, poolId, key);
}

export async function insertTicket(tx: Transaction, row: TicketRow): Promise<void> {
  const { ticket_id, kind, pool_id, client_id, username_key, state, expires_at } = row;
  await tx.run(INSERT_TICKET, ticket_id, kind, pool_id, client_id, username_key, state, expires_at);
}

export function getTicket(reader: Reader, ticketId: string): Promise<TicketRow | undefined> {
  return reader.get<TicketRow>(GET_TICKET, ticketId);
}

/** Takes a ticket away; false where somebody has before. */
export async function takeTicketRow(tx: Transaction, ticketId: string): Promise<boolean> {
  return (await tx.run(TAKE_TICKET, ticketId)) === 1;
}

/** A pool's keys, the newest first. */
export function listKeys(reader: Reader, poolId: string): Promise<KeyRow[]> {
  return reader.all<KeyRow>(KEYS, poolId);
}

export async function insertKey(tx: Transaction, poolId: string, key: KeyRow): Promise<void> {
  await tx.run(INSERT_KEY, poolId, key.kid, key.private_key, key.created_at);
}

/** Deletes the keys made before a time (epoch ms). */
export async function deleteKeys(tx: Transaction, poolId: string, before: number): Promise<void> {
  await tx.run(DELETE_KEYS, poolId, before);
}

/** Removes what ended at or before `now`, and attempts whose last was at or before `attemptsUntil` (epoch ms). */
export async function deleteExpired(tx: Transaction, now: number, attemptsUntil: number): Promise<void> {
  for (const statement of EXPIRED) await tx.run(statement, now);
  await tx.run(OLD_ATTEMPTS, attemptsUntil);
}
