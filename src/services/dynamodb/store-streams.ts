/** All SQL of streams, their shards and records. */
import { sql } from "../../store/database.ts";
import type { Reader, Transaction } from "../../store/database.ts";
import type { ResourcePolicy } from "./tables/definition.ts";

export type ViewType = "KEYS_ONLY" | "NEW_IMAGE" | "OLD_IMAGE" | "NEW_AND_OLD_IMAGES";

/** A stream, of a table that may be gone. Times are epoch milliseconds; 0 is never. */
export interface StreamRow {
  readonly account: string;
  readonly region: string;
  readonly table: string;
  readonly label: string;
  readonly id: number;
  readonly viewType: ViewType;
  /** JSON of the API's KeySchema. */
  readonly keySchema: string;
  readonly createdAt: number;
  readonly endedAt: number;
  readonly policy: ResourcePolicy | undefined;
}

type RawStream = Omit<StreamRow, "policy"> & {
  readonly policyText: string | null;
  readonly policyRevision: string | null;
};

export interface ShardRow {
  readonly id: number;
  readonly stream: number;
  /** Which share of the table's partition keys. */
  readonly slot: number;
  readonly shardId: string;
  /** The parent's shard id; "" for none. */
  readonly parent: string;
  readonly starting: number;
  readonly ending: number;
  readonly trimmed: number;
  readonly openedAt: number;
  readonly closedAt: number;
}

export interface RecordRow {
  readonly sequence: number;
  readonly arrivedAt: number;
  readonly itemKey: string;
  readonly record: string;
}

const STREAM = `account, region, table_name AS "table", label, id, view_type AS "viewType", key_schema AS "keySchema",
  created_at AS "createdAt", ended_at AS "endedAt", policy AS "policyText", policy_revision AS "policyRevision"`;
const SHARD = `id, stream, slot, shard_id AS "shardId", parent, starting, ending, trimmed, opened_at AS "openedAt",
  closed_at AS "closedAt"`;

