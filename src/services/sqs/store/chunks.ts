/** SQL of chunks: messages of standard queues that came together, in one row until the first of them is received. */
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
}

interface ChunkRow {
  readonly visible_at: number;
  readonly seq: number;
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
    `INSERT INTO sqs_chunk (queue_id, visible_at, seq, messages, content)
     VALUES ${Array.from({ length: rows }, () => "(?, ?, ?, ?, ?)").join(", ")}`,
  );
const INSERTS = [8, 4, 2, 1].map((rows) => ({ rows, statement: insertOf(rows) }));

const firstText = (locking: string) => `
   SELECT visible_at, seq, content FROM sqs_chunk WHERE queue_id = ? AND visible_at <= ?
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
const COUNT = sql(
  "sqs.count-in-chunks",
  "SELECT COALESCE(sum(messages), 0) AS count FROM sqs_chunk WHERE queue_id = ? AND visible_at > ?",
);
const OLD = sql(
  "sqs.old-chunks",
  "SELECT visible_at FROM sqs_chunk WHERE queue_id = ? AND visible_at <= ? ORDER BY visible_at, seq LIMIT ?",
);
const DELETE_UNTIL = sql(
  "sqs.delete-chunks-until",
  "DELETE FROM sqs_chunk WHERE queue_id = ? AND visible_at <= ?",
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
      for (const { queueId, seq, messages } of chunks.slice(at, at + rows))
        parameters.push(queueId, messages.at(-1)?.visibleAt ?? 0, seq, messages.length, contentOf(messages));
      await tx.run(statement, ...parameters);
    }
}

function contentOf(messages: readonly NewMessage[]): string {
  return JSON.stringify(
    messages.map(({ messageId, md5, sender, sentAt, groupId, extra, body }): Kept => [
      messageId,
      md5,
      sender,
      sentAt,
      groupId ?? null,
      extra,
      body,
    ]),
  );
}

/** Takes the first chunks away, and answers their messages, none of which was ever received, in order. */
export async function openChunks(
  tx: Transaction,
  engine: Database["engine"],
  queueId: number,
  before: number,
  count: number,
): Promise<MessageRow[]> {
  const chunks = await tx.all<ChunkRow>(FIRST[engine], queueId, before, count);
  const rows: MessageRow[] = [];
  for (const { visible_at, seq, content } of chunks) {
    await tx.run(DELETE, queueId, visible_at, seq);
    for (const [at, kept] of (JSON.parse(content) as Kept[]).entries()) {
      const [message_id, md5, sender, sent_at, group_id, extra, body] = kept;
      rows.push({
        seq: seq + at,
        visible_at,
        sent_at,
        receives: 0,
        claims: 0,
        first_at: 0,
        claimed_at: 0,
        message_id,
        sender,
        md5,
        group_id,
        extra,
        body,
      });
    }
  }
  return rows;
}

/** When the first chunk came; undefined where there is none. */
export async function firstChunkAt(reader: Reader, queueId: number): Promise<number | undefined> {
  return (await reader.get<{ at: number }>(NEXT, queueId))?.at;
}

/** Messages in chunks that came after a time. */
export async function countInChunks(reader: Reader, queueId: number, after: number): Promise<number> {
  return (await reader.get<{ count: number }>(COUNT, queueId, after))?.count ?? 0;
}

/** Removes some of the chunks that came no later than a time. @returns whether there may be more */
export async function deleteOldChunks(
  tx: Transaction,
  queueId: number,
  before: number,
  count: number,
): Promise<boolean> {
  const rows = await tx.all<{ visible_at: number }>(OLD, queueId, before, count);
  const last = rows.at(-1);
  if (last) await tx.run(DELETE_UNTIL, queueId, last.visible_at);
  return rows.length === count;
}
