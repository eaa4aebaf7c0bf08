/** Forgets what no restore can ask for: what writes replaced too long ago, and backups whose time is over. */
import { setImmediate } from "node:timers/promises";
import type { Clock } from "../../../kit/clock.ts";
import { BackgroundWork } from "../../../kit/background-work.ts";
import type { Database } from "../../../store/database.ts";
import type { Log } from "../../../telemetry/log.ts";
import { expiredBackups, findBackup, removeBackup } from "../store-backups.ts";
import { isCopied } from "../store-copies.ts";
import { oldestHistory, trimHistory } from "../store-history.ts";
import { addTask } from "../store-tasks.ts";
import { findTable, tablesWithRecovery } from "../store.ts";
import type { TableDefinition } from "../tables/definition.ts";
import type { TableTasks } from "../tables/tasks.ts";
import { earliestRestorable } from "./recovery.ts";

const PAUSE_MS = 10 * 60_000;
/** Entries that one transaction removes, backups looked at together. */
const STEP = 500;

interface HousekeepingDeps {
  readonly clock: Clock;
  readonly database: Database;
  readonly tasks: Pick<TableTasks, "begin">;
  readonly log: Log;
}

export class BackupHousekeeping {
  readonly #deps: HousekeepingDeps;
  readonly #sweeps: BackgroundWork;

  constructor(deps: HousekeepingDeps) {
    this.#deps = deps;
    this.#sweeps = new BackgroundWork({
      work: (signal) => this.#sweep(signal),
      failed: (error) => deps.log.error("old backups could not be removed", { error }),
    }).every(deps.clock, PAUSE_MS);
  }

  /** Waits for the step that runs. */
  stop(): Promise<void> {
    return this.#sweeps.stop();
  }

  async #sweep(signal: AbortSignal): Promise<void> {
    const { database } = this.#deps;
    for (const table of await tablesWithRecovery(database)) await this.#trim(table, signal);
    await this.#removeExpired();
  }

  async #trim(table: TableDefinition, signal: AbortSignal): Promise<void> {
    const { database } = this.#deps;
    while (!signal.aborted) {
      const isOver = await database.tx(async (transaction) => {
        const present = await findTable(transaction, table);
        // A copy that is being made may need what has become too old meanwhile.
        if (!present?.history?.recovery || present.history.copies.length > 0) return true;
        const horizon = earliestRestorable(present.history.recovery, this.#deps.clock.now());
        const oldest = await oldestHistory(transaction, present.history.id, STEP);
        const young = oldest.findIndex(({ writtenAt }) => writtenAt > horizon);
        const last = young === -1 ? oldest.at(-1) : oldest[young - 1];
        if (last) await trimHistory(transaction, present.history.id, last.sequence);
        return young !== -1 || oldest.length < STEP;
      });
      if (isOver) return;
      await setImmediate();
    }
  }

  async #removeExpired(): Promise<void> {
    const { database, clock, tasks } = this.#deps;
    for (const backup of await expiredBackups(database, clock.now(), STEP)) {
      const isRemoved = await database.tx(async (transaction) => {
        if (!(await findBackup(transaction, backup)) || (await isCopied(transaction, backup.id)))
          return false;
        await removeBackup(transaction, backup);
        await addTask(transaction, backup.table, { id: backup.id, kind: "discard" });
        return true;
      });
      if (isRemoved) tasks.begin(backup.id);
    }
  }
}
