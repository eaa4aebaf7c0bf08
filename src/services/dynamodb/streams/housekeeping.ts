/** Removes records 24 hours old, and the shards and streams that ended as long ago. */
import { setImmediate } from "node:timers/promises";
import type { Clock } from "../../../kit/clock.ts";
import { BackgroundWork } from "../../../kit/background-work.ts";
import type { Database } from "../../../store/database.ts";
import type { Log } from "../../../telemetry/log.ts";
import {
  endedStreams,
  oldestRecords,
  removeRecords,
  removeShard,
  removeStream,
  shardsAfter,
} from "../store-streams.ts";
import type { ShardRow } from "../store-streams.ts";
import { RETENTION_MS } from "./reader.ts";

/** What is too old is not read any more, whether it has been removed or not. */
const PAUSE_MS = 5 * 60_000;
/** Records that one transaction removes, shards looked at together. */
const RECORDS_STEP = 500;
const SHARDS_STEP = 500;

interface HousekeepingDeps {
  readonly clock: Clock;
  readonly database: Database;
  readonly log: Log;
}

export class StreamHousekeeping {
  readonly #deps: HousekeepingDeps;
  readonly #sweeps: BackgroundWork;

  constructor(deps: HousekeepingDeps) {
    this.#deps = deps;
    this.#sweeps = new BackgroundWork({
      work: (signal) => this.#sweep(signal),
      failed: (error) => deps.log.error("old stream records could not be removed", { error }),
    }).every(deps.clock, PAUSE_MS);
  }

  /** Waits for the step that runs. */
  stop(): Promise<void> {
    return this.#sweeps.stop();
  }

  async #sweep(signal: AbortSignal): Promise<void> {
    const { clock, database } = this.#deps;
    const horizon = clock.now() - RETENTION_MS;
    let last = -1;
    for (;;) {
      const shards = await shardsAfter(database, last, SHARDS_STEP);
      for (const shard of shards) await this.#trim(shard, horizon, signal);
      last = shards.at(-1)?.id ?? last;
      if (shards.length < SHARDS_STEP || signal.aborted) break;
    }
    for (const { id } of await endedStreams(database, horizon))
      await database.tx((transaction) => removeStream(transaction, id));
  }

  async #trim(shard: ShardRow, horizon: number, signal: AbortSignal): Promise<void> {
    const { database } = this.#deps;
    while (!signal.aborted) {
      const oldest = await oldestRecords(database, shard.id, RECORDS_STEP);
      const old = oldest.filter(({ arrivedAt }) => arrivedAt <= horizon);
      const last = old.at(-1)?.sequence;
      if (last !== undefined) await database.tx((tx) => removeRecords(tx, shard.id, last));
      if (old.length === RECORDS_STEP) {
        await setImmediate();
        continue;
      }
      const isOver = shard.ending > 0 && shard.closedAt <= horizon;
      if (isOver && old.length === oldest.length) await database.tx((tx) => removeShard(tx, shard.id));
      return;
    }
  }
}
