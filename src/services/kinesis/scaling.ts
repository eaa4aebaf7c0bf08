/** Changes the shards of streams: on request, and of on-demand streams whose shards are asked for more than they give. */
import type { Clock } from "../../kit/clock.ts";
import type { Database, Transaction } from "../../store/database.ts";
import type { Signals } from "../../store/signals.ts";
import type { Log } from "../../telemetry/log.ts";
import { noSuchStream } from "./errors.ts";
import { ON_DEMAND_SHARDS_MAX } from "./limits.ts";
import { middleOf } from "./shards/hash-key.ts";
import { Resharding } from "./shards/resharding.ts";
import { readStream } from "./streams.ts";
import type { Stream, Streams } from "./streams.ts";
import { saveShard, updateStream } from "./store.ts";
import type { StreamPlace } from "./store.ts";
import { shardTopic, streamTopic } from "./topics.ts";

interface ScalingDeps {
  readonly clock: Clock;
  readonly database: Database;
  readonly signals: Signals;
  readonly streams: Streams;
  readonly log: Log;
}

export class Scaling {
  readonly #deps: ScalingDeps;
  /** Shards that are being split, by stream and number. */
  readonly #splitting = new Map<string, Promise<void>>();

  constructor(deps: ScalingDeps) {
    this.#deps = deps;
  }

  /** Changes a stream's shards in one transaction: readers and writers see all of it or nothing. */
  async reshard<T>(
    place: StreamPlace,
    change: (tx: Transaction, stream: Stream, resharding: Resharding) => Promise<T>,
  ): Promise<T> {
    const { database, clock, streams } = this.#deps;
    return database.tx(async (tx) => {
      streams.forgetAfter(tx, place);
      const stream = await readStream(tx, place);
      if (stream?.status !== "ACTIVE") throw noSuchStream(place);
      const resharding = new Resharding(stream.shards, stream.next_shard, clock.now());
      const result = await change(tx, stream, resharding);
      await this.#save(tx, stream, resharding);
      return result;
    });
  }

  /** A shard of an on-demand stream was asked for more than it gives: it is cut in two, unless it is already being cut. */
  exceeded(stream: Stream, shardNo: number): void {
    if (stream.mode !== "ON_DEMAND" || stream.open.length >= ON_DEMAND_SHARDS_MAX) return;
    const key = `${stream.stream_id} ${shardNo}`;
    if (this.#splitting.has(key)) return;
    const splitting = this.#split(stream, shardNo)
      .catch((error: unknown) =>
        this.#deps.log.error("an on-demand stream could not be scaled", { stream: stream.name, error }),
      )
      .finally(() => this.#splitting.delete(key));
    this.#splitting.set(key, splitting);
  }

  async stop(): Promise<void> {
    await Promise.allSettled(this.#splitting.values());
  }

  async #split(place: StreamPlace, shardNo: number): Promise<void> {
    await this.reshard(place, async (_tx, stream, resharding) => {
      const shard = stream.open.find((one) => one.shardNo === shardNo);
      if (shard && shard.startHash < shard.endHash) resharding.split(shardNo, middleOf(shard));
    });
  }

  async #save(tx: Transaction, stream: Stream, resharding: Resharding): Promise<void> {
    const { signals } = this.#deps;
    if (resharding.changed.length === 0) return;
    for (const shard of resharding.changed) await saveShard(tx, stream.stream_id, shard);
    await updateStream(tx, { ...stream, next_shard: resharding.nextNo });
    // Those who wait at the end of a shard learn that it has been closed.
    for (const { shardNo } of resharding.changed) await signals.send(tx, shardTopic(stream, shardNo));
    await signals.send(tx, streamTopic(stream));
  }
}
