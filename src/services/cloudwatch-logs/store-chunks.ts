/** SQL of log events, stored in chunks. */
import { sql } from "../../store/database.ts";
import type { Reader, Transaction } from "../../store/database.ts";
import type { Chunk } from "./chunk.ts";

export interface ChunkRow {
  readonly stream_id: number;
  readonly chunk_no: number;
  readonly min_at: number;
  readonly max_at: number;
  readonly ingested_at: number;
  readonly bytes: number;
  readonly events: string;
}

/** Where a page of chunks begins: after this chunk, in the page's order. */
export interface ChunkKey {
  readonly minAt: number;
  readonly streamId: number;
  readonly chunkNo: number;
}

const CHUNK = `stream_id, chunk_no, min_at, max_at, ingested_at, bytes, events`;

const RECEIVE = sql(
  "logs.receive",
  `UPDATE logs_stream SET
     next_chunk = next_chunk + ?,
     first_event_at = CASE WHEN first_event_at = 0 OR first_event_at > ? THEN ? ELSE first_event_at END,
     last_event_at = CASE WHEN last_event_at < ? THEN ? ELSE last_event_at END,
     last_ingested_at = ?,
     bytes = bytes + ?
   WHERE stream_id = ? AND EXISTS (SELECT 1 FROM logs_group WHERE logs_group.group_id = logs_stream.group_id)
   RETURNING group_id, next_chunk,
     (SELECT filters_revision FROM logs_group WHERE logs_group.group_id = logs_stream.group_id) AS filters_revision`,
);
const INSERT = sql(
  "logs.insertChunk",
  `INSERT INTO logs_chunk (stream_id, chunk_no, group_id, min_at, max_at, ingested_at, bytes, events)
   VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
);
const BY_NUMBER = sql(
  "logs.chunksByNumber",
  `SELECT ${CHUNK} FROM logs_chunk WHERE stream_id = ? AND chunk_no >= ? AND chunk_no <= ? ORDER BY chunk_no`,
);
const OF_STREAM = sql(
  "logs.chunksOfStream",
  `SELECT ${CHUNK} FROM logs_chunk
   WHERE stream_id = ? AND (min_at, chunk_no) > (?, ?) AND min_at <= ? AND max_at >= ?
   ORDER BY min_at, chunk_no LIMIT ?`,
);
const OF_STREAM_DOWN = sql(
  "logs.chunksOfStreamDown",
  `SELECT ${CHUNK} FROM logs_chunk
   WHERE stream_id = ? AND (min_at, chunk_no) < (?, ?) AND min_at >= ? AND max_at >= ?
   ORDER BY min_at DESC, chunk_no DESC LIMIT ?`,
);
const OF_GROUP = sql(
  "logs.chunksOfGroup",
  `SELECT ${CHUNK} FROM logs_chunk
   WHERE group_id = ? AND (min_at, stream_id, chunk_no) > (?, ?, ?) AND min_at <= ? AND max_at >= ?
   ORDER BY min_at, stream_id, chunk_no LIMIT ?`,
);
const OF_GROUP_DOWN = sql(
  "logs.chunksOfGroupDown",
  `SELECT ${CHUNK} FROM logs_chunk
   WHERE group_id = ? AND (min_at, stream_id, chunk_no) < (?, ?, ?) AND min_at >= ? AND max_at >= ?
   ORDER BY min_at DESC, stream_id DESC, chunk_no DESC LIMIT ?`,
);
const EXPIRED = sql(
  "logs.expiredChunks",
  `SELECT stream_id, chunk_no, bytes FROM logs_chunk
   WHERE group_id = ? AND min_at < ? AND max_at < ? ORDER BY min_at LIMIT ?`,
);
const DELETE = sql("logs.deleteChunk", `DELETE FROM logs_chunk WHERE stream_id = ? AND chunk_no = ?`);
const SHRINK = sql("logs.shrinkStream", `UPDATE logs_stream SET bytes = bytes - ? WHERE stream_id = ?`);

export interface Appended {
  readonly groupId: number;
  /** The number of the first chunk that was appended. */
  readonly firstChunk: number;
  /** The group's; 0 where it has no filters. */
  readonly filtersRevision: number;
}

/** Appends chunks (at least one) to a stream; undefined where it or its group is gone. */
export async function appendChunks(
  tx: Transaction,
  streamId: number,
  chunks: readonly Chunk[],
  ingestedAt: number,
): Promise<Appended | undefined> {
  let [minAt, maxAt, bytes] = [Number.MAX_SAFE_INTEGER, 0, 0];
  for (const chunk of chunks) {
    minAt = Math.min(minAt, chunk.minAt);
    maxAt = Math.max(maxAt, chunk.maxAt);
    bytes += chunk.bytes;
  }
  const stream = await tx.get<{ group_id: number; next_chunk: number; filters_revision: number }>(
    RECEIVE,
    chunks.length,
    minAt,
    minAt,
    maxAt,
    maxAt,
    ingestedAt,
    bytes,
    streamId,
  );
  if (!stream) return undefined;
  const first = stream.next_chunk - chunks.length;
  for (const [index, chunk] of chunks.entries())
    await tx.run(
      INSERT,
      streamId,
      first + index,
      stream.group_id,
      chunk.minAt,
      chunk.maxAt,
      ingestedAt,
      chunk.bytes,
      chunk.events,
    );
  return { groupId: stream.group_id, firstChunk: first, filtersRevision: stream.filters_revision };
}

/** Some of a stream's chunks by their numbers, both ends included, in order; those that are gone are not there. */
export function chunksByNumber(
  reader: Reader,
  streamId: number,
  from: number,
  to: number,
): Promise<ChunkRow[]> {
  return reader.all<ChunkRow>(BY_NUMBER, streamId, from, to);
}

/** A page of a stream's chunks after `after` that may hold events in [fromAt, toAt]. */
export function chunksOfStream(
  reader: Reader,
  streamId: number,
  after: ChunkKey,
  range: { fromAt: number; toAt: number },
  count: number,
): Promise<ChunkRow[]> {
  return reader.all<ChunkRow>(
    OF_STREAM,
    streamId,
    after.minAt,
    after.chunkNo,
    range.toAt,
    range.fromAt,
    count,
  );
}

/** The same, backwards; `lowestMinAt` ends the walk. */
export function chunksOfStreamDown(
  reader: Reader,
  streamId: number,
  before: ChunkKey,
  range: { fromAt: number; lowestMinAt: number },
  count: number,
): Promise<ChunkRow[]> {
  return reader.all<ChunkRow>(
    OF_STREAM_DOWN,
    streamId,
    before.minAt,
    before.chunkNo,
    range.lowestMinAt,
    range.fromAt,
    count,
  );
}

/** A page of a group's chunks, over all its streams. */
export function chunksOfGroup(
  reader: Reader,
  groupId: number,
  after: ChunkKey,
  range: { fromAt: number; toAt: number },
  count: number,
): Promise<ChunkRow[]> {
  return reader.all<ChunkRow>(
    OF_GROUP,
    groupId,
    after.minAt,
    after.streamId,
    after.chunkNo,
    range.toAt,
    range.fromAt,
    count,
  );
}

/** The same, backwards. */
export function chunksOfGroupDown(
  reader: Reader,
  groupId: number,
  before: ChunkKey,
  range: { fromAt: number; lowestMinAt: number },
  count: number,
): Promise<ChunkRow[]> {
  return reader.all<ChunkRow>(
    OF_GROUP_DOWN,
    groupId,
    before.minAt,
    before.streamId,
    before.chunkNo,
    range.lowestMinAt,
    range.fromAt,
    count,
  );
}

/** Deletes up to `count` chunks that hold nothing at or after `before` (epoch ms); answers how many. */
export async function deleteExpiredChunks(
  tx: Transaction,
  groupId: number,
  before: number,
  count: number,
): Promise<number> {
  const expired = await tx.all<{ stream_id: number; chunk_no: number; bytes: number }>(
    EXPIRED,
    groupId,
    before,
    before,
    count,
  );
  for (const chunk of expired) {
    await tx.run(DELETE, chunk.stream_id, chunk.chunk_no);
    await tx.run(SHRINK, chunk.bytes, chunk.stream_id);
  }
  return expired.length;
}
