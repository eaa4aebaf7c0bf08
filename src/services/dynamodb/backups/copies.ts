/**
 * Makes the copies that backups and restored tables are, in the background and in steps, while the table is written to: its
 * rows are copied as they are by then, and what was written too late for the copy is undone in it.
 */
import { setImmediate } from "node:timers/promises";
import type { Database, Transaction } from "../../../store/database.ts";
import type { Clock } from "../../../kit/clock.ts";
import { sleep } from "../../../kit/clock.ts";
import type { Log } from "../../../telemetry/log.ts";
import { finishBackup } from "../store-backups.ts";
import { advanceCopy, copiesToMake, copyRowsUpTo, findCopy, putBack, removeCopy } from "../store-copies.ts";
import type { Copy } from "../store-copies.ts";
import { historyBefore } from "../store-history.ts";
import { rowsAfter, sizesAfter } from "../store-items.ts";
import { addTask } from "../store-tasks.ts";
import { changeTable, findTable } from "../store.ts";
import type { TableDefinition } from "../tables/definition.ts";
import type { TableRegistry } from "../tables/registry.ts";
import type { TableTasks } from "../tables/tasks.ts";
import { addEntry } from "../tables/tasks.ts";
import { AFTER_ALL } from "../values/key-encoding.ts";
import { withoutCopy } from "./history-log.ts";

/** Rows that one step deals with. */
const STEP_ROWS = 100;
const NO_BYTES: Uint8Array = new Uint8Array();

/** How long after a failure a copy is gone on with. */
const RETRY_MS = 5000;

export interface CopyDeps {
  readonly clock: Clock;
  readonly database: Database;
  readonly tables: TableRegistry;
  readonly tasks: Pick<TableTasks, "begin">;
  readonly log: Log;
}

/** The copies that are being made; those that a stop interrupts are taken up at the next start, where they were. */
export class TableCopies {
  readonly #deps: CopyDeps;
  readonly #running = new Set<Promise<void>>();
  readonly #stopped = new AbortController();

  constructor(deps: CopyDeps) {
    this.#deps = deps;
  }

