/** Events are stored in chunks: a run of one stream's events, in order, that spans little time. */

export interface LogEvent {
  /** Epoch milliseconds. */
  readonly timestamp: number;
  readonly message: string;
}

export interface Chunk {
  readonly minAt: number;
  readonly maxAt: number;
  /** As CloudWatch Logs counts: UTF-8 bytes plus 26 for each event. */
  readonly bytes: number;
  /** JSON: `[[timestamp, message], …]`. */
  readonly events: string;
}

/** What each event counts beyond its message. */
export const EVENT_OVERHEAD_BYTES = 26;
/**
 * No chunk spans more: readers that go by the first timestamp of chunks look at most this far back (or ahead) for
 * events of chunks that overlap.
 */
export const CHUNK_SPAN_MS_MAX = 10_000;
/** A chunk is read whole, so it stays small beside the largest answer (1 MiB). */
const CHUNK_BYTES_MAX = 256 * 1_024;

export function eventBytes(event: LogEvent): number {
  return Buffer.byteLength(event.message) + EVENT_OVERHEAD_BYTES;
}

/** Cuts events that are in order of time into chunks. */
export function toChunks(events: readonly LogEvent[]): Chunk[] {
  const chunks: Chunk[] = [];
  let run: LogEvent[] = [];
  let bytes = 0;
  const close = () => {
    const [first, last] = [run[0], run.at(-1)];
    if (!first || !last) return;
    chunks.push({ minAt: first.timestamp, maxAt: last.timestamp, bytes, events: encode(run) });
    run = [];
    bytes = 0;
  };
  for (const event of events) {
    const size = eventBytes(event);
    const first = run[0];
    if (first && (bytes + size > CHUNK_BYTES_MAX || event.timestamp - first.timestamp > CHUNK_SPAN_MS_MAX))
      close();
    run.push(event);
    bytes += size;
  }
  close();
  return chunks;
}

export function decodeEvents(text: string): LogEvent[] {
  return (JSON.parse(text) as [number, string][]).map(([timestamp, message]) => ({ timestamp, message }));
}

function encode(events: readonly LogEvent[]): string {
  return JSON.stringify(events.map((event) => [event.timestamp, event.message]));
}
