/** Cuts batches out of what was read: at the batch size, at the payload's size, and in each partition's order. */
import { BATCH_BYTES_MAX } from "../source.ts";
import { envelopeBytes } from "./event.ts";
import type { Envelope, KafkaEvent } from "./event.ts";
import type { PartitionBuffer } from "./partition-buffer.ts";

export interface Batch {
  readonly events: readonly KafkaEvent[];
  /** Records too large for any invocation. */
  readonly oversized: readonly KafkaEvent[];
  /** Records taken, those that filters keep away among them. */
  readonly polled: number;
  readonly filteredOut: number;
  /** What to commit once the events are done with, by partition. */
  readonly offsets: ReadonlyMap<number, bigint>;
}

/** Whether a batch cut now would be as full as it may be. */
export function isFull(buffers: readonly PartitionBuffer[], size: number, envelope: Envelope): boolean {
  const events = buffers.reduce((sum, { events }) => sum + events, 0);
  const bytes = buffers.reduce((sum, { bytes }) => sum + bytes, 0);
  return events >= size || bytes + events >= BATCH_BYTES_MAX - envelopeBytes(envelope, buffers.length);
}

/** Takes a batch of at most `size` events, beginning with the first buffer. */
export function cut(buffers: readonly PartitionBuffer[], size: number, envelope: Envelope): Batch {
  const events: KafkaEvent[] = [];
  const oversized: KafkaEvent[] = [];
  const offsets = new Map<number, bigint>();
  const bytesMax = BATCH_BYTES_MAX - envelopeBytes(envelope, buffers.length);
  let [bytes, polled, filteredOut] = [0, 0, 0];
  for (const buffer of buffers)
    for (let read = buffer.peek(); read; read = buffer.peek()) {
      const { event, offset } = read;
      if (!event) filteredOut += 1;
      else if (event.bytes > bytesMax) oversized.push(event);
      else {
        // The comma between two records is a byte too.
        if (events.length === size || bytes + event.bytes + 1 > bytesMax) break;
        events.push(event);
        bytes += event.bytes + 1;
      }
      buffer.take();
      polled += 1;
      offsets.set(buffer.partition, offset + 1n);
    }
  // Offsets without a record of their own, such as marks of transactions, are passed too.
  for (const buffer of buffers)
    if (buffer.isEmpty && offsets.has(buffer.partition)) offsets.set(buffer.partition, buffer.position);
  return { events, oversized, polled, filteredOut, offsets };
}
