/** SQL of messages, of standard and FIFO queues alike. */
import { sql } from "../../../store/database.ts";
import type { Database, Reader, SqlValue, Statement, Transaction } from "../../../store/database.ts";
import type { MessageRow, NewMessage } from "../messages/message.ts";
import { countInChunks } from "./chunks.ts";

const COLUMNS =
  "seq, visible_at, sent_at, receives, claims, first_at, claimed_at, message_id, sender, md5, group_id, extra, body";

type Engine = Database["engine"];
type ByEngine = Readonly<Record<Engine, Statement>>;

const forEach = (name: string, text: (locking: string) => string): ByEngine => ({
  sqlite: sql(`${name}-sqlite`, text("")),
  postgres: sql(`${name}-postgres`, text("FOR UPDATE SKIP LOCKED")),
});

const insertOf = (rows: number) =>
  sql(
    `sqs.insert-${rows}`,
    `INSERT INTO sqs_message (queue_id, ${COLUMNS})
     VALUES ${Array.from({ length: rows }, () => "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)").join(", ")}`,
  );

/** So many in one statement, the largest first. */
const INSERTS = [50, 10, 4, 1].map((rows) => ({ rows, statement: insertOf(rows) }));

/** Consumers on other servers pass over what one of them is just receiving. */
const VISIBLE = forEach(
  "sqs.visible",
  (locking) =>
    `SELECT ${COLUMNS} FROM sqs_message WHERE queue_id = ? AND visible_at <= ? ORDER BY visible_at, seq LIMIT ? ${locking}`,
);
const NEXT_VISIBLE = sql(
  "sqs.next-visible",
  "SELECT visible_at AS at FROM sqs_message WHERE queue_id = ? ORDER BY visible_at, seq LIMIT 1",
);
const OF_GROUP = sql(
  "sqs.of-group",
  `SELECT ${COLUMNS} FROM sqs_message WHERE queue_id = ? AND group_id = ? AND seq > ? ORDER BY seq LIMIT ?`,
);
const GROUP_STATE = sql(
  "sqs.group-state",
  "SELECT seq, visible_at, claims FROM sqs_message WHERE queue_id = ? AND group_id = ? AND seq > ? ORDER BY seq LIMIT ?",
);
const GET = sql("sqs.message", `SELECT ${COLUMNS} FROM sqs_message WHERE queue_id = ? AND seq = ?`);
const DELETE = sql("sqs.delete", "DELETE FROM sqs_message WHERE queue_id = ? AND seq = ?");
const DELETE_CLAIMED = sql(
  "sqs.delete-claimed",
  "DELETE FROM sqs_message WHERE queue_id = ? AND seq = ? AND claims = ?",
);
const deleteOf = (rows: number) =>
  sql(
    `sqs.delete-claimed-${rows}`,
    `DELETE FROM sqs_message WHERE queue_id = ? AND claims = ? AND seq IN (${Array.from({ length: rows }, () => "?").join(", ")})`,
  );
const DELETES = [50, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1].map((rows) => ({ rows, statement: deleteOf(rows) }));
const SET_VISIBLE = sql(
  "sqs.set-visible",
  "UPDATE sqs_message SET visible_at = ?, receives = receives - ? WHERE queue_id = ? AND seq = ? AND claims = ?",
);
const MOVE = sql(
  "sqs.move",
  `UPDATE sqs_message SET queue_id = ?, seq = ?, visible_at = ?, sent_at = ?, receives = ?, claims = 0, first_at = ?,
     message_id = ?, extra = ?
   WHERE queue_id = ? AND seq = ?`,
);
const DELAY_AGAIN = sql(
  "sqs.delay-again",
  "UPDATE sqs_message SET visible_at = sent_at + ? WHERE queue_id = ? AND claims = 0",
);
const FIRST_SEQS = sql(
  "sqs.first-seqs",
  "SELECT seq, sent_at FROM sqs_message WHERE queue_id = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
);
const LAST_SEQ = sql("sqs.last-seq", "SELECT max(seq) AS seq FROM sqs_message WHERE queue_id = ?");
const DELETE_RANGE = sql(
  "sqs.delete-range",
  "DELETE FROM sqs_message WHERE queue_id = ? AND seq > ? AND seq <= ? AND sent_at <= ?",
);
const VISIBLE_COUNT = sql(
  "sqs.visible-count",
  "SELECT count(*) AS count FROM sqs_message WHERE queue_id = ? AND visible_at <= ? AND sent_at > ?",
);
const HIDDEN_COUNT = sql(
  "sqs.hidden-count",
  `SELECT count(*) AS hidden, COALESCE(sum(CASE WHEN claims = 0 THEN 1 ELSE 0 END), 0) AS delayed
   FROM sqs_message WHERE queue_id = ? AND visible_at > ? AND sent_at > ?`,
);

