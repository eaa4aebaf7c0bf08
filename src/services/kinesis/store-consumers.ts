/** SQL of the registered consumers of streams. */
import { sql } from "../../store/database.ts";
import type { Reader, Transaction } from "../../store/database.ts";

export interface ConsumerRow {
  readonly stream_id: number;
  readonly name: string;
  /** Epoch milliseconds; its seconds are part of the ARN. */
  readonly created_at: number;
  readonly policy: string | null;
  /** JSON. */
  readonly tags: string;
}

const CONSUMER = `stream_id, name, created_at, policy, tags`;
const FIND = sql(
  "kinesis.findConsumer",
  `SELECT ${CONSUMER} FROM kinesis_consumer WHERE stream_id = ? AND name = ?`,
);
const LIST = sql(
  "kinesis.listConsumers",
  `SELECT ${CONSUMER} FROM kinesis_consumer WHERE stream_id = ? AND name > ? ORDER BY name LIMIT ?`,
);
const COUNT = sql(
  "kinesis.countConsumers",
  `SELECT COUNT(*) AS consumers FROM kinesis_consumer WHERE stream_id = ?`,
);
const INSERT = sql(
  "kinesis.insertConsumer",
  `INSERT INTO kinesis_consumer (${CONSUMER}) VALUES (?, ?, ?, ?, ?)`,
);
const UPDATE = sql(
  "kinesis.updateConsumer",
  `UPDATE kinesis_consumer SET policy = ?, tags = ? WHERE stream_id = ? AND name = ?`,
);
const DELETE = sql("kinesis.deleteConsumer", `DELETE FROM kinesis_consumer WHERE stream_id = ? AND name = ?`);
const DELETE_ALL = sql("kinesis.deleteConsumers", `DELETE FROM kinesis_consumer WHERE stream_id = ?`);

export function findConsumer(
  reader: Reader,
  streamId: number,
  name: string,
): Promise<ConsumerRow | undefined> {
  return reader.get<ConsumerRow>(FIND, streamId, name);
}

/** Consumers after a name, in order. */
export function listConsumers(
  reader: Reader,
  streamId: number,
  after: string,
  count: number,
): Promise<ConsumerRow[]> {
  return reader.all<ConsumerRow>(LIST, streamId, after, count);
}

export async function countConsumers(reader: Reader, streamId: number): Promise<number> {
  return (await reader.get<{ consumers: number }>(COUNT, streamId))?.consumers ?? 0;
}

export async function insertConsumer(tx: Transaction, row: ConsumerRow): Promise<void> {
  await tx.run(INSERT, row.stream_id, row.name, row.created_at, row.policy, row.tags);
}

export async function updateConsumer(tx: Transaction, row: ConsumerRow): Promise<void> {
  await tx.run(UPDATE, row.policy, row.tags, row.stream_id, row.name);
}

export async function deleteConsumer(tx: Transaction, streamId: number, name: string): Promise<void> {
  await tx.run(DELETE, streamId, name);
}

export async function deleteConsumers(tx: Transaction, streamId: number): Promise<void> {
  await tx.run(DELETE_ALL, streamId);
}
