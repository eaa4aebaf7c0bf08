/** Where a batch ends: at its size, at the largest payload of an invocation, or when its window is over. */

export interface BatchLimits {
  /** Records. */
  readonly size: number;
  /** Of the records' JSON with the commas between them. */
  readonly bytesMax: number;
  /** How long records are waited for after the first. */
  readonly windowMs: number;
}

/** A record that waits for its batch. */
export interface Queued {
  /** Of its JSON in the event. */
  readonly bytes: number;
  /** When it was read, in epoch milliseconds. */
  readonly readAt: number;
}

export interface Gathered {
  /** Records of the next batch as far as they are there. */
  readonly count: number;
  /** Until when further ones are waited for, in epoch milliseconds; undefined for a batch that goes now. */
  readonly waitUntil: number | undefined;
}

/** The batch at the head of a queue that has at least one record. A record that is larger than an event may be is a batch of its own. */
export function gather(queue: readonly Queued[], limits: BatchLimits, now: number): Gathered {
  let count = 0;
  let bytes = 0;
  for (const record of queue) {
    const comma = count === 0 ? 0 : 1;
    if (count === limits.size) break;
    if (count > 0 && bytes + comma + record.bytes > limits.bytesMax) break;
    bytes += comma + record.bytes;
    count++;
  }
  const isFull = count === limits.size || count < queue.length || bytes >= limits.bytesMax;
  const until = (queue[0]?.readAt ?? now) + limits.windowMs;
  return { count, waitUntil: isFull || until <= now ? undefined : until };
}
