/** Tickets: what a caller gets to come back with, once, within a time. Only its hash is kept. */
import { createHash, randomBytes } from "node:crypto";
import type { Transaction } from "../../../store/database.ts";
import type { UserPools } from "../deps.ts";
import { getTicket, insertTicket, takeTicketRow } from "../store/sessions.ts";
import type { TicketRow } from "../store/sessions.ts";

const TICKET_BYTES = 96;

/** `joined`: of somebody who gave their password on a page, and has yet to be confirmed. */
export type TicketKind = "challenge" | "code" | "page" | "joined";

export interface Ticket<State> {
  readonly kind: TicketKind;
  readonly poolId: string;
  readonly clientId: string;
  /** The user's key; "" for a user who is not there. */
  readonly key: string;
  readonly state: State;
}

export interface GiveOptions {
  /** The secret of a ticket that was taken, which this one is to have. */
  readonly again?: string | undefined;
  /** What is done in the same transaction. */
  readonly alongside?: (tx: Transaction) => Promise<void>;
}

/** @param lifeMs Milliseconds. */
export async function giveTicket<State>(
  { database, clock }: UserPools,
  { kind, poolId, clientId, key, state }: Ticket<State>,
  lifeMs: number,
  { again, alongside }: GiveOptions = {},
): Promise<string> {
  const secret = again === undefined ? randomBytes(TICKET_BYTES) : Buffer.from(again, "base64url");
  const row: TicketRow = {
    ticket_id: idOf(secret),
    kind,
    pool_id: poolId,
    client_id: clientId,
    username_key: key,
    state: JSON.stringify(state),
    expires_at: clock.now() + lifeMs,
  };
  await database.tx(async (tx) => {
    await alongside?.(tx);
    await insertTicket(tx, row);
  });
  return secret.toString("base64url");
}

/** Looks at a ticket without taking it; undefined for one that is none, or has ended. */
export async function readTicket<State>(
  { database, clock }: UserPools,
  kind: TicketKind,
  secret: string,
): Promise<Ticket<State> | undefined> {
  const row = await getTicket(database, idOf(Buffer.from(secret, "base64url")));
  if (row?.kind !== kind || row.expires_at <= clock.now()) return undefined;
  return ticketOf(row);
}

/** Takes a ticket; undefined for one that is none, has ended, or was taken. */
export async function takeTicket<State>(
  userPools: UserPools,
  kind: TicketKind,
  secret: string,
): Promise<Ticket<State> | undefined> {
  const ticket = await readTicket<State>(userPools, kind, secret);
  const id = idOf(Buffer.from(secret, "base64url"));
  const taken = ticket && (await userPools.database.tx((tx) => takeTicketRow(tx, id)));
  return taken === true ? ticket : undefined;
}

function idOf(secret: Buffer): string {
  return createHash("sha256").update(secret).digest("base64url");
}

function ticketOf<State>({ kind, pool_id, client_id, username_key, state }: TicketRow): Ticket<State> {
  return {
    kind: kind as TicketKind,
    poolId: pool_id,
    clientId: client_id,
    key: username_key,
    state: JSON.parse(state) as State,
  };
}
