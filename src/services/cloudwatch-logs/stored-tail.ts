/** What groups take in, read from the database: for live tails where several servers share one, and others take lines in too. */
import type { Reader } from "../../store/database.ts";
import { decodeEvents } from "./chunk.ts";
import type { TailListener } from "./live-tails.ts";
import { chunksByNumber } from "./store-chunks.ts";
import { streamsFedSince } from "./store.ts";
import type { FedStream } from "./store.ts";

/** What clocks of servers may differ by, and a transaction may last: streams fed so long before are looked at again. */
const OVERLAP_MS = 60_000;
/** Chunks of a stream that are read at once; of more than that the newest, since a live tail shows a sample then anyway. */
const CHUNKS_MAX = 64;

export class StoredTail {
  readonly #reader: Reader;
  readonly #listener: TailListener;
  readonly #groupIds: readonly number[];
  /** The first chunk of each stream that was not told yet. */
  readonly #next = new Map<number, number>();
  #lookedAt: number;

  private constructor(reader: Reader, groupIds: readonly number[], listener: TailListener, now: number) {
    this.#reader = reader;
    this.#groupIds = groupIds;
    this.#listener = listener;
    this.#lookedAt = now;
  }

  /** Begins with what comes from now on. */
  static async start(
    reader: Reader,
    groupIds: readonly number[],
    listener: TailListener,
    now: number,
  ): Promise<StoredTail> {
    const tail = new StoredTail(reader, groupIds, listener, now);
    for (const groupId of groupIds)
      for (const stream of await streamsFedSince(reader, groupId, 0))
        tail.#next.set(stream.stream_id, stream.next_chunk);
    return tail;
  }

  /** Tells what has come since the last look. */
  async look(now: number): Promise<void> {
    const since = this.#lookedAt - OVERLAP_MS;
    for (const groupId of this.#groupIds)
      for (const stream of await streamsFedSince(this.#reader, groupId, since))
        await this.#tell(groupId, stream);
    this.#lookedAt = now;
  }

  async #tell(groupId: number, { stream_id, name, next_chunk }: FedStream): Promise<void> {
    const from = Math.max(this.#next.get(stream_id) ?? 0, next_chunk - CHUNKS_MAX);
    if (from >= next_chunk) return;
    for (const chunk of await chunksByNumber(this.#reader, stream_id, from, next_chunk - 1))
      this.#listener(groupId, name, decodeEvents(chunk.events), chunk.ingested_at);
    this.#next.set(stream_id, next_chunk);
  }
}
