/** SQL of records, stored in chunks. */
import { sql } from "../../../store/database.ts";
import type { Reader, Transaction } from "../../../store/database.ts";
import type { NewChunk } from "./chunk.ts";

export interface StoredChunk {
  /** Place of its last record. */
  readonly lastIndex: number;
  readonly count: number;
  /** Epoch milliseconds. */
  readonly arrivedAt: number;
  readonly bytes: number;
  readonly content: Buffer;
}

const ADVANCE = sql(
  "kinesis.advance",
  `UPDATE kinesis_shard SET last_index = CASE WHEN last_index < ? THEN ? ELSE last_index END + ?
   WHERE stream_id = ? AND shard_no = ? AND closed_at IS NULL RETURNING last_index`,
);
const INSERT = sql(
  "kinesis.insertChunk",
  `INSERT INTO kinesis_chunk (stream_id, shard_no, last_index, records, arrived_at, bytes, content)
   VALUES (?, ?, ?, ?, ?, ?, ?)`,
);
const AFTER = sql(
  "kinesis.chunksAfter",
  `SELECT last_index AS "lastIndex", records AS "count", arrived_at AS "arrivedAt", bytes, content FROM kinesis_chunk
   WHERE stream_id = ? AND shard_no = ? AND last_index > ? AND arrived_at >= ? ORDER BY last_index LIMIT ?`,
);
const FIRST_SINCE = sql(
  "kinesis.firstSince",
  `SELECT last_index - records + 1 AS first_index FROM kinesis_chunk
   WHERE stream_id = ? AND shard_no = ? AND last_index >= ? AND arrived_at >= ? ORDER BY last_index LIMIT 1`,
);
const LAST_INDEX = sql(
  "kinesis.lastIndex",
  `SELECT last_index FROM kinesis_shard WHERE stream_id = ? AND shard_no = ?`,
);
const OLDEST = sql(
  "kinesis.oldestChunk",
  `SELECT arrived_at FROM kinesis_chunk WHERE stream_id = ? AND shard_no = ? ORDER BY last_index LIMIT 1`,
);
const EXPIRE = sql(
  "kinesis.expireChunks",
  `DELETE FROM kinesis_chunk WHERE stream_id = ? AND shard_no = ? AND last_index IN
     (SELECT last_index FROM kinesis_chunk WHERE stream_id = ? AND shard_no = ? AND arrived_at < ?
      ORDER BY last_index LIMIT ?)`,
);
const DELETE_SOME = sql(
  "kinesis.deleteSomeChunks",
  `DELETE FROM kinesis_chunk WHERE stream_id = ? AND (shard_no, last_index) IN
     (SELECT shard_no, last_index FROM kinesis_chunk WHERE stream_id = ? LIMIT ?)`,
);

/** Places grow with the time, so that what came since a time is found by them: so many to a millisecond, more only in a rush. */
export const INDICES_PER_MS = 1_000;

/** Takes `count` places in an open shard; answers the last of them, or undefined where the shard is closed or gone. */
export async function takePlaces(
  tx: Transaction,
  streamId: number,
  shardNo: number,
  count: number,
  now: number,
): Promise<number | undefined> {
  const before = now * INDICES_PER_MS - 1;
  const row = await tx.get<{ last_index: number }>(ADVANCE, before, before, count, streamId, shardNo);
  return row?.last_index;
}

export async function insertChunk(
  tx: Transaction,
  streamId: number,
  chunk: NewChunk,
  lastIndex: number,
  arrivedAt: number,
): Promise<void> {
  const { shardNo, count, bytes, content } = chunk;
  await tx.run(INSERT, streamId, shardNo, lastIndex, count, arrivedAt, bytes, content);
}

/** Chunks with records after a place that did not come before `since` (epoch milliseconds). */
export function chunksAfter(
  reader: Reader,
  streamId: number,
  shardNo: number,
  afterIndex: number,
  since: number,
  count: number,
): Promise<StoredChunk[]> {
  // What came since then lies beyond that place, so that expired chunks are not gone through one by one.
  const from = Math.max(afterIndex, since * INDICES_PER_MS - 1);
  return reader.all<StoredChunk>(AFTER, streamId, shardNo, from, since, count);
}

/** The place of the first record that came at or after a time; undefined where none did. */
export async function firstIndexSince(
  reader: Reader,
  streamId: number,
  shardNo: number,
  at: number,
): Promise<number | undefined> {
  const row = await reader.get<{ first_index: number }>(
    FIRST_SINCE,
    streamId,
    shardNo,
    Math.floor(at) * INDICES_PER_MS,
    at,
  );
  return row?.first_index;
}

/** The place of the last record; 0 where there was none. */
export async function lastIndexOf(reader: Reader, streamId: number, shardNo: number): Promise<number> {
  return (await reader.get<{ last_index: number }>(LAST_INDEX, streamId, shardNo))?.last_index ?? 0;
}

/** When the oldest records came that are still there; undefined where there are none. */
export async function oldestArrival(
  reader: Reader,
  streamId: number,
  shardNo: number,
): Promise<number | undefined> {
  return (await reader.get<{ arrived_at: number }>(OLDEST, streamId, shardNo))?.arrived_at;
}

/** Deletes up to `count` chunks that came before a time; answers how many. */
export function expireChunks(
  tx: Transaction,
  streamId: number,
  shardNo: number,
  before: number,
  count: number,
): Promise<number> {
  return tx.run(EXPIRE, streamId, shardNo, streamId, shardNo, before, count);
}

/** Deletes up to `count` chunks of a stream; answers how many. */
export function deleteSomeChunks(tx: Transaction, streamId: number, count: number): Promise<number> {
  return tx.run(DELETE_SOME, streamId, streamId, count);
}
