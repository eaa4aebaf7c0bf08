/** Removes records 24 hours old, and the shards and streams that ended as long ago. */
import { setImmediate } from "node:timers/promises";
import type { Clock } from "../../../kit/clock.ts";
import { every } from "../../../kit/clock.ts";
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
  readonly #end: () => void;
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(deps: HousekeepingDeps) {
    this.#deps = deps;
    this.#end = every(deps.clock, PAUSE_MS, () => this.#begin());
  }

  /** Waits for the step that runs. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#end();
    await this.#running;
  }

  #begin(): void {
    this.#running ??= this.#sweep()
      .catch((error: unknown) => this.#deps.log.error("old stream records could not be removed", { error }))
      .finally(() => (this.#running = undefined));
  }

  async #sweep(): Promise<void> {
    const { clock, database } = this.#deps;
    const horizon = clock.now() - RETENTION_MS;
    let last = -1;
    for (;;) {
      const shards = await shardsAfter(database, last, SHARDS_STEP);
      for (const shard of shards) await this.#trim(shard, horizon);
      last = shards.at(-1)?.id ?? last;
      if (shards.length < SHARDS_STEP || this.#stopped) break;
    }
    for (const { id } of await endedStreams(database, horizon))
      await database.tx((transaction) => removeStream(transaction, id));
  }

  async #trim(shard: ShardRow, horizon: number): Promise<void> {
    const { database } = this.#deps;
    while (!this.#stopped) {
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
