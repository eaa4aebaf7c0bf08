/** SQL of message groups, deduplication and attempts to receive: what only FIFO queues have. */
import { sql } from "../../../store/database.ts";
import type { Database, Reader, Transaction } from "../../../store/database.ts";

const ADD_FIFO = sql("sqs.add-fifo", "INSERT INTO sqs_fifo (queue_id, next_seq) VALUES (?, 1)");
const DROP_FIFO = sql("sqs.drop-fifo", "DELETE FROM sqs_fifo WHERE queue_id = ?");
const TAKE = sql(
  "sqs.take-sequence",
  "UPDATE sqs_fifo SET next_seq = next_seq + ? WHERE queue_id = ? RETURNING next_seq",
);
/** Also holds the row, so that a group is not taken away while a message is added to it. */
const ADD_GROUP = sql(
  "sqs.add-group",
  `INSERT INTO sqs_group (queue_id, group_id, ready_at, head_seq) VALUES (?, ?, ?, ?)
   ON CONFLICT (queue_id, group_id) DO UPDATE SET ready_at = sqs_group.ready_at`,
);
const readyText = (locking: string) =>
  `SELECT group_id FROM sqs_group WHERE queue_id = ? AND ready_at <= ? ORDER BY ready_at, head_seq LIMIT ? ${locking}`;
const READY = {
  sqlite: sql("sqs.ready-groups-sqlite", readyText("")),
  postgres: sql("sqs.ready-groups-postgres", readyText("FOR UPDATE SKIP LOCKED")),
} as const;
const HOLD = sql(
  "sqs.hold-group",
  "UPDATE sqs_group SET ready_at = ready_at WHERE queue_id = ? AND group_id = ?",
);
const SET_READY = sql(
  "sqs.set-group-ready",
  "UPDATE sqs_group SET ready_at = ?, head_seq = ? WHERE queue_id = ? AND group_id = ?",
);
const DROP_GROUP = sql("sqs.drop-group", "DELETE FROM sqs_group WHERE queue_id = ? AND group_id = ?");
const DROP_GROUPS = sql("sqs.drop-groups", "DELETE FROM sqs_group WHERE queue_id = ?");
const NEXT_READY = sql(
  "sqs.next-ready",
  "SELECT ready_at AS at FROM sqs_group WHERE queue_id = ? ORDER BY ready_at, head_seq LIMIT 1",
);
const GROUPS = sql(
  "sqs.groups",
  "SELECT group_id FROM sqs_group WHERE queue_id = ? AND group_id > ? ORDER BY group_id LIMIT ?",
);
const DEDUPLICATE = sql(
  "sqs.deduplicate",
  `INSERT INTO sqs_deduplication (queue_id, scope, deduplication_id, until, message_id, seq) VALUES (?, ?, ?, ?, ?, ?)
   ON CONFLICT (queue_id, scope, deduplication_id)
   DO UPDATE SET until = excluded.until, message_id = excluded.message_id, seq = excluded.seq
   WHERE sqs_deduplication.until <= ?`,
);
const DUPLICATE = sql(
  "sqs.duplicate",
  "SELECT message_id, seq FROM sqs_deduplication WHERE queue_id = ? AND scope = ? AND deduplication_id = ?",
);
const DROP_DUPLICATES = sql("sqs.drop-deduplication", "DELETE FROM sqs_deduplication WHERE queue_id = ?");
const OLD_DUPLICATES = sql("sqs.old-deduplication", "DELETE FROM sqs_deduplication WHERE until <= ?");
const PUT_ATTEMPT = sql(
  "sqs.put-attempt",
  `INSERT INTO sqs_attempt (queue_id, attempt_id, until, received) VALUES (?, ?, ?, ?)
   ON CONFLICT (queue_id, attempt_id) DO UPDATE SET until = excluded.until, received = excluded.received`,
);
const ATTEMPT = sql(
  "sqs.attempt",
  "SELECT received FROM sqs_attempt WHERE queue_id = ? AND attempt_id = ? AND until > ?",
);
const DROP_ATTEMPTS = sql("sqs.drop-attempts", "DELETE FROM sqs_attempt WHERE queue_id = ?");
const OLD_ATTEMPTS = sql("sqs.old-attempts", "DELETE FROM sqs_attempt WHERE until <= ?");

