/** SQL of topics. */
import { sql } from "../../../store/database.ts";
import type { Reader, Transaction } from "../../../store/database.ts";
import type { TopicId } from "../names.ts";

export interface TopicRow extends TopicId {
  readonly topic_id: number;
  readonly created_at: number;
  /** JSON of those that were set. */
  readonly attributes: string;
  /** JSON: `{ key: value }`. */
  readonly tags: string;
  /** Subscriptions that were ended. */
  readonly subscriptions_deleted: number;
}

const COLUMNS = "topic_id, account, region, name, created_at, attributes, tags";

const GET = sql(
  "sns.topic",
  `SELECT ${COLUMNS}, subscriptions_deleted FROM sns_topic WHERE account = ? AND region = ? AND name = ?`,
);
const LIST = sql(
  "sns.topics",
  "SELECT name FROM sns_topic WHERE account = ? AND region = ? AND name > ? ORDER BY name LIMIT ?",
);
const INSERT = sql(
  "sns.insert-topic",
  `INSERT INTO sns_topic (${COLUMNS}, next_sequence) VALUES (?, ?, ?, ?, ?, ?, ?, 1)`,
);
const SET_ATTRIBUTES = sql(
  "sns.set-topic-attributes",
  "UPDATE sns_topic SET attributes = ? WHERE topic_id = ?",
);
const COUNT_DELETED = sql(
  "sns.count-deleted-subscription",
  "UPDATE sns_topic SET subscriptions_deleted = subscriptions_deleted + 1 WHERE topic_id = ?",
);
const SET_TAGS = sql("sns.set-topic-tags", "UPDATE sns_topic SET tags = ? WHERE topic_id = ?");
const DELETE = sql("sns.delete-topic", "DELETE FROM sns_topic WHERE topic_id = ?");
const DELETE_KNOWN = sql(
  "sns.delete-topic-deduplication",
  "DELETE FROM sns_deduplication WHERE topic_id = ?",
);
const TAKE = sql(
  "sns.take-sequence",
  "UPDATE sns_topic SET next_sequence = next_sequence + ? WHERE topic_id = ? RETURNING next_sequence",
);

export function getTopic(reader: Reader, { account, region, name }: TopicId): Promise<TopicRow | undefined> {
  return reader.get<TopicRow>(GET, account, region, name);
}

/** Names after one, in order. */
export async function listTopicNames(
  reader: Reader,
  { account, region }: Omit<TopicId, "name">,
  after: string,
  count: number,
): Promise<string[]> {
  return (await reader.all<{ name: string }>(LIST, account, region, after, count)).map(({ name }) => name);
}

export async function insertTopic(
  tx: Transaction,
  row: Omit<TopicRow, "subscriptions_deleted">,
): Promise<void> {
  const { topic_id, account, region, name, created_at, attributes, tags } = row;
  await tx.run(INSERT, topic_id, account, region, name, created_at, attributes, tags);
}

export async function setAttributes(tx: Transaction, id: number, attributes: string): Promise<void> {
  await tx.run(SET_ATTRIBUTES, attributes, id);
}

export async function countDeletedSubscription(tx: Transaction, id: number): Promise<void> {
  await tx.run(COUNT_DELETED, id);
}

export async function setTags(tx: Transaction, id: number, tags: string): Promise<void> {
  await tx.run(SET_TAGS, tags, id);
}

export async function deleteTopicRow(tx: Transaction, id: number): Promise<void> {
  await tx.run(DELETE_KNOWN, id);
  await tx.run(DELETE, id);
}

/** The first of so many numbers of a FIFO topic, which no other message has; undefined where the topic is gone. */
export async function takeSequence(tx: Transaction, id: number, count: number): Promise<number | undefined> {
  const row = await tx.get<{ next_sequence: number }>(TAKE, count, id);
  return row && row.next_sequence - count;
}
