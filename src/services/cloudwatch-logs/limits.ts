/** CloudWatch Logs' quotas for events. @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html */
import { EVENT_OVERHEAD_BYTES } from "./chunk.ts";
import type { LogEvent } from "./chunk.ts";

/** One PutLogEvents request, each event with its overhead. */
export const BATCH_BYTES_MAX = 1_048_576;
/** One event, with its overhead. */
export const EVENT_BYTES_MAX = 1_048_576;
/** One answer of GetLogEvents or FilterLogEvents. */
export const ANSWER_BYTES_MAX = 1_048_576;
export const ANSWER_EVENTS_MAX = 10_000;
/** Between the first and the last event of a request. */
export const BATCH_SPAN_MS_MAX = 24 * 3_600_000;
export const EVENT_AHEAD_MS_MAX = 2 * 3_600_000;
export const EVENT_AGE_MS_MAX = 14 * 24 * 3_600_000;
export const DAY_MS = 24 * 3_600_000;

const PIECE_BYTES_MAX = EVENT_BYTES_MAX - EVENT_OVERHEAD_BYTES;

/** Cuts a function's line that is longer than an event may be; an empty line is no event. */
export function splitMessage(event: LogEvent): LogEvent[] {
  const { message, timestamp } = event;
  if (message.length === 0) return [];
  // A UTF-16 unit takes three bytes at most, so most lines need no counting.
  if (message.length * 3 <= PIECE_BYTES_MAX || Buffer.byteLength(message) <= PIECE_BYTES_MAX)
    return [{ timestamp, message }];
  const bytes = Buffer.from(message);
  const pieces: LogEvent[] = [];
  for (let from = 0; from < bytes.length;) {
    let to = Math.min(from + PIECE_BYTES_MAX, bytes.length);
    // Not within a character: continuation bytes are 10xxxxxx.
    while (to < bytes.length && ((bytes[to] ?? 0) & 0xc0) === 0x80) to--;
    pieces.push({ timestamp, message: bytes.toString("utf8", from, to) });
    from = to;
  }
  return pieces;
}
