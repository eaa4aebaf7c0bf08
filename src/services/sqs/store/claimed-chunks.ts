/** SQL of chunks in flight: those that one receiver took as a whole. */
import { sql } from "../../../store/database.ts";
import type { Database, Reader, Transaction } from "../../../store/database.ts";
import { CHUNK_MESSAGES_MAX, deleteChunk, messagesIn } from "./chunks.ts";
import type { ChunkRow } from "./chunks.ts";
import { insertOpened } from "./messages.ts";

const CLAIM = sql(
  "sqs.claim-chunk",
  "UPDATE sqs_chunk SET visible_at = ?, claimed_at = ? WHERE queue_id = ? AND visible_at = ? AND seq = ?",
);
const ofText = (columns: string, locking: string) =>
  `SELECT ${columns} FROM sqs_chunk WHERE queue_id = ? AND claimed_at > 0 AND seq <= ? AND seq > ?
   ORDER BY seq DESC LIMIT 1 ${locking}`;
const forEach = (name: string, columns: string) => ({
  sqlite: sql(`${name}-sqlite`, ofText(columns, "")),
  postgres: sql(`${name}-postgres`, ofText(columns, "FOR UPDATE")),
});
const STATE_OF = forEach("sqs.state-of-chunk", "visible_at, seq, messages, gone");
const CHUNK_OF = forEach("sqs.chunk-of", "visible_at, seq, messages, claimed_at, gone, content");
const SET_GONE = sql(
  "sqs.set-gone",
  "UPDATE sqs_chunk SET gone = ?, gone_count = ? WHERE queue_id = ? AND visible_at = ? AND seq = ?",
);
const HIDDEN = sql(
  "sqs.hidden-in-chunks",
  `SELECT COALESCE(sum(messages - gone_count), 0) AS count FROM sqs_chunk
   WHERE queue_id = ? AND claimed_at > 0 AND visible_at > ?`,
);

/** Receives all messages of a chunk: hides them until `until`. */
export async function claimChunk(
  tx: Transaction,
  queueId: number,
  { visible_at, seq }: ChunkRow,
  until: number,
  now: number,
): Promise<void> {
  await tx.run(CLAIM, until, now, queueId, visible_at, seq);
}

/**
 * Deletes messages that are in chunks, as their first claim.
 * @param seqs In ascending order.
 * @returns those that are in none
 */
export async function deleteInChunks(
  tx: Transaction,
  engine: Database["engine"],
  queueId: number,
  seqs: readonly number[],
): Promise<number[]> {
  const others: number[] = [];
  for (let at = 0; at < seqs.length;) {
    const first = seqs[at] as number;
    const chunk = await tx.get<Pick<ChunkRow, "visible_at" | "seq" | "gone"> & { messages: number }>(
      STATE_OF[engine],
      queueId,
      first,
      first - CHUNK_MESSAGES_MAX,
    );
    if (!chunk || first >= chunk.seq + chunk.messages) {
      others.push(first);
      at += 1;
      continue;
    }
    let { gone } = chunk;
    for (; at < seqs.length && (seqs[at] as number) < chunk.seq + chunk.messages; at++)
      gone |= 1 << ((seqs[at] as number) - chunk.seq);
    const goneCount = bitsIn(gone);
    if (goneCount === chunk.messages) await deleteChunk(tx, queueId, chunk);
    else await tx.run(SET_GONE, gone, goneCount, queueId, chunk.visible_at, chunk.seq);
  }
  return others;
}

/** Gives the messages of the chunk that holds one rows of their own. @returns false where none does */
export async function openChunkOf(
  tx: Transaction,
  engine: Database["engine"],
  queueId: number,
  seq: number,
): Promise<boolean> {
  const chunk = await tx.get<ChunkRow & { messages: number }>(
    CHUNK_OF[engine],
    queueId,
    seq,
    seq - CHUNK_MESSAGES_MAX,
  );
  if (!chunk || seq >= chunk.seq + chunk.messages) return false;
  await deleteChunk(tx, queueId, chunk);
  await insertOpened(tx, queueId, messagesIn(chunk));
  return true;
}

/** Messages in chunks that are in flight. */
export async function countHiddenInChunks(reader: Reader, queueId: number, now: number): Promise<number> {
  return (await reader.get<{ count: number }>(HIDDEN, queueId, now))?.count ?? 0;
}

function bitsIn(bits: number): number {
  let count = 0;
  for (let left = bits; left !== 0; left &= left - 1) count += 1;
  return count;
}
