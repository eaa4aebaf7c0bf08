/**
 * SQL of chunks: messages of standard queues that came together, in one row until they are received by more than one receiver, or one of
 * them is to be changed alone.
 */
import { sql } from "../../../store/database.ts";
import type { Database, Reader, SqlValue, Transaction } from "../../../store/database.ts";
import type { MessageRow, NewMessage } from "../messages/message.ts";

/** Messages of a chunk: as many as a receiver takes at once. */
export const CHUNK_MESSAGES_MAX = 10;
/** Characters of bodies from which a chunk takes no further message: it is rewritten when it is opened. */
const CHUNK_CHARS = 64 * 1024;

/** Messages without a delay, in order, whose numbers follow one another. */
export interface Chunk {
  readonly queueId: number;
  /** The first one's number. */
  readonly seq: number;
  readonly messages: readonly NewMessage[];
  /** Where a receiver takes all of them as they come. */
  readonly claim?: ChunkClaim | undefined;
}

/** In epoch milliseconds. */
export interface ChunkClaim {
  readonly at: number;
  /** When the messages are visible again. */
  readonly until: number;
}

/** A chunk in the store. */
export interface ChunkRow {
  /** When its messages can be received: since they came, or, once they were, when they are visible again. */
  readonly visible_at: number;
  readonly seq: number;
  /** When they were received, as a whole; 0 where they never were. */
  readonly claimed_at: number;
  /** A bit for each that was deleted since. */
  readonly gone: number;
  readonly content: string;
}

/** A message in a chunk's content. */
type Kept = [
  messageId: string,
  md5: string,
  sender: string,
  sentAt: number,
  groupId: string | null,
  extra: string | null,
  body: string,
];

const insertOf = (rows: number) =>
  sql(
    `sqs.insert-chunks-${rows}`,
    `INSERT INTO sqs_chunk (queue_id, visible_at, seq, messages, sent_at, claimed_at, content)
     VALUES ${Array.from({ length: rows }, () => "(?, ?, ?, ?, ?, ?, ?)").join(", ")}`,
  );
const INSERTS = [8, 4, 2, 1].map((rows) => ({ rows, statement: insertOf(rows) }));

const firstText = (locking: string) => `
   SELECT visible_at, seq, claimed_at, gone, content FROM sqs_chunk WHERE queue_id = ? AND visible_at <= ?
   ORDER BY visible_at, seq LIMIT ? ${locking}`;

/** Receivers on other servers pass over those that one of them is just opening. */
const FIRST = {
  sqlite: sql("sqs.first-chunks-sqlite", firstText("")),
  postgres: sql("sqs.first-chunks-postgres", firstText("FOR UPDATE SKIP LOCKED")),
} as const;
const DELETE = sql(
  "sqs.delete-chunk",
  "DELETE FROM sqs_chunk WHERE queue_id = ? AND visible_at = ? AND seq = ?",
);
const NEXT = sql(
  "sqs.next-chunk",
  "SELECT visible_at AS at FROM sqs_chunk WHERE queue_id = ? ORDER BY visible_at, seq LIMIT 1",
);
/** None of them is delayed, so that those that are not visible are in flight. */
const COUNT = sql(
  "sqs.count-in-chunks",
  `SELECT COALESCE(sum(CASE WHEN visible_at <= ? THEN messages - gone_count ELSE 0 END), 0) AS visible,
     COALESCE(sum(CASE WHEN visible_at > ? THEN messages - gone_count ELSE 0 END), 0) AS hidden
   FROM sqs_chunk WHERE queue_id = ? AND visible_at > ? AND sent_at > ?`,
);
/** Those that were received have a later time than that at which they were sent. */
const OLD = sql(
  "sqs.old-chunks",
  "SELECT visible_at FROM sqs_chunk WHERE queue_id = ? AND visible_at <= ? ORDER BY visible_at, seq LIMIT ?",
);
const DELETE_UNTIL = sql(
  "sqs.delete-chunks-until",
  "DELETE FROM sqs_chunk WHERE queue_id = ? AND visible_at <= ?",
);
const DELETE_CLAIMED_UNTIL = sql(
  "sqs.delete-claimed-chunks-until",
  "DELETE FROM sqs_chunk WHERE queue_id = ? AND claimed_at > 0 AND sent_at <= ?",
);