const HIDDEN = sql(
  "sqs.hidden",
  "SELECT count(*) AS count FROM sqs_message WHERE queue_id = ? AND visible_at > ?",
);

const claimOf = (rows: number) =>
  sql(
    `sqs.claim-${rows}`,
    `UPDATE sqs_message SET visible_at = ?, receives = receives + 1, claims = claims + 1,
       first_at = CASE WHEN first_at = 0 THEN ? ELSE first_at END, claimed_at = ?
     WHERE queue_id = ? AND seq IN (${Array.from({ length: rows }, () => "?").join(", ")})`,
  );
const CLAIMS = [50, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1].map((rows) => ({ rows, statement: claimOf(rows) }));

export interface Numbered {
  readonly queueId: number;
  readonly seq: number;
  readonly message: NewMessage;
}

/** Messages that were never received. */
export function insertMessages(tx: Transaction, messages: readonly Numbered[]): Promise<void> {
  return insertRows(
    tx,
    messages.map(({ queueId, seq, message }): SqlValue[] => [
      queueId,
      seq,
      message.visibleAt,
      message.sentAt,
      0,
      0,
      0,
      0,
      message.messageId,
      message.sender,
      message.md5,
      message.groupId ?? null,
      message.extra,
      message.body,
    ]),
  );
}

/** Messages of a chunk that was opened, received or not. */
export function insertOpened(tx: Transaction, queueId: number, rows: readonly MessageRow[]): Promise<void> {
  return insertRows(
    tx,
    rows.map((row): SqlValue[] => [
      queueId,
      row.seq,
      row.visible_at,
      row.sent_at,
      row.receives,
      row.claims,
      row.first_at,
      row.claimed_at,
      row.message_id,
      row.sender,
      row.md5,
      row.group_id,
      row.extra,
      row.body,
    ]),
  );
}

async function insertRows(tx: Transaction, values: readonly SqlValue[][]): Promise<void> {
  let at = 0;
  for (const { rows, statement } of INSERTS)
    for (; values.length - at >= rows; at += rows)
      await tx.run(statement, ...values.slice(at, at + rows).flat());
}

/** Messages that can be received, those that have been visible longest first; no other server receives them meanwhile. */
export function visibleMessages(
  tx: Transaction,
  engine: Engine,
  queueId: number,
  now: number,
  count: number,
): Promise<MessageRow[]> {
  return tx.all<MessageRow>(VISIBLE[engine], queueId, now, count);
}

/** When the next message becomes, or became, visible; undefined where there is none. */
export async function nextVisible(reader: Reader, queueId: number): Promise<number | undefined> {
  return (await reader.get<{ at: number }>(NEXT_VISIBLE, queueId))?.at;
}

/** Of a message group, in order, after a number. */
export function messagesOfGroup(
  reader: Reader,
  queueId: number,
  groupId: string,
  after: number,
  count: number,
): Promise<MessageRow[]> {
  return reader.all<MessageRow>(OF_GROUP, queueId, groupId, after, count);
}

/** The same without what they say. */
export function groupState(
  reader: Reader,
  queueId: number,
  groupId: string,
  after: number,
  count: number,
): Promise<Pick<MessageRow, "seq" | "visible_at" | "claims">[]> {
  return reader.all(GROUP_STATE, queueId, groupId, after, count);
}

export function getMessage(reader: Reader, queueId: number, seq: number): Promise<MessageRow | undefined> {
  return reader.get<MessageRow>(GET, queueId, seq);
}

/** Receives messages: hides them until `until`, and counts. @param now When those that were never received have been, for the first time. */
export async function claimMessages(
  tx: Transaction,
  queueId: number,
  seqs: readonly number[],
  until: number,
  now: number,
): Promise<void> {
  let at = 0;
  for (const { rows, statement } of CLAIMS)
    for (; seqs.length - at >= rows; at += rows)
      await tx.run(statement, until, now, now, queueId, ...seqs.slice(at, at + rows));
}