  /** Goes on with what an earlier run left. */
  async resume(): Promise<void> {
    for (const id of await copiesToMake(this.#deps.database)) this.begin(id);
  }

  /** Begins a copy whose row has been committed. */
  begin(id: number): void {
    const run = this.#untilMade(id).finally(() => this.#running.delete(run));
    this.#running.add(run);
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await Promise.all(this.#running);
  }

  /** A table waits for its copies, so that they are tried again until they are made. */
  async #untilMade(id: number): Promise<void> {
    const { clock, log } = this.#deps;
    while (!this.#stopped.signal.aborted) {
      try {
        return await this.#run(id);
      } catch (error) {
        log.error("a copy of a table failed; it is gone on with", { copy: id, error });
        await sleep(clock, RETRY_MS, this.#stopped.signal);
      }
    }
  }

  async #run(id: number): Promise<void> {
    const { database } = this.#deps;
    while (!this.#stopped.signal.aborted) {
      const state = await database.tx(async (transaction) => {
        const copy = await findCopy(transaction, id);
        return copy && { copy, isWhole: await advance(transaction, copy) };
      });
      if (!state) return;
      if (state.isWhole) return this.#finish(state.copy);
      await setImmediate();
    }
  }

  /** Lets the copy be used, and the table that was copied forget what it kept for it. */
  async #finish(copy: Copy): Promise<void> {
    const { tables, database, tasks } = this.#deps;
    const { account, region } = copy;
    const source = copy.sourceName && (await tables.find({ account, region, name: copy.sourceName }));
    const target = copy.kind === "restore" && (await tables.find(copy));
    const involved = [source, target].filter((table) => typeof table === "object");
    let discarded: number | undefined;
    await changeAll(tables, involved, () =>
      database.tx(async (transaction) => {
        const last = await findCopy(transaction, copy.id);
        // Another server may have been first.
        if (!last) return [];
        await removeCopy(transaction, copy.id);
        if (copy.kind === "backup") await finishBackup(transaction, copy.id, last);
        const changed: TableDefinition[] = [];
        for (const one of involved) {
          const present = await findTable(transaction, one);
          if (present?.id !== one.id) continue;
          const released = release(present, copy.id);
          if (present.history && !released.history) {
            discarded = present.history.id;
            await addTask(transaction, present, { id: discarded, kind: "discard" });
          }
          changed.push(await changeTable(transaction, released));
        }
        return changed;
      }),
    );
    if (discarded !== undefined) tasks.begin(discarded);
  }
}

/** The table when a copy is done that is made of it, or that it is. */
function release({ history, restored, ...table }: TableDefinition, copy: number): TableDefinition {
  const kept = history && withoutCopy(history, copy);
  const isMade = table.id === copy && restored;
  return {
    ...table,
    ...(kept && { history: kept }),
    ...(restored && { restored: isMade ? { ...restored, isUnderWay: false } : restored }),
  };
}

/** Changes the definitions of several tables in one piece of work, which answers the new ones. */
async function changeAll(
  tables: TableRegistry,
  involved: readonly TableDefinition[],
  work: () => Promise<TableDefinition[]>,
): Promise<TableDefinition[]> {
  const [first, ...others] = involved;
  if (!first) return work();
  let changed: TableDefinition[] = [];
  await tables.whileChanging(first, async () => {
    changed = await changeAll(tables, others, work);
    return changed.find(({ id }) => id === first.id) ?? first;
  });
  return changed;
}

/** One step; answers whether it was the last. */
async function advance(transaction: Transaction, copy: Copy): Promise<boolean> {
  switch (copy.phase) {
    case "copy":
      await copySome(transaction, copy);
      return false;
    case "undo":
      await undoSome(transaction, copy);
      return false;
    default:
      return countSome(transaction, copy);
  }
}

async function copySome(transaction: Transaction, copy: Copy): Promise<void> {
  const { source, partition, position } = copy;
  const rows = await sizesAfter(transaction, { owner: source, partition, position }, STEP_ROWS);
  const last = rows.at(-1);
  if (last) await copyRowsUpTo(transaction, copy, last);
  const next =
    last && rows.length === STEP_ROWS
      ? { partition: last.partition, position: last.position }
      : { phase: copy.history === 0 ? ("count" as const) : ("undo" as const), ...atStart };
  await advanceCopy(transaction, { ...copy, ...next });
}

const atStart = { partition: NO_BYTES, position: NO_BYTES };

/**
 * The entries are put back from the latest to the first, so that of each item the first has the last word: what was there
 * at the moment that is copied. What is written while this goes on is of items that are right already.
 */
async function undoSome(transaction: Transaction, copy: Copy): Promise<void> {
  const entries = await historyBefore(transaction, copy.history, copy, STEP_ROWS);
  for (const entry of entries) await putBack(transaction, copy.id, entry);
  const next =
    entries.length === STEP_ROWS
      ? { before: entries.at(-1)?.sequence as number }
      : { phase: "count" as const };
  await advanceCopy(transaction, { ...copy, ...next });
}

/** Counts items, and makes the index entries of those of a table. */
async function countSome(transaction: Transaction, copy: Copy): Promise<boolean> {
  const after = { owner: copy.id, partition: copy.partition, position: copy.position };
  const table = copy.kind === "restore" ? await findTable(transaction, copy) : undefined;
  let rows: readonly { partition: Uint8Array; position: Uint8Array; size: number }[];
  if (table && table.indexes.length > 0) {
    const items = await rowsAfter(transaction, after, AFTER_ALL, STEP_ROWS);
    for (const index of table.indexes)
      for (const item of items) await addEntry(transaction, table, index, item);
    rows = items;
  } else rows = await sizesAfter(transaction, after, STEP_ROWS);
  const last = rows.at(-1) ?? copy;
  const bytes = rows.reduce((sum, { size }) => sum + size, copy.bytes);
  const items = copy.items + rows.length;
  const { partition, position } = last;
  await advanceCopy(transaction, { ...copy, partition, position, items, bytes });
  return rows.length < STEP_ROWS;
}