const selectStream = sql(
  "dynamodb.stream",
  `SELECT ${STREAM} FROM dynamodb_streams WHERE account = ? AND region = ? AND table_name = ? AND label = ?`,
);
const selectStreams = sql(
  "dynamodb.streams",
  `SELECT ${STREAM} FROM dynamodb_streams WHERE account = ? AND region = ? AND (table_name, label) > (?, ?)
     AND (ended_at = 0 OR ended_at > ?) ORDER BY table_name, label LIMIT ?`,
);
const selectStreamsOfTable = sql(
  "dynamodb.streamsOfTable",
  `SELECT ${STREAM} FROM dynamodb_streams WHERE account = ? AND region = ? AND table_name = ? AND label > ?
     AND (ended_at = 0 OR ended_at > ?) ORDER BY label LIMIT ?`,
);
const insertStream = sql(
  "dynamodb.insertStream",
  `INSERT INTO dynamodb_streams (account, region, table_name, label, id, view_type, key_schema, created_at, ended_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)`,
);
const endStream = sql("dynamodb.endStream", "UPDATE dynamodb_streams SET ended_at = ? WHERE id = ?");
const updatePolicy = sql(
  "dynamodb.updateStreamPolicy",
  "UPDATE dynamodb_streams SET policy = ?, policy_revision = ? WHERE id = ?",
);
const insertShard = sql(
  "dynamodb.insertShard",
  `INSERT INTO dynamodb_stream_shards (id, stream, slot, shard_id, parent, starting, ending, trimmed, opened_at, closed_at)
     VALUES (?, ?, ?, ?, ?, ?, 0, 0, ?, 0)`,
);
const closeShard = sql(
  "dynamodb.closeShard",
  "UPDATE dynamodb_stream_shards SET ending = ?, closed_at = ? WHERE id = ?",
);
const OPEN_SHARD = `SELECT ${SHARD} FROM dynamodb_stream_shards WHERE stream = ? AND ending = 0 AND slot = ?`;
const selectOpenShard = {
  sqlite: sql("dynamodb.openShard", OPEN_SHARD),
  // Held until the commit, so that records become visible in the order of their numbers.
  postgres: sql("dynamodb.openShardLocked", `${OPEN_SHARD} FOR UPDATE`),
};
const selectShards = sql(
  "dynamodb.shards",
  `SELECT ${SHARD} FROM dynamodb_stream_shards WHERE stream = ? ORDER BY starting`,
);
const selectAllShards = sql(
  "dynamodb.allShards",
  `SELECT ${SHARD} FROM dynamodb_stream_shards WHERE id > ? ORDER BY id LIMIT ?`,
);
const insertRecord = sql(
  "dynamodb.insertRecord",
  "INSERT INTO dynamodb_stream_records (shard, sequence, arrived_at, bytes, item_key, record) VALUES (?, ?, ?, ?, ?, ?)",
);
const selectSizes = sql(
  "dynamodb.recordSizes",
  `SELECT sequence, bytes FROM dynamodb_stream_records WHERE shard = ? AND sequence > ? AND arrived_at > ?
     ORDER BY sequence LIMIT ?`,
);
const selectRecords = sql(
  "dynamodb.records",
  `SELECT sequence, arrived_at AS "arrivedAt", item_key AS "itemKey", record FROM dynamodb_stream_records
     WHERE shard = ? AND sequence > ? AND sequence <= ? AND arrived_at > ? ORDER BY sequence`,
);
const selectLast = sql(
  "dynamodb.lastRecord",
  "SELECT MAX(sequence) AS sequence FROM dynamodb_stream_records WHERE shard = ?",
);
const selectFirstSince = sql(
  "dynamodb.firstRecordSince",
  "SELECT MIN(sequence) AS sequence FROM dynamodb_stream_records WHERE shard = ? AND arrived_at >= ?",
);
const selectHighest = sql(
  "dynamodb.highestSequence",
  `SELECT MAX(starting, ending, trimmed,
       COALESCE((SELECT MAX(sequence) FROM dynamodb_stream_records WHERE shard = dynamodb_stream_shards.id), 0)) AS sequence
     FROM dynamodb_stream_shards`,
);
const drawSequence = sql(
  "dynamodb.drawSequence",
  "SELECT nextval('dynamodb_stream_sequence') AS sequence FROM generate_series(1, CAST(? AS bigint))",
);
const selectOldest = sql(
  "dynamodb.oldestRecords",
  `SELECT sequence, arrived_at AS "arrivedAt" FROM dynamodb_stream_records WHERE shard = ? ORDER BY sequence LIMIT ?`,
);
const trimRecords = sql(
  "dynamodb.trimRecords",
  "DELETE FROM dynamodb_stream_records WHERE shard = ? AND sequence <= ?",
);
const markTrimmed = sql(
  "dynamodb.markTrimmed",
  "UPDATE dynamodb_stream_shards SET trimmed = ? WHERE id = ? AND trimmed < ?",
);
const deleteShard = sql("dynamodb.deleteShard", "DELETE FROM dynamodb_stream_shards WHERE id = ?");
const selectEnded = sql(
  "dynamodb.endedStreams",
  `SELECT id FROM dynamodb_streams WHERE ended_at > 0 AND ended_at <= ?
     AND NOT EXISTS (SELECT 1 FROM dynamodb_stream_shards WHERE stream = dynamodb_streams.id)`,
);
const deleteStream = sql("dynamodb.deleteStream", "DELETE FROM dynamodb_streams WHERE id = ?");

/** Where streams are found. */
interface Place {
  readonly account: string;
  readonly region: string;
}

export type StreamName = Pick<StreamRow, "account" | "region" | "table" | "label">;

export async function findStream(reader: Reader, name: StreamName): Promise<StreamRow | undefined> {
  const row = await reader.get<RawStream>(selectStream, name.account, name.region, name.table, name.label);
  return row && streamOf(row);
}

/** Streams that have not ended by `horizon`, after one, in the order of their tables' names and of their labels; of one table when it is named. */
export async function streamsAfter(
  reader: Reader,
  { account, region }: Place,
  after: Pick<StreamRow, "table" | "label">,
  range: { readonly table: string | undefined; readonly horizon: number; readonly limit: number },
): Promise<StreamRow[]> {
  const { table, horizon, limit } = range;
  const rows =
    table === undefined
      ? await reader.all<RawStream>(selectStreams, account, region, after.table, after.label, horizon, limit)
      : await reader.all<RawStream>(
          selectStreamsOfTable,
          account,
          region,
          table,
          after.label,
          horizon,
          limit,
        );
  return rows.map(streamOf);
}

function streamOf({ policyText: text, policyRevision: revision, ...stream }: RawStream): StreamRow {
  return { ...stream, policy: text === null || revision === null ? undefined : { text, revision } };
}

export async function setStreamPolicy(
  transaction: Transaction,
  id: number,
  policy: ResourcePolicy | undefined,
): Promise<void> {
  await transaction.run(updatePolicy, policy?.text ?? null, policy?.revision ?? null, id);
}

export async function addStream(
  transaction: Transaction,
  stream: Omit<StreamRow, "endedAt" | "policy">,
): Promise<void> {
  const { account, region, table, label, id, viewType, keySchema, createdAt } = stream;
  await transaction.run(insertStream, account, region, table, label, id, viewType, keySchema, createdAt);
}

