/** SQL of streams and their shards. */
import { sql } from "../../store/database.ts";
import type { Reader, Transaction } from "../../store/database.ts";
import type { Shard } from "./shards/shard.ts";

/** Where a stream is found. */
export interface StreamPlace {
  readonly account: string;
  readonly region: string;
  readonly name: string;
}

export interface StreamRow extends StreamPlace {
  readonly stream_id: number;
  readonly status: "ACTIVE" | "DELETING";
  readonly mode: "PROVISIONED" | "ON_DEMAND";
  readonly distribution: "AUTO" | "USER_PARTITION_KEY";
  readonly retention_hours: number;
  /** What came earlier has expired, whatever the retention is now; epoch milliseconds. */
  readonly trimmed_before: number;
  readonly record_kib_max: number;
  readonly policy: string | null;
  /** JSON. */
  readonly tags: string;
  readonly created_at: number;
  readonly next_shard: number;
  /** JSON: the metrics that are told of each shard. */
  readonly shard_metrics: string;
}

interface ShardRow {
  readonly shard_no: number;
  readonly parent_no: number | null;
  readonly adjacent_no: number | null;
  readonly start_hash: string;
  readonly end_hash: string;
  readonly created_seconds: number;
  readonly created_at: number;
  readonly closed_at: number | null;
}

const STREAM = `stream_id, account, region, name, status, mode, distribution, retention_hours, trimmed_before,
  record_kib_max, policy, tags, created_at, next_shard, shard_metrics`;