export async function deleteMessage(tx: Transaction, queueId: number, seq: number): Promise<void> {
  await tx.run(DELETE, queueId, seq);
}

/** @returns whether the claim was the message's last */
export async function deleteClaimed(
  tx: Transaction,
  queueId: number,
  seq: number,
  claims: number,
): Promise<boolean> {
  return (await tx.run(DELETE_CLAIMED, queueId, seq, claims)) > 0;
}

/** Deletes those whose last claim is the one of so many. */
export async function deleteAllClaimed(
  tx: Transaction,
  queueId: number,
  claims: number,
  seqs: readonly number[],
): Promise<void> {
  let at = 0;
  for (const { rows, statement } of DELETES)
    for (; seqs.length - at >= rows; at += rows)
      await tx.run(statement, queueId, claims, ...seqs.slice(at, at + rows));
}

/** @param uncounted Receives that did not count after all. @returns whether the claim was the message's last */
export async function setVisible(
  tx: Transaction,
  { queueId, seq, claims }: { readonly queueId: number; readonly seq: number; readonly claims: number },
  visibleAt: number,
  uncounted = 0,
): Promise<boolean> {
  return (await tx.run(SET_VISIBLE, visibleAt, uncounted, queueId, seq, claims)) > 0;
}

export interface Place {
  readonly queueId: number;
  readonly seq: number;
}

/** A message's new place, and what changes on the way there. */
export interface Moved extends Place {
  readonly visibleAt: number;
  readonly sentAt: number;
  readonly receives: number;
  readonly firstAt: number;
  readonly messageId: string;
  readonly extra: string | null;
}

export async function moveMessage(tx: Transaction, from: Place, to: Moved): Promise<void> {
  await tx.run(
    MOVE,
    to.queueId,
    to.seq,
    to.visibleAt,
    to.sentAt,
    to.receives,
    to.firstAt,
    to.messageId,
    to.extra,
    from.queueId,
    from.seq,
  );
}

/** Gives messages that were never received another delay. */
export async function delayAgain(tx: Transaction, queueId: number, delayMs: number): Promise<void> {
  await tx.run(DELAY_AGAIN, delayMs, queueId);
}

/** The number of the last message now there; 0 for none. */
export async function lastSeq(reader: Reader, queueId: number): Promise<number> {
  return (await reader.get<{ seq: number | null }>(LAST_SEQ, queueId))?.seq ?? 0;
}

/**
 * Removes the messages sent no later than `sentBefore` among the next `count` after a number.
 * @returns the number of the last that was looked at; undefined when there are no more up to `last`
 */
export async function deleteSentBefore(
  tx: Transaction,
  queueId: number,
  after: number,
  last: number,
  sentBefore: number,
  count: number,
): Promise<number | undefined> {
  const rows = await tx.all<{ seq: number; sent_at: number }>(FIRST_SEQS, queueId, after, last, count);
  const end = rows.at(-1)?.seq;
  if (end === undefined) return undefined;
  if (rows.some((row) => row.sent_at <= sentBefore))
    await tx.run(DELETE_RANGE, queueId, after, end, sentBefore);
  return end;
}

/** Messages with rows in flight, delayed, or expired while they were: counted by the index alone. */
export async function countHidden(reader: Reader, queueId: number, now: number): Promise<number> {
  return (await reader.get<{ count: number }>(HIDDEN, queueId, now))?.count ?? 0;
}

export interface Counts {
  readonly visible: number;
  /** Received, and neither deleted nor visible again. */
  readonly inFlight: number;
  readonly delayed: number;
}

/** @param sentAfter Older ones have expired, and do not count. */
export async function countMessages(
  reader: Reader,
  queueId: number,
  now: number,
  sentAfter: number,
): Promise<Counts> {
  const [visible, inChunks, hidden] = await Promise.all([
    reader.get<{ count: number }>(VISIBLE_COUNT, queueId, now, sentAfter),
    countInChunks(reader, queueId, now, sentAfter),
    reader.get<{ hidden: number; delayed: number }>(HIDDEN_COUNT, queueId, now, sentAfter),
  ]);
  const { hidden: all = 0, delayed = 0 } = hidden ?? {};
  return {
    visible: (visible?.count ?? 0) + inChunks.visible,
    inFlight: all - delayed + inChunks.hidden,
    delayed,
  };
}
