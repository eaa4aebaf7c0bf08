/** Puts records into shards, durably: what comes for a stream while a transaction runs goes into the next, together. */
import type { Clock } from "../../../kit/clock.ts";
import type { Database, Transaction } from "../../../store/database.ts";
import type { Signals } from "../../../store/signals.ts";
import type { StreamRow } from "../store.ts";
import { shardTopic, streamTopic } from "../topics.ts";
import { joinChunks } from "./chunk.ts";
import type { NewChunk } from "./chunk.ts";
import { insertChunk, takePlaces } from "./store-chunks.ts";

/** Where a chunk has come to lie; undefined where its shard takes no records any more. */
export type Placed = { readonly lastIndex: number; readonly arrivedAt: number } | undefined;

interface Waiting {
  readonly chunks: readonly NewChunk[];
  readonly resolve: (placed: Placed[]) => void;
  readonly reject: (error: unknown) => void;
}

interface AppendDeps {
  readonly clock: Clock;
  readonly database: Database;
  readonly signals: Signals;
}

/** Calls that one transaction takes. */
const CALLS_MAX = 256;

export class Appends {
  readonly #deps: AppendDeps;
  /** By stream; an entry without calls stands for a transaction that runs. */
  readonly #waiting = new Map<number, Waiting[]>();

  constructor(deps: AppendDeps) {
    this.#deps = deps;
  }

  /** Resolves once the records are durable, with the place of each chunk. */
  append(stream: StreamRow, chunks: readonly NewChunk[]): Promise<Placed[]> {
    return new Promise((resolve, reject) => {
      const call = { chunks, resolve, reject };
      const waiting = this.#waiting.get(stream.stream_id);
      if (waiting) waiting.push(call);
      else {
        this.#waiting.set(stream.stream_id, [call]);
        void this.#drain(stream);
      }
    });
  }

  /** The same in the caller's transaction; readers wake after its commit. */
  appendIn(tx: Transaction, stream: StreamRow, chunks: readonly NewChunk[]): Promise<Placed[]> {
    return this.#write(tx, stream, chunks);
  }

  async #drain(stream: StreamRow): Promise<void> {
    const streamId = stream.stream_id;
    for (;;) {
      const calls = this.#waiting.get(streamId)?.splice(0, CALLS_MAX) ?? [];
      if (calls.length === 0) break;
      try {
        const chunks = calls.flatMap((call) => call.chunks);
        const placed = await this.#deps.database.tx((tx) => this.#write(tx, stream, chunks));
        let at = 0;
        for (const call of calls) call.resolve(placed.slice(at, (at += call.chunks.length)));
      } catch (error) {
        for (const call of calls) call.reject(error);
      }
    }
    this.#waiting.delete(streamId);
  }

  async #write(tx: Transaction, stream: StreamRow, chunks: readonly NewChunk[]): Promise<Placed[]> {
    const streamId = stream.stream_id;
    const arrivedAt = this.#deps.clock.now();
    const byShard = Map.groupBy(chunks, ({ shardNo }) => shardNo);
    const placed = new Map<NewChunk, Placed>();
    // In the order of their numbers, so that two servers do not wait for each other.
    for (const [shardNo, own] of [...byShard].sort(([a], [b]) => a - b)) {
      const count = own.reduce((sum, chunk) => sum + chunk.count, 0);
      const last = await takePlaces(tx, streamId, shardNo, count, arrivedAt);
      if (last === undefined) continue;
      let lastIndex = last - count;
      for (const chunk of own) placed.set(chunk, { lastIndex: (lastIndex += chunk.count), arrivedAt });
      lastIndex = last - count;
      for (const joined of joinChunks(own))
        await insertChunk(tx, streamId, joined, (lastIndex += joined.count), arrivedAt);
      await this.#deps.signals.send(tx, shardTopic(stream, shardNo));
    }
    if (placed.size > 0) await this.#deps.signals.send(tx, streamTopic(stream));
    return chunks.map((chunk) => placed.get(chunk));
  }
}
