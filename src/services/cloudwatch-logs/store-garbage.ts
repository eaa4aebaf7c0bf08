/** SQL of what deleted groups and streams leave behind. */
import { sql } from "../../store/database.ts";
import type { Reader, Transaction } from "../../store/database.ts";

export interface GarbageRow {
  readonly group_id: number;
  /** 0 where the whole group is deleted. */
  readonly stream_id: number;
}

const INSERT = sql("logs.insertGarbage", `INSERT INTO logs_garbage (group_id, stream_id) VALUES (?, ?)`);
const LIST = sql("logs.listGarbage", `SELECT group_id, stream_id FROM logs_garbage`);
const DELETE = sql("logs.deleteGarbage", `DELETE FROM logs_garbage WHERE group_id = ? AND stream_id = ?`);
const GROUP_CHUNKS = sql(
  "logs.deleteGroupChunks",
  `DELETE FROM logs_chunk WHERE (stream_id, chunk_no) IN
     (SELECT stream_id, chunk_no FROM logs_chunk WHERE group_id = ? LIMIT ?)`,
);
const STREAM_CHUNKS = sql(
  "logs.deleteStreamChunks",
  `DELETE FROM logs_chunk WHERE (stream_id, chunk_no) IN
     (SELECT stream_id, chunk_no FROM logs_chunk WHERE stream_id = ? LIMIT ?)`,
);
const GROUP_STREAMS = sql(
  "logs.deleteGroupStreams",
  `DELETE FROM logs_stream WHERE stream_id IN (SELECT stream_id FROM logs_stream WHERE group_id = ? LIMIT ?)`,
);

export async function insertGarbage(tx: Transaction, groupId: number, streamId: number): Promise<void> {
  await tx.run(INSERT, groupId, streamId);
}

export function listGarbage(reader: Reader): Promise<GarbageRow[]> {
  return reader.all<GarbageRow>(LIST);
}

/** Removes up to `count` rows of each kind, and the note itself with the last of them. Answers how many rows at most. */
export async function removeGarbage(tx: Transaction, garbage: GarbageRow, count: number): Promise<number> {
  const removed =
    garbage.stream_id === 0
      ? Math.max(
          await tx.run(GROUP_CHUNKS, garbage.group_id, count),
          await tx.run(GROUP_STREAMS, garbage.group_id, count),
        )
      : await tx.run(STREAM_CHUNKS, garbage.stream_id, count);
  if (removed < count) await tx.run(DELETE, garbage.group_id, garbage.stream_id);
  return removed;
}
