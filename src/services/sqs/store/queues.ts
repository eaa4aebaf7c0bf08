/** SQL of queues. */
import { sql } from "../../../store/database.ts";
import type { Reader, Transaction } from "../../../store/database.ts";
import type { QueueId } from "../names.ts";

export interface QueueRow extends QueueId {
  readonly queue_id: number;
  readonly created_at: number;
  readonly modified_at: number;
  /** When the last purge began; 0 where there was none. */
  readonly purged_at: number;
  /** JSON of those that were set: `{ VisibilityTimeout: "30" }`. */
  readonly attributes: string;
  /** JSON: `{ key: value }`. */
  readonly tags: string;
  /** Where its redrive policy sends to; "" for nowhere. */
  readonly dead_letter_arn: string;
}

const COLUMNS =
  "queue_id, account, region, name, created_at, modified_at, purged_at, attributes, tags, dead_letter_arn";

const NEXT = sql(
  "sqs.counter-next",
  `INSERT INTO sqs_counter (name, value) VALUES (?, 1)
   ON CONFLICT (name) DO UPDATE SET value = sqs_counter.value + 1 RETURNING value`,
);
const GET = sql(
  "sqs.queue",
  `SELECT ${COLUMNS} FROM sqs_queue WHERE account = ? AND region = ? AND name = ?`,
);
const LIST = sql(
  "sqs.queues",
  `SELECT name FROM sqs_queue WHERE account = ? AND region = ? AND name >= ? AND name > ? ORDER BY name LIMIT ?`,
);
const ALL = sql("sqs.all-queues", `SELECT ${COLUMNS} FROM sqs_queue`);
const SOURCES = sql(
  "sqs.dead-letter-sources",
  "SELECT account, name FROM sqs_queue WHERE dead_letter_arn = ? AND name > ? ORDER BY name, account LIMIT ?",
);
const INSERT = sql(
  "sqs.insert-queue",
  `INSERT INTO sqs_queue (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
);
const UPDATE = sql(
  "sqs.update-queue",
  "UPDATE sqs_queue SET attributes = ?, dead_letter_arn = ?, modified_at = ? WHERE queue_id = ?",
);
const SET_TAGS = sql("sqs.set-tags", "UPDATE sqs_queue SET tags = ? WHERE queue_id = ?");
const SET_PURGED = sql(
  "sqs.set-purged",
  "UPDATE sqs_queue SET purged_at = ? WHERE queue_id = ? AND purged_at <= ?",
);
const DELETE = sql("sqs.delete-queue", "DELETE FROM sqs_queue WHERE queue_id = ?");
const ADD_GARBAGE = sql("sqs.add-garbage", "INSERT INTO sqs_garbage (queue_id) VALUES (?)");
/** What is set aside of its noisy groups. */
const ASIDES_TO_GARBAGE = sql(
  "sqs.asides-to-garbage",
  "INSERT INTO sqs_garbage (queue_id) SELECT aside_id FROM sqs_aside WHERE queue_id = ?",
);
const DROP_ASIDES = sql("sqs.drop-asides", "DELETE FROM sqs_aside WHERE queue_id = ?");
const GARBAGE = sql("sqs.garbage", "SELECT queue_id FROM sqs_garbage");
const DROP_GARBAGE = sql("sqs.drop-garbage", "DELETE FROM sqs_garbage WHERE queue_id = ?");

/** A number that was never given under the name before. */
export async function nextNumber(tx: Transaction, name: "queue" | "sequence"): Promise<number> {
  const row = await tx.get<{ value: number }>(NEXT, name);
  if (!row) throw new Error(`The counter ${name} gave no number`);
  return row.value;
}

export function getQueue(reader: Reader, { account, region, name }: QueueId): Promise<QueueRow | undefined> {
  return reader.get<QueueRow>(GET, account, region, name);
}

/** Names after `after` that begin with the prefix, in order; may go on with some that do not. */
export async function listQueueNames(
  reader: Reader,
  { account, region }: Omit<QueueId, "name">,
  prefix: string,
  after: string,
  count: number,
): Promise<string[]> {
  const rows = await reader.all<{ name: string }>(LIST, account, region, prefix, after, count);
  return rows.map(({ name }) => name).filter((name) => name.startsWith(prefix));
}

export function allQueues(reader: Reader): Promise<QueueRow[]> {
  return reader.all<QueueRow>(ALL);
}

/** The queues whose redrive policy sends to a queue. */
export function deadLetterSources(
  reader: Reader,
  arn: string,
  after: string,
  count: number,
): Promise<{ account: string; name: string }[]> {
  return reader.all(SOURCES, arn, after, count);
}

export async function insertQueue(tx: Transaction, row: QueueRow): Promise<void> {
  const { queue_id, account, region, name, created_at, modified_at, purged_at } = row;
  await tx.run(
    INSERT,
    queue_id,
    account,
    region,
    name,
    created_at,
    modified_at,
    purged_at,
    row.attributes,
    row.tags,
    row.dead_letter_arn,
  );
}

export async function updateQueue(
  tx: Transaction,
  row: Pick<QueueRow, "queue_id" | "attributes" | "dead_letter_arn" | "modified_at">,
): Promise<void> {
  await tx.run(UPDATE, row.attributes, row.dead_letter_arn, row.modified_at, row.queue_id);
}

export async function setTags(tx: Transaction, id: number, tags: string): Promise<void> {
  await tx.run(SET_TAGS, tags, id);
}

/** @returns whether the last purge began no later than `before` */
export async function setPurged(tx: Transaction, id: number, now: number, before: number): Promise<boolean> {
  return (await tx.run(SET_PURGED, now, id, before)) > 0;
}

/** The queue alone; what it holds is garbage from then on. @returns whether there was one */
export async function deleteQueueRow(tx: Transaction, id: number): Promise<boolean> {
  if ((await tx.run(DELETE, id)) === 0) return false;
  await tx.run(ADD_GARBAGE, id);
  await tx.run(ASIDES_TO_GARBAGE, id);
  await tx.run(DROP_ASIDES, id);
  return true;
}

export async function garbageQueues(reader: Reader): Promise<number[]> {
  return (await reader.all<{ queue_id: number }>(GARBAGE)).map(({ queue_id }) => queue_id);
}

export async function dropGarbage(tx: Transaction, id: number): Promise<void> {
  await tx.run(DROP_GARBAGE, id);
}
