/** Forgets what no restore can ask for: what writes replaced too long ago, and backups whose time is over. */
import { setImmediate } from "node:timers/promises";
import type { Clock } from "../../../kit/clock.ts";
import { every } from "../../../kit/clock.ts";
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
      .catch((error: unknown) => this.#deps.log.error("old backups could not be removed", { error }))
      .finally(() => (this.#running = undefined));
  }

  async #sweep(): Promise<void> {
    const { database } = this.#deps;
    for (const table of await tablesWithRecovery(database)) await this.#trim(table);
    await this.#removeExpired();
  }

  async #trim(table: TableDefinition): Promise<void> {
    const { database } = this.#deps;
    while (!this.#stopped) {
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
