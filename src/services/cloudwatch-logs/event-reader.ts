/** Reads the events of a stream or a whole group in order, forwards or backwards, from chunks that may overlap. */
import { setImmediate } from "node:timers/promises";
import type { Reader } from "../../store/database.ts";
import { CHUNK_SPAN_MS_MAX, decodeEvents } from "./chunk.ts";
import { comparePositions } from "./position.ts";
import type { Position } from "./position.ts";
import { chunksOfGroup, chunksOfGroupDown, chunksOfStream, chunksOfStreamDown } from "./store-chunks.ts";
import type { ChunkKey, ChunkRow } from "./store-chunks.ts";

export interface StoredEvent extends Position {
  readonly message: string;
  readonly ingestedAt: number;
}

export interface Selection {
  readonly of: { readonly streamId: number } | { readonly groupId: number };
  /** Epoch milliseconds, both inclusive. */
  readonly fromAt: number;
  readonly toAt: number;
  /** Where to begin: the first event at or after it, or, descending, the last one before it. */
  readonly boundary: Position | undefined;
  readonly descending: boolean;
  /** Streams that are not wanted are skipped without being decoded. */
  readonly wantsStream?: (streamId: number) => boolean | Promise<boolean>;
}

/** Some events in order, and how many bytes of chunks had to be read for them. */
export interface Batch {
  readonly events: readonly StoredEvent[];
  readonly bytesRead: number;
}

const CHUNKS_PER_PAGE = 64;

/**
 * Reads in batches. An event may only be given once no chunk that is still to come can hold an earlier one (a later
 * one, descending); chunks come by their first timestamp and span {@link CHUNK_SPAN_MS_MAX} at most.
 */
export async function* readEvents(reader: Reader, selection: Selection): AsyncGenerator<Batch> {
  const { descending, boundary } = selection;
  const range = narrowed(selection);
  const inRange = (event: StoredEvent) =>
    event.at >= range.fromAt &&
    event.at <= range.toAt &&
    (boundary === undefined || comparePositions(event, boundary) < 0 === descending);
  let key = firstKey(range, descending);
  let held: StoredEvent[] = [];
  for (;;) {
    const page = await readPage(reader, selection, range, key);
    const last = page.at(-1);
    let bytesRead = 0;
    for (const chunk of page) {
      bytesRead += chunk.bytes;
      if (selection.wantsStream && !(await selection.wantsStream(chunk.stream_id))) continue;
      for (const event of eventsOf(chunk)) if (inRange(event)) held.push(event);
    }
    held.sort(descending ? (a, b) => comparePositions(b, a) : comparePositions);
    if (last === undefined || page.length < CHUNKS_PER_PAGE) {
      yield { events: held, bytesRead };
      return;
    }
    const edge = last.min_at;
    const isSafe = descending
      ? (event: StoredEvent) => event.at > edge + CHUNK_SPAN_MS_MAX
      : (event: StoredEvent) => event.at < edge;
    const kept = held.findIndex((event) => !isSafe(event));
    const events = kept < 0 ? held : held.slice(0, kept);
    held = kept < 0 ? [] : held.slice(kept);
    yield { events, bytesRead };
    key = { minAt: last.min_at, streamId: last.stream_id, chunkNo: last.chunk_no };
    // A long scan leaves room for other work.
    await setImmediate();
  }
}

interface Range {
  readonly fromAt: number;
  readonly toAt: number;
}

/** The boundary's time narrows the range, so that a page further on does not read from the beginning. */
function narrowed({ fromAt, toAt, boundary, descending }: Selection): Range {
  if (!boundary) return { fromAt, toAt };
  return descending
    ? { fromAt, toAt: Math.min(toAt, boundary.at) }
    : { fromAt: Math.max(fromAt, boundary.at), toAt };
}

function firstKey(range: Range, descending: boolean): ChunkKey {
  const end = Number.MAX_SAFE_INTEGER;
  return descending
    ? { minAt: range.toAt, streamId: end, chunkNo: end }
    : { minAt: range.fromAt - CHUNK_SPAN_MS_MAX, streamId: -1, chunkNo: -1 };
}

function readPage(
  reader: Reader,
  { of, descending }: Selection,
  range: Range,
  key: ChunkKey,
): Promise<ChunkRow[]> {
  if (!descending)
    return "streamId" in of
      ? chunksOfStream(reader, of.streamId, key, range, CHUNKS_PER_PAGE)
      : chunksOfGroup(reader, of.groupId, key, range, CHUNKS_PER_PAGE);
  const down = { fromAt: range.fromAt, lowestMinAt: range.fromAt - CHUNK_SPAN_MS_MAX };
  return "streamId" in of
    ? chunksOfStreamDown(reader, of.streamId, key, down, CHUNKS_PER_PAGE)
    : chunksOfGroupDown(reader, of.groupId, key, down, CHUNKS_PER_PAGE);
}

function eventsOf(chunk: ChunkRow): StoredEvent[] {
  return decodeEvents(chunk.events).map((event, index) => ({
    at: event.timestamp,
    streamId: chunk.stream_id,
    chunkNo: chunk.chunk_no,
    index,
    message: event.message,
    ingestedAt: chunk.ingested_at,
  }));
}
