/** Finds streams with their shards, and remembers them. */
import type { Clock } from "../../kit/clock.ts";
import type { Database, Reader, Transaction } from "../../store/database.ts";
import { HOUR_MS } from "./limits.ts";
import { openShards } from "./shards/resharding.ts";
import type { Shard } from "./shards/shard.ts";
import { findStream, shardsOf } from "./store.ts";
import type { StreamPlace, StreamRow } from "./store.ts";

export interface Stream extends StreamRow {
  /** In the order of their numbers; those whose records have all expired may be among them. */
  readonly shards: readonly Shard[];
  /** Those that take records, in the order of their ranges. */
  readonly open: readonly Shard[];
}

/** How long a stream may be out of date where other servers change it too, in milliseconds. */
const SHARED_MAX_AGE_MS = 1_000;
/** Streams kept in memory. */
const REMEMBERED_MAX = 10_000;

interface Remembered {
  readonly stream: Stream;
  readonly readAt: number;
}

/** Streams by account, region and name. With SQLite this server alone changes them. */
export class Streams {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #maxAgeMs: number;
  readonly #remembered = new Map<string, Remembered>();
  /** Grows with every change, so that what was read before one is not remembered after it. */
  #changes = 0;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
    this.#maxAgeMs = database.engine === "sqlite" ? Infinity : SHARED_MAX_AGE_MS;
  }

  /** A stream that is remembered, and so can be told without waiting. */
  known(place: StreamPlace): Stream | undefined {
    const known = this.#remembered.get(placeId(place));
    return known && this.#clock.now() - known.readAt <= this.#maxAgeMs ? known.stream : undefined;
  }

  /** The stream, if there is one; also while it is being deleted. */
  async find(place: StreamPlace): Promise<Stream | undefined> {
    const known = this.known(place);
    if (known) return known;
    const id = placeId(place);
    const changes = this.#changes;
    const stream = await readStream(this.#database, place);
    if (!stream || changes !== this.#changes) return stream;
    if (this.#remembered.size >= REMEMBERED_MAX) this.#remembered.clear();
    this.#remembered.set(id, { stream, readAt: this.#clock.now() });
    return stream;
  }

  /** The same, as it is now, also where another server has just changed it. */
  current(place: StreamPlace): Promise<Stream | undefined> {
    return this.#database.engine === "sqlite" ? this.find(place) : readStream(this.#database, place);
  }

  /** Forgets a stream as soon as a change of it is there, before anyone is told. */
  forgetAfter(tx: Transaction, place: StreamPlace): void {
    tx.onCommit(() => this.forget(place));
  }

  forget(place: StreamPlace): void {
    this.#changes += 1;
    this.#remembered.delete(placeId(place));
  }
}

export async function readStream(reader: Reader, place: StreamPlace): Promise<Stream | undefined> {
  const row = await findStream(reader, place);
  if (!row) return undefined;
  const shards = await shardsOf(reader, row.stream_id);
  return { ...row, shards, open: openShards(shards) };
}

/** Records that came before this time (epoch milliseconds) have expired. */
export function horizonOf(stream: StreamRow, now: number): number {
  return Math.max(now - stream.retention_hours * HOUR_MS, stream.trimmed_before);
}

/** Shards that are open or may still have records, in the order of their numbers: parents before their children. */
export function livingShards(stream: Stream, now: number): Shard[] {
  const horizon = horizonOf(stream, now);
  return stream.shards.filter(({ closedAt }) => closedAt === null || closedAt >= horizon);
}

function placeId({ account, region, name }: StreamPlace): string {
  return `${account}/${region}/${name}`;
}