export async function markStreamEnded(transaction: Transaction, id: number, at: number): Promise<void> {
  await transaction.run(endStream, at, id);
}

export async function addShard(
  transaction: Transaction,
  shard: Pick<ShardRow, "id" | "stream" | "slot" | "shardId" | "parent" | "starting" | "openedAt">,
): Promise<void> {
  const { id, stream, slot, shardId, parent, starting, openedAt } = shard;
  await transaction.run(insertShard, id, stream, slot, shardId, parent, starting, openedAt);
}

export async function markShardClosed(
  transaction: Transaction,
  shard: Pick<ShardRow, "id" | "ending" | "closedAt">,
): Promise<void> {
  await transaction.run(closeShard, shard.ending, shard.closedAt, shard.id);
}

/** The open shard of a slot, which no other transaction writes to before this one has committed. */
export async function openShard(
  transaction: Transaction,
  engine: "sqlite" | "postgres",
  stream: number,
  slot: number,
): Promise<ShardRow | undefined> {
  return transaction.get<ShardRow>(selectOpenShard[engine], stream, slot);
}

/** Parents before their children. */
export async function shardsOf(reader: Reader, stream: number): Promise<ShardRow[]> {
  return reader.all<ShardRow>(selectShards, stream);
}

export async function shardsAfter(reader: Reader, id: number, limit: number): Promise<ShardRow[]> {
  return reader.all<ShardRow>(selectAllShards, id, limit);
}

export async function addRecord(
  transaction: Transaction,
  shard: number,
  row: RecordRow & { readonly bytes: number },
): Promise<void> {
  const { sequence, arrivedAt, bytes, itemKey, record } = row;
  await transaction.run(insertRecord, shard, sequence, arrivedAt, bytes, itemKey, record);
}

/** Numbers and bytes of records after a number that arrived after `horizon`. */
export async function recordSizes(
  reader: Reader,
  shard: number,
  range: { readonly after: number; readonly horizon: number; readonly limit: number },
): Promise<{ sequence: number; bytes: number }[]> {
  return reader.all(selectSizes, shard, range.after, range.horizon, range.limit);
}

/** Records after a number, up to another (included). */
export async function recordsBetween(
  reader: Reader,
  shard: number,
  range: { readonly after: number; readonly to: number; readonly horizon: number },
): Promise<RecordRow[]> {
  return reader.all<RecordRow>(selectRecords, shard, range.after, range.to, range.horizon);
}

/** The number of a shard's last record. */
export async function lastSequence(reader: Reader, shard: number): Promise<number | undefined> {
  return (await reader.get<{ sequence: number | null }>(selectLast, shard))?.sequence ?? undefined;
}

/** The number of the first record that arrived at a time or later. */
export async function firstSequenceSince(
  reader: Reader,
  shard: number,
  since: number,
): Promise<number | undefined> {
  const row = await reader.get<{ sequence: number | null }>(selectFirstSince, shard, since);
  return row?.sequence ?? undefined;
}

/** The highest number ever given that is still written somewhere; SQLite only. */
export async function highestSequence(reader: Reader): Promise<number> {
  const rows = await reader.all<{ sequence: number }>(selectHighest);
  return rows.reduce((highest, { sequence }) => Math.max(highest, sequence), 0);
}

/** Draws numbers that rise from one transaction's end to the next; PostgreSQL only. */
export async function drawSequences(transaction: Transaction, count: number): Promise<number[]> {
  const rows = await transaction.all<{ sequence: number }>(drawSequence, count);
  return rows.map(({ sequence }) => sequence);
}

/** A shard's first records. */
export async function oldestRecords(
  reader: Reader,
  shard: number,
  limit: number,
): Promise<Pick<RecordRow, "sequence" | "arrivedAt">[]> {
  return reader.all(selectOldest, shard, limit);
}

/** Removes a shard's records up to a number (included). */
export async function removeRecords(transaction: Transaction, shard: number, to: number): Promise<void> {
  await transaction.run(trimRecords, shard, to);
  await transaction.run(markTrimmed, to, shard, to);
}

export async function removeShard(transaction: Transaction, id: number): Promise<void> {
  await transaction.run(deleteShard, id);
}

/** Streams that ended at `horizon` or before and whose shards are gone. */
export async function endedStreams(reader: Reader, horizon: number): Promise<{ id: number }[]> {
  return reader.all(selectEnded, horizon);
}

export async function removeStream(transaction: Transaction, id: number): Promise<void> {
  await transaction.run(deleteStream, id);
}