/** Divides messages, which are in order, into chunks. */
export function* inChunks(queueId: number, first: number, messages: readonly NewMessage[]): Generator<Chunk> {
  let from = 0;
  let chars = 0;
  for (const [at, { body }] of messages.entries()) {
    chars += body.length;
    const count = at + 1 - from;
    if (count < CHUNK_MESSAGES_MAX && chars < CHUNK_CHARS && at + 1 < messages.length) continue;
    yield {
      queueId,
      seq: first + from,
      messages: count === messages.length ? messages : messages.slice(from, at + 1),
    };
    [from, chars] = [at + 1, 0];
  }
}

export async function insertChunks(tx: Transaction, chunks: readonly Chunk[]): Promise<void> {
  let at = 0;
  for (const { rows, statement } of INSERTS)
    for (; chunks.length - at >= rows; at += rows) {
      const parameters: SqlValue[] = [];
      for (const { queueId, seq, messages, claim } of chunks.slice(at, at + rows)) {
        const { visibleAt = 0, sentAt = 0 } = messages.at(-1) ?? {};
        const content = JSON.stringify(messages.map(keptOf));
        parameters.push(
          queueId,
          claim?.until ?? visibleAt,
          seq,
          messages.length,
          sentAt,
          claim?.at ?? 0,
          content,
        );
      }
      await tx.run(statement, ...parameters);
    }
}

function keptOf({ messageId, md5, sender, sentAt, groupId, extra, body }: NewMessage): Kept {
  return [messageId, md5, sender, sentAt, groupId ?? null, extra, body];
}

/** The first chunks whose messages can be received; no other server receives them meanwhile. */
export function firstChunks(
  tx: Transaction,
  engine: Database["engine"],
  queueId: number,
  before: number,
  count: number,
): Promise<ChunkRow[]> {
  return tx.all<ChunkRow>(FIRST[engine], queueId, before, count);
}

/** The messages of a chunk that are left, in order, as they are once they were received as often as it was. */
export function messagesIn({ visible_at, seq, claimed_at, gone, content }: ChunkRow): MessageRow[] {
  const rows: MessageRow[] = [];
  for (const [at, kept] of (JSON.parse(content) as Kept[]).entries())
    if ((gone & (1 << at)) === 0) rows.push(rowOf(kept, seq + at, visible_at, claimed_at));
  return rows;
}

/** The messages of a chunk that is claimed as it comes. */
export function claimedRows({ seq, messages }: Chunk, { at: claimedAt, until }: ChunkClaim): MessageRow[] {
  return messages.map((message, at) => rowOf(keptOf(message), seq + at, until, claimedAt));
}

/** @param claimed_at 0 for one that never was. */
function rowOf(kept: Kept, seq: number, visible_at: number, claimed_at: number): MessageRow {
  const [message_id, md5, sender, sent_at, group_id, extra, body] = kept;
  const claims = claimed_at === 0 ? 0 : 1;
  return {
    seq,
    visible_at,
    sent_at,
    receives: claims,
    claims,
    first_at: claimed_at,
    claimed_at,
    message_id,
    sender,
    md5,
    group_id,
    extra,
    body,
  };
}

export async function deleteChunk(
  tx: Transaction,
  queueId: number,
  { visible_at, seq }: Pick<ChunkRow, "visible_at" | "seq">,
): Promise<void> {
  await tx.run(DELETE, queueId, visible_at, seq);
}

/** When the messages of the first chunk can be, or could be, received; undefined where there is none. */
export async function firstChunkAt(reader: Reader, queueId: number): Promise<number | undefined> {
  return (await reader.get<{ at: number }>(NEXT, queueId))?.at;
}

/** Messages in chunks, of those sent after a time; `hidden` ones are in flight. */
export async function countInChunks(
  reader: Reader,
  queueId: number,
  now: number,
  sentAfter: number,
): Promise<{ readonly visible: number; readonly hidden: number }> {
  // A chunk is visible no sooner than it was sent.
  const counts = await reader.get<{ visible: number; hidden: number }>(
    COUNT,
    now,
    now,
    queueId,
    sentAfter,
    sentAfter,
  );
  return counts ?? { visible: 0, hidden: 0 };
}

/** Removes some of the chunks that were sent no later than a time. @returns whether there may be more */
export async function deleteOldChunks(
  tx: Transaction,
  queueId: number,
  before: number,
  count: number,
): Promise<boolean> {
  await tx.run(DELETE_CLAIMED_UNTIL, queueId, before);
  const rows = await tx.all<{ visible_at: number }>(OLD, queueId, before, count);
  const last = rows.at(-1);
  if (last) await tx.run(DELETE_UNTIL, queueId, last.visible_at);
  return rows.length === count;
}
