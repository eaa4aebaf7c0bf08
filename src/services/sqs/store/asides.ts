/**
 * SQL of what is set aside of noisy groups: their visible messages are kept under a number of their own instead of their queue's, one for
 * each group, and get their queue's again when they are received.
 */
import { sql } from "../../../store/database.ts";
import type { Database, Reader, Transaction } from "../../../store/database.ts";
import { nextNumber } from "./queues.ts";

const OF_QUEUE = sql("sqs.asides", "SELECT group_id, aside_id FROM sqs_aside WHERE queue_id = ?");
/** Where the queue still is. */
const ADD = sql(
  "sqs.add-aside",
  `INSERT INTO sqs_aside (queue_id, group_id, aside_id)
   SELECT queue_id, ?, ? FROM sqs_queue WHERE queue_id = ?
   ON CONFLICT (queue_id, group_id) DO NOTHING`,
);
const GET = sql("sqs.aside", "SELECT aside_id FROM sqs_aside WHERE queue_id = ? AND group_id = ?");
/** Keeps it from being taken away until the transaction ends. */
const HOLD = sql("sqs.hold-aside", "UPDATE sqs_aside SET queue_id = queue_id WHERE aside_id = ?");
const DROP = sql("sqs.drop-aside", "DELETE FROM sqs_aside WHERE aside_id = ?");
const ANY_MESSAGE = sql("sqs.any-message", "SELECT seq FROM sqs_message WHERE queue_id = ? LIMIT 1");
const ANY = sql(
  "sqs.any-aside",
  `SELECT m.seq FROM sqs_aside a JOIN sqs_message m ON m.queue_id = a.aside_id WHERE a.queue_id = ? LIMIT 1`,
);
const COUNT = sql(
  "sqs.count-aside",
  `SELECT count(*) AS count FROM sqs_aside a JOIN sqs_message m ON m.queue_id = a.aside_id
   WHERE a.queue_id = ? AND m.sent_at > ?`,
);
const GROUPED = sql(
  "sqs.is-grouped",
  "SELECT seq FROM sqs_message WHERE queue_id = ? AND group_id IS NOT NULL LIMIT 1",
);
const IN_FLIGHT = sql(
  "sqs.in-flight-by-group",
  `SELECT group_id, count(*) AS count FROM sqs_message WHERE queue_id = ? AND visible_at > ? AND claims > 0
   GROUP BY group_id`,
);
const LAST_SENT = sql(
  "sqs.last-sent-of-group",
  `SELECT sent_at FROM sqs_message WHERE queue_id = ? AND group_id = ? ORDER BY seq DESC LIMIT 1`,
);
const moveOf = (rows: number) =>
  sql(
    `sqs.set-aside-${rows}`,
    `UPDATE sqs_message SET queue_id = ? WHERE queue_id = ? AND seq IN (${Array.from({ length: rows }, () => "?").join(", ")})`,
  );
const MOVES = [50, 10, 5, 1].map((rows) => ({ rows, statement: moveOf(rows) }));

/** By group. */
export async function asidesOf(reader: Reader, queueId: number): Promise<Map<string, number>> {
  const rows = await reader.all<{ group_id: string; aside_id: number }>(OF_QUEUE, queueId);
  return new Map(rows.map(({ group_id, aside_id }) => [group_id, aside_id]));
}

/** @returns undefined where the queue is gone */
export function addAside(database: Database, queueId: number, group: string): Promise<number | undefined> {
  return database.tx(
    async (tx) => {
      await tx.run(ADD, group, await nextNumber(tx, "queue"), queueId);
      return (await tx.get<{ aside_id: number }>(GET, queueId, group))?.aside_id;
    },
    { isolation: "read committed" },
  );
}

/** @returns whether it is still there, and stays until the transaction ends */
export async function holdAside(tx: Transaction, asideId: number): Promise<boolean> {
  return (await tx.run(HOLD, asideId)) > 0;
}

/** @returns whether it is gone */
export function dropAsideIfEmpty(database: Database, asideId: number): Promise<boolean> {
  return database.tx(
    async (tx) => {
      // Held first: what another server was just setting aside is then seen.
      if (!(await holdAside(tx, asideId))) return true;
      if (await tx.get(ANY_MESSAGE, asideId)) return false;
      await tx.run(DROP, asideId);
      return true;
    },
    { isolation: "read committed" },
  );
}

/** Whether anything of a queue is set aside. */
export async function isAnyAside(reader: Reader, queueId: number): Promise<boolean> {
  return (await reader.get(ANY, queueId)) !== undefined;
}

/** Messages of a queue that are set aside. @param sentAfter Older ones have expired, and do not count. */
export async function countAside(reader: Reader, queueId: number, sentAfter: number): Promise<number> {
  return (await reader.get<{ count: number }>(COUNT, queueId, sentAfter))?.count ?? 0;
}

/** Whether a queue has messages with groups. */
export async function isGrouped(reader: Reader, queueId: number): Promise<boolean> {
  return (await reader.get(GROUPED, queueId)) !== undefined;
}

/** Messages with rows of their own that are in flight: all of them, and those of each group. */
export async function inFlightByGroup(
  reader: Reader,
  queueId: number,
  now: number,
): Promise<{ readonly all: number; readonly byGroup: ReadonlyMap<string, number> }> {
  const rows = await reader.all<{ group_id: string | null; count: number }>(IN_FLIGHT, queueId, now);
  const byGroup = new Map<string, number>();
  let all = 0;
  for (const { group_id, count } of rows) {
    all += count;
    if (group_id !== null) byGroup.set(group_id, count);
  }
  return { all, byGroup };
}

/** When the newest message of a group that is still there was sent; 0 where there is none. */
export async function lastSentAt(
  reader: Reader,
  queueId: number,
  asideId: number | undefined,
  group: string,
): Promise<number> {
  const of = async (id: number) =>
    (await reader.get<{ sent_at: number }>(LAST_SENT, id, group))?.sent_at ?? 0;
  return Math.max(await of(queueId), asideId === undefined ? 0 : await of(asideId));
}

/** Sets messages aside, or takes them back. */
export async function moveMessages(
  tx: Transaction,
  from: number,
  to: number,
  seqs: readonly number[],
): Promise<void> {
  let at = 0;
  for (const { rows, statement } of MOVES)
    for (; seqs.length - at >= rows; at += rows)
      await tx.run(statement, to, from, ...seqs.slice(at, at + rows));
}
