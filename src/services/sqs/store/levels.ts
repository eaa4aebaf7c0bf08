/** SQL of what metrics tell of a queue beside the numbers of its messages. */
import { sql } from "../../../store/database.ts";
import type { Reader } from "../../../store/database.ts";

/** A standard queue's message that was received so often is passed over: something is wrong with it alone. */
const RECEIVES_PASSED_OVER = 3;

const OLDEST_ROW = sql(
  "sqs.oldest-message",
  "SELECT sent_at FROM sqs_message WHERE queue_id = ? AND sent_at > ? AND receives < ? ORDER BY seq LIMIT 1",
);
const OLDEST_CHUNK = sql(
  "sqs.oldest-chunk",
  "SELECT sent_at FROM sqs_chunk WHERE queue_id = ? AND sent_at > ? AND gone_count < messages ORDER BY visible_at, seq LIMIT 1",
);
const GROUPS = sql(
  "sqs.groups-in-flight",
  "SELECT count(DISTINCT group_id) AS count FROM sqs_message WHERE queue_id = ? AND visible_at > ? AND claims > 0",
);

/** When a queue's first message was sent that has not expired; undefined where there is none. */
export async function oldestSentAt(
  reader: Reader,
  {
    id,
    isFifo,
    retentionMs,
  }: { readonly id: number; readonly isFifo: boolean; readonly retentionMs: number },
  now: number,
): Promise<number | undefined> {
  const receives = isFifo ? Number.MAX_SAFE_INTEGER : RECEIVES_PASSED_OVER;
  const row = await reader.get<{ sent_at: number }>(OLDEST_ROW, id, now - retentionMs, receives);
  const chunk = isFifo
    ? undefined
    : await reader.get<{ sent_at: number }>(OLDEST_CHUNK, id, now - retentionMs);
  const oldest = Math.min(row?.sent_at ?? Infinity, chunk?.sent_at ?? Infinity);
  return oldest === Infinity ? undefined : oldest;
}

/** Groups of a FIFO queue of which messages are received and not yet deleted. */
export async function groupsInFlight(reader: Reader, queueId: number, now: number): Promise<number> {
  return (await reader.get<{ count: number }>(GROUPS, queueId, now))?.count ?? 0;
}