const FIND = sql(
  "kinesis.findStream",
  `SELECT ${STREAM} FROM kinesis_stream WHERE account = ? AND region = ? AND name = ?`,
);
const LIST = sql(
  "kinesis.listStreams",
  `SELECT ${STREAM} FROM kinesis_stream WHERE account = ? AND region = ? AND name > ? ORDER BY name LIMIT ?`,
);
const ALL = sql("kinesis.allStreams", `SELECT ${STREAM} FROM kinesis_stream ORDER BY stream_id`);
const COUNTS = sql(
  "kinesis.counts",
  `SELECT COUNT(DISTINCT kinesis_stream.stream_id) AS streams, COUNT(*) AS shards FROM kinesis_stream
   JOIN kinesis_shard ON kinesis_shard.stream_id = kinesis_stream.stream_id
   WHERE account = ? AND region = ? AND mode = ? AND closed_at IS NULL`,
);
const INSERT = sql(
  "kinesis.insertStream",
  `INSERT INTO kinesis_stream (${STREAM}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
);
const UPDATE = sql(
  "kinesis.updateStream",
  `UPDATE kinesis_stream SET status = ?, mode = ?, distribution = ?, retention_hours = ?, trimmed_before = ?,
     record_kib_max = ?, policy = ?, tags = ?, next_shard = ?, shard_metrics = ? WHERE stream_id = ?`,
);
const DELETE = sql("kinesis.deleteStream", `DELETE FROM kinesis_stream WHERE stream_id = ?`);
const SHARDS = sql(
  "kinesis.shards",
  `SELECT shard_no, parent_no, adjacent_no, start_hash, end_hash, created_seconds, created_at, closed_at
   FROM kinesis_shard WHERE stream_id = ? ORDER BY shard_no`,
);
const UPSERT_SHARD = sql(
  "kinesis.upsertShard",
  `INSERT INTO kinesis_shard (stream_id, shard_no, parent_no, adjacent_no, start_hash, end_hash, created_seconds,
     created_at, closed_at, last_index) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)
   ON CONFLICT (stream_id, shard_no) DO UPDATE SET closed_at = excluded.closed_at`,
);
const DELETE_SHARD = sql(
  "kinesis.deleteShard",
  `DELETE FROM kinesis_shard WHERE stream_id = ? AND shard_no = ?`,
);
const DELETE_SHARDS = sql("kinesis.deleteShards", `DELETE FROM kinesis_shard WHERE stream_id = ?`);
const CHANGES = sql(
  "kinesis.changes",
  `SELECT COUNT(*) AS changes FROM kinesis_change WHERE stream_id = ? AND kind = ? AND at > ?`,
);
const INSERT_CHANGE = sql(
  "kinesis.insertChange",
  `INSERT INTO kinesis_change (stream_id, kind, at, change_id) VALUES (?, ?, ?, ?)`,
);
const DELETE_CHANGES = sql(
  "kinesis.deleteChanges",
  `DELETE FROM kinesis_change WHERE stream_id = ? AND at <= ?`,
);
const DELETE_ALL_CHANGES = sql("kinesis.deleteAllChanges", `DELETE FROM kinesis_change WHERE stream_id = ?`);

/** Changes are counted over a day. */
const CHANGES_KEPT_MS = 24 * 3_600_000;

export function findStream(reader: Reader, place: StreamPlace): Promise<StreamRow | undefined> {
  return reader.get<StreamRow>(FIND, place.account, place.region, place.name);
}

/** Streams after a name, in order. */
export function listStreams(
  reader: Reader,
  { account, region }: Omit<StreamPlace, "name">,
  after: string,
  count: number,
): Promise<StreamRow[]> {
  return reader.all<StreamRow>(LIST, account, region, after, count);
}

export function allStreams(reader: Reader): Promise<StreamRow[]> {
  return reader.all<StreamRow>(ALL);
}

/** How many streams of a mode there are, and open shards in them. */
export async function countOpen(
  reader: Reader,
  { account, region }: Omit<StreamPlace, "name">,
  mode: StreamRow["mode"],
): Promise<{ streams: number; shards: number }> {
  const counts = await reader.get<{ streams: number; shards: number }>(COUNTS, account, region, mode);
  return counts ?? { streams: 0, shards: 0 };
}

export async function insertStream(tx: Transaction, row: StreamRow): Promise<void> {
  await tx.run(
    INSERT,
    row.stream_id,
    row.account,
    row.region,
    row.name,
    row.status,
    row.mode,
    row.distribution,
    row.retention_hours,
    row.trimmed_before,
    row.record_kib_max,
    row.policy,
    row.tags,
    row.created_at,
    row.next_shard,
    row.shard_metrics,
  );
}

export async function updateStream(tx: Transaction, row: StreamRow): Promise<void> {
  await tx.run(
    UPDATE,
    row.status,
    row.mode,
    row.distribution,
    row.retention_hours,
    row.trimmed_before,
    row.record_kib_max,
    row.policy,
    row.tags,
    row.next_shard,
    row.shard_metrics,
    row.stream_id,
  );
}

export async function deleteStreamRow(tx: Transaction, streamId: number): Promise<void> {
  await tx.run(DELETE, streamId);
}

/** All shards of a stream, in the order of their numbers. */
export async function shardsOf(reader: Reader, streamId: number): Promise<Shard[]> {
  const rows = await reader.all<ShardRow>(SHARDS, streamId);
  return rows.map((row) => ({
    shardNo: row.shard_no,
    parentNo: row.parent_no,
    adjacentNo: row.adjacent_no,
    startHash: row.start_hash,
    endHash: row.end_hash,
    createdSeconds: row.created_seconds,
    createdAt: row.created_at,
    closedAt: row.closed_at,
  }));
}

/** Adds a shard, or closes it. */
export async function saveShard(tx: Transaction, streamId: number, shard: Shard): Promise<void> {
  await tx.run(
    UPSERT_SHARD,
    streamId,
    shard.shardNo,
    shard.parentNo,
    shard.adjacentNo,
    shard.startHash,
    shard.endHash,
    shard.createdSeconds,
    shard.createdAt,
    shard.closedAt,
  );
}

export async function deleteShard(tx: Transaction, streamId: number, shardNo: number): Promise<void> {
  await tx.run(DELETE_SHARD, streamId, shardNo);
}

/** What is limited in number within 24 hours. */
export type ChangeKind = "shard-count" | "mode";

/** How often a stream was changed so after a time (epoch milliseconds). */
export async function changesSince(
  reader: Reader,
  streamId: number,
  kind: ChangeKind,
  since: number,
): Promise<number> {
  return (await reader.get<{ changes: number }>(CHANGES, streamId, kind, since))?.changes ?? 0;
}

/** Notes a change, and forgets those that count no more. @param changeId Tells changes of one millisecond apart. */
export async function noteChange(
  tx: Transaction,
  streamId: number,
  kind: ChangeKind,
  at: number,
  changeId: number,
): Promise<void> {
  await tx.run(DELETE_CHANGES, streamId, at - CHANGES_KEPT_MS);
  await tx.run(INSERT_CHANGE, streamId, kind, at, changeId);
}

/** Removes what else there is of a stream than its row and its records: nobody writes to it after that. */
export async function deleteParts(tx: Transaction, streamId: number): Promise<void> {
  for (const part of [DELETE_SHARDS, DELETE_ALL_CHANGES]) await tx.run(part, streamId);
}
