/** Removes records that have expired, and what deleted streams leave, a little at a time: other writers get their turn. */
import { setImmediate } from "node:timers/promises";
import { BackgroundWork } from "../../kit/background-work.ts";
import type { Clock } from "../../kit/clock.ts";
import type { Database } from "../../store/database.ts";
import type { Log } from "../../telemetry/log.ts";
import { deleteSomeChunks, expireChunks, oldestArrival } from "./records/store-chunks.ts";
import { horizonOf } from "./streams.ts";
import type { Streams } from "./streams.ts";
import { allStreams, deleteShard, deleteStreamRow, shardsOf } from "./store.ts";
import type { StreamRow } from "./store.ts";

interface HousekeepingDeps {
  readonly clock: Clock;
  readonly database: Database;
  readonly streams: Streams;
  readonly log: Log;
}

const SWEEP_MS = 60_000;
/** Rows that one transaction removes. */
const ROWS_MAX = 200;

export class Housekeeping {
  readonly #deps: HousekeepingDeps;
  readonly #sweeps: BackgroundWork;

  constructor(deps: HousekeepingDeps) {
    this.#deps = deps;
    this.#sweeps = new BackgroundWork({
      work: () => this.#sweep(),
      failed: (error) => deps.log.error("old records of Kinesis streams could not be removed", { error }),
    });
  }

  /** Sweeps now, and then every minute until stopped. Readers hide records from the moment they expire. */
  start(): void {
    this.#sweeps.every(this.#deps.clock, SWEEP_MS).soon();
  }

  sweepSoon(): void {
    this.#sweeps.soon();
  }

  /** Resolves when there is nothing left to remove. */
  sweep(): Promise<void> {
    return this.#sweeps.once();
  }

  stop(): Promise<void> {
    return this.#sweeps.stop();
  }

  async #sweep(): Promise<void> {
    for (const stream of await allStreams(this.#deps.database)) {
      if (this.#sweeps.signal.aborted) return;
      await (stream.status === "DELETING" ? this.#remove(stream) : this.#expire(stream));
    }
  }

  async #remove(stream: StreamRow): Promise<void> {
    const { database, streams } = this.#deps;
    await this.#untilDone(() => database.tx((tx) => deleteSomeChunks(tx, stream.stream_id, ROWS_MAX)));
    if (this.#sweeps.signal.aborted) return;
    await database.tx((tx) => deleteStreamRow(tx, stream.stream_id));
    streams.forget(stream);
  }

  async #expire(stream: StreamRow): Promise<void> {
    const { database, clock, streams } = this.#deps;
    const before = horizonOf(stream, clock.now());
    const { stream_id } = stream;
    for (const { shardNo, closedAt } of await shardsOf(database, stream_id)) {
      // Where nothing has expired, nothing is written.
      if (((await oldestArrival(database, stream_id, shardNo)) ?? before) < before)
        await this.#untilDone(() =>
          database.tx((tx) => expireChunks(tx, stream_id, shardNo, before, ROWS_MAX)),
        );
      if (closedAt === null || closedAt >= before || this.#sweeps.signal.aborted) continue;
      await database.tx((tx) => deleteShard(tx, stream_id, shardNo));
      streams.forget(stream);
    }
  }

  /** Repeats a step, which answers how many rows it removed, until it removes fewer than a full portion. */
  async #untilDone(step: () => Promise<number>): Promise<void> {
    while (!this.#sweeps.signal.aborted && (await step()) >= ROWS_MAX) await setImmediate();
  }
}
