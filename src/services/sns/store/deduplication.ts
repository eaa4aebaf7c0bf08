/** SQL of what FIFO topics have delivered lately. */
import { sql } from "../../../store/database.ts";
import type { Transaction } from "../../../store/database.ts";

/** A message as its FIFO topic knows it again. */
export interface Known {
  readonly messageId: string;
  readonly sequence: number;
}

export interface KnownKey {
  readonly topicId: number;
  /** The message's group, where only those of the same group are compared; else "". */
  readonly scope: string;
  readonly id: string;
}

const FIND = sql(
  "sns.find-duplicate",
  "SELECT message_id, sequence FROM sns_deduplication WHERE topic_id = ? AND scope = ? AND deduplication_id = ? AND until > ?",
);
const PUT = sql(
  "sns.put-deduplication",
  `INSERT INTO sns_deduplication (topic_id, scope, deduplication_id, until, message_id, sequence) VALUES (?, ?, ?, ?, ?, ?)
   ON CONFLICT (topic_id, scope, deduplication_id) DO UPDATE
   SET until = excluded.until, message_id = excluded.message_id, sequence = excluded.sequence`,
);
const DROP = sql("sns.drop-deduplication", "DELETE FROM sns_deduplication WHERE until <= ?");

export async function findKnown(
  tx: Transaction,
  { topicId, scope, id }: KnownKey,
  now: number,
): Promise<Known | undefined> {
  const row = await tx.get<{ message_id: string; sequence: number }>(FIND, topicId, scope, id, now);
  return row && { messageId: row.message_id, sequence: row.sequence };
}

export async function putKnown(
  tx: Transaction,
  { topicId, scope, id }: KnownKey,
  { messageId, sequence }: Known,
  until: number,
): Promise<void> {
  await tx.run(PUT, topicId, scope, id, until, messageId, sequence);
}

export async function dropKnown(tx: Transaction, now: number): Promise<void> {
  await tx.run(DROP, now);
}