export async function addFifo(tx: Transaction, queueId: number): Promise<void> {
  await tx.run(ADD_FIFO, queueId);
}

/** @returns the first of so many numbers, in the order in which transactions commit; undefined where the queue is gone */
export async function takeNumbers(
  tx: Transaction,
  queueId: number,
  count: number,
): Promise<number | undefined> {
  const row = await tx.get<{ next_seq: number }>(TAKE, count, queueId);
  return row && row.next_seq - count;
}

/** Says that a group has a message. @param readyAt When it can be received, where it is the group's first. */
export async function addToGroup(
  tx: Transaction,
  queueId: number,
  groupId: string,
  seq: number,
  readyAt: number,
): Promise<void> {
  await tx.run(ADD_GROUP, queueId, groupId, readyAt, seq);
}

/** Groups of which something can be received, those that have waited longest first; no other server receives of them meanwhile. */
export async function readyGroups(
  tx: Transaction,
  engine: Database["engine"],
  queueId: number,
  now: number,
  count: number,
): Promise<string[]> {
  const rows = await tx.all<{ group_id: string }>(READY[engine], queueId, now, count);
  return rows.map(({ group_id }) => group_id);
}

/** Keeps other servers from receiving of a group until the transaction ends. */
export async function holdGroup(tx: Transaction, queueId: number, groupId: string): Promise<void> {
  await tx.run(HOLD, queueId, groupId);
}

/** @param head Its first message, and when it is ready; undefined for a group that has no message any more. */
export async function setGroupReady(
  tx: Transaction,
  queueId: number,
  groupId: string,
  head: { readonly seq: number; readonly readyAt: number } | undefined,
): Promise<void> {
  if (head === undefined) await tx.run(DROP_GROUP, queueId, groupId);
  else await tx.run(SET_READY, head.readyAt, head.seq, queueId, groupId);
}

/** When something of the next group can be received; undefined where there is none. */
export async function nextReady(reader: Reader, queueId: number): Promise<number | undefined> {
  return (await reader.get<{ at: number }>(NEXT_READY, queueId))?.at;
}

export async function groupsAfter(
  reader: Reader,
  queueId: number,
  after: string,
  count: number,
): Promise<string[]> {
  const rows = await reader.all<{ group_id: string }>(GROUPS, queueId, after, count);
  return rows.map(({ group_id }) => group_id);
}

export interface Deduplication {
  readonly queueId: number;
  /** The group, where only its messages are looked at; "" else. */
  readonly scope: string;
  readonly id: string;
}

/** Remembers a message. @returns the earlier one of which it is a duplicate */
export async function deduplicate(
  tx: Transaction,
  { queueId, scope, id }: Deduplication,
  message: { readonly messageId: string; readonly seq: number },
  now: number,
  until: number,
): Promise<{ messageId: string; seq: number } | undefined> {
  if ((await tx.run(DEDUPLICATE, queueId, scope, id, until, message.messageId, message.seq, now)) > 0)
    return undefined;
  const row = await tx.get<{ message_id: string; seq: number }>(DUPLICATE, queueId, scope, id);
  return row && { messageId: row.message_id, seq: row.seq };
}

/** @param received JSON of the receipts. */
export async function putAttempt(
  tx: Transaction,
  queueId: number,
  attemptId: string,
  until: number,
  received: string,
): Promise<void> {
  await tx.run(PUT_ATTEMPT, queueId, attemptId, until, received);
}

export async function getAttempt(
  reader: Reader,
  queueId: number,
  attemptId: string,
  now: number,
): Promise<string | undefined> {
  return (await reader.get<{ received: string }>(ATTEMPT, queueId, attemptId, now))?.received;
}

/** All of a queue that is gone. */
export async function dropFifo(tx: Transaction, queueId: number): Promise<void> {
  for (const statement of [DROP_FIFO, DROP_GROUPS, DROP_DUPLICATES, DROP_ATTEMPTS])
    await tx.run(statement, queueId);
}

export async function dropOld(tx: Transaction, now: number): Promise<void> {
  await tx.run(OLD_DUPLICATES, now);
  await tx.run(OLD_ATTEMPTS, now);
}
