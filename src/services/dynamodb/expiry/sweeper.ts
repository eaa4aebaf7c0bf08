/** Deletes items whose time to live is over. */
import type { Clock } from "../../../kit/clock.ts";
import { BackgroundWork } from "../../../kit/background-work.ts";
import { every } from "../../../kit/clock.ts";
import type { Log } from "../../../telemetry/log.ts";
import { applyWrite, writeTogether } from "../items/write.ts";
import type { WriteDeps } from "../items/write.ts";
import { expiredEntries, expiringTables, removeExpiry } from "../store-expiries.ts";
import type { Expiry } from "../store-expiries.ts";
import type { TableDefinition, TimeToLive } from "../tables/definition.ts";
import type { TableRegistry } from "../tables/registry.ts";
import { EXPIRY_AGE_MS_MAX, isExpired } from "./time-to-live.ts";

/** AWS takes up to some days; what is tested with a time to live should not. */
const PAUSE_MS = 10_000;
/** Items deleted in one transaction. */
const STEP_ITEMS = 50;

export interface SweeperDeps extends WriteDeps {
  readonly clock: Clock;
  readonly tables: TableRegistry;
  readonly log: Log;
}

export class ExpirySweeper {
  readonly #deps: SweeperDeps;
  #end: (() => void) | undefined;
  /** Whether a table may have begun to heed times to live since the last look. */
  #isWanted = false;
  readonly #sweeps: BackgroundWork;

  constructor(deps: SweeperDeps) {
    this.#deps = deps;
    this.#sweeps = new BackgroundWork({
      work: (signal) => this.#sweep(signal),
      failed: (error) => deps.log.error("expired items could not be deleted; tried again shortly", { error }),
    });
  }

  /** Begins to look for expired items, for as long as there are tables that heed times to live. */
  start(): void {
    if (this.#sweeps.signal.aborted) return;
    this.#isWanted = true;
    this.#end ??= every(this.#deps.clock, PAUSE_MS, () => this.#sweeps.soon());
  }

  /** Waits for the step that runs. */
  async stop(): Promise<void> {
    this.#rest();
    await this.#sweeps.stop();
  }

  #rest(): void {
    this.#end?.();
    this.#end = undefined;
  }

  async #sweep(signal: AbortSignal): Promise<void> {
    const { database, tables } = this.#deps;
    this.#isWanted = false;
    const heeding = await expiringTables(database);
    // Other servers may begin it too, and end before their items do.
    if (heeding.length === 0 && !this.#isWanted && database.engine === "sqlite") this.#rest();
    for (const { owner, ...place } of heeding) {
      const table = await tables.find(place);
      if (table && !table.isDeleting && table.timeToLive?.id === owner)
        await this.#sweepTable(table, table.timeToLive, signal);
    }
  }

  async #sweepTable(table: TableDefinition, timeToLive: TimeToLive, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const to = this.#deps.clock.now();
      const range = { after: to - EXPIRY_AGE_MS_MAX, to, limit: STEP_ITEMS };
      const entries = await expiredEntries(this.#deps.database, timeToLive.id, range);
      if (entries.length > 0) await this.#expire(table, timeToLive, entries);
      if (entries.length < STEP_ITEMS) return;
    }
  }

  async #expire(found: TableDefinition, { id }: TimeToLive, entries: readonly Expiry[]): Promise<void> {
    const now = this.#deps.clock.now();
    await writeTogether(this.#deps, async (writing) => {
      const table = await this.#deps.tables.current(writing.transaction, found);
      if (table.timeToLive?.id !== id) return;
      const { attribute } = table.timeToLive;
      for (const entry of entries) {
        const { partition, position } = entry;
        await applyWrite(writing, {
          table,
          place: { owner: table.id, partition, position },
          needsPresent: true,
          isExpiry: true,
          // It may have been given more time since.
          next: (present) => (present && isExpired(present, attribute, now) ? undefined : present),
        });
        await removeExpiry(writing.transaction, id, entry);
      }
    });
  }
}
