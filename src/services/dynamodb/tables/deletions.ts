/** Deletes what large tables hold, in the background and in steps. */
import { setImmediate } from "node:timers/promises";
import type { Database } from "../../../store/database.ts";
import type { Log } from "../../../telemetry/log.ts";
import { continueDeletion, tablesBeingDeleted } from "../store.ts";
import type { TableDefinition } from "./definition.ts";
import type { TableRegistry } from "./registry.ts";

/** The deletions that run; those that a stop interrupts are taken up at the next start. */
export class Deletions {
  readonly #database: Database;
  readonly #tables: TableRegistry;
  readonly #log: Log;
  readonly #running = new Set<Promise<void>>();
  #stopped = false;

  constructor(database: Database, tables: TableRegistry, log: Log) {
    this.#database = database;
    this.#tables = tables;
    this.#log = log;
  }

  /** Goes on with what an earlier run left. */
  async resume(): Promise<void> {
    for (const table of await tablesBeingDeleted(this.#database)) this.begin(table);
  }

  begin(table: TableDefinition): void {
    const run = this.#delete(table).finally(() => this.#running.delete(run));
    // A failure leaves the table DELETING, for the next start.
    run.catch((error: unknown) =>
      this.#log.error("a table could not be deleted; the next start goes on with it", {
        table: table.name,
        error,
      }),
    );
    this.#running.add(run);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.allSettled(this.#running);
  }

  async #delete(table: TableDefinition): Promise<void> {
    while (!this.#stopped) {
      const isGone = await this.#database.tx((transaction) => continueDeletion(transaction, table));
      if (isGone) {
        this.#tables.forget(table);
        return;
      }
      await setImmediate();
    }
  }
}
