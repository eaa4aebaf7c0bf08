/** What goes on after a change of a table: entries of new indexes and times to live are made, those of old ones removed. */
import { setImmediate } from "node:timers/promises";
import type { Database, Transaction } from "../../../store/database.ts";
import type { Log } from "../../../telemetry/log.ts";
import { expiryOf } from "../expiry/time-to-live.ts";
import { isInvalid } from "../errors.ts";
import { indexPlace, projectItem, validateIndexKeys } from "../items/keys.ts";
import { addExpiry, removeSomeExpiries } from "../store-expiries.ts";
import { removeSomeHistory } from "../store-history.ts";
import { putItemRow, rowsAfter } from "../store-items.ts";
import type { PlacedRow } from "../store-items.ts";
import { advanceTask, findTask, removeTask, tasksToDo } from "../store-tasks.ts";
import type { TaskRow } from "../store-tasks.ts";
import { changeTable, findTable, removeSomeRows } from "../store.ts";
import { AFTER_ALL } from "../values/key-encoding.ts";
import type { IndexDefinition, TableDefinition } from "./definition.ts";
import type { TableRegistry } from "./registry.ts";

/** Items that one step deals with, rows that it removes. */
const STEP_ITEMS = 100;
const STEP_REMOVED = 500;

export interface TaskDeps {
  readonly database: Database;
  readonly tables: TableRegistry;
  readonly log: Log;
}

/** The tasks that run; those that a stop interrupts are taken up at the next start, where they were. */
export class TableTasks {
  readonly #deps: TaskDeps;
  readonly #running = new Map<number, Promise<void>>();
  #stopped = false;

  constructor(deps: TaskDeps) {
    this.#deps = deps;
  }

  /** Goes on with what an earlier run left. */
  async resume(): Promise<void> {
    for (const task of await tasksToDo(this.#deps.database)) this.begin(task.id);
  }

  /** Begins a task whose row has been committed. */
  begin(id: number): void {
    // A task may be replaced by another for the same owner while it runs.
    const run = (this.#running.get(id) ?? Promise.resolve())
      .then(() => this.#run(id))
      .catch((error: unknown) =>
        this.#deps.log.error("a task of a table failed; the next start goes on with it", { task: id, error }),
      )
      .finally(() => {
        if (this.#running.get(id) === run) this.#running.delete(id);
      });
    this.#running.set(id, run);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running.values());
  }

  async #run(id: number): Promise<void> {
    while (!this.#stopped) {
      const task = await findTask(this.#deps.database, id);
      if (!task) return;
      if (task.kind === "discard") await this.#deps.database.tx((transaction) => discard(transaction, task));
      else await this.#step(task);
      await setImmediate();
    }
  }

  /** One step within a table, whose definition the last step changes. */
  async #step(task: TaskRow): Promise<void> {
    const { database, tables } = this.#deps;
    const found = await tables.find(task);
    if (!found) return database.tx((transaction) => removeTask(transaction, task.id));
    await tables.whileChanging(found, () =>
      database.tx(async (transaction) => {
        const table = await findTable(transaction, task);
        if (table?.id === task.tableId && !table.isDeleting) return advance(transaction, table, task);
        await removeTask(transaction, task.id);
        return found;
      }),
    );
  }
}

/** Makes entries of some more items; after the last the index, or the time to live, is ready. */
async function advance(
  transaction: Transaction,
  table: TableDefinition,
  { id, partition, position }: TaskRow,
): Promise<TableDefinition> {
  const index = table.indexes.find((one) => one.id === id);
  const timeToLive = table.timeToLive?.id === id ? table.timeToLive : undefined;
  const rows =
    index || timeToLive
      ? await rowsAfter(transaction, { owner: table.id, partition, position }, AFTER_ALL, STEP_ITEMS)
      : [];
  for (const row of rows) {
    if (index) await addEntry(transaction, table, index, row);
    const at = timeToLive && expiryOf(row.item, timeToLive.attribute);
    if (at !== undefined) await addExpiry(transaction, id, { at, ...row });
  }
  const last = rows.at(-1);
  if (last && rows.length === STEP_ITEMS) {
    await advanceTask(transaction, id, last);
    return table;
  }
  await removeTask(transaction, id);
  if (timeToLive) return changeTable(transaction, { ...table, timeToLive: { ...timeToLive, isReady: true } });
  if (!index) return table;
  const ready = { ...index, isCreating: false };
  return changeTable(transaction, {
    ...table,
    indexes: table.indexes.map((one) => (one.id === id ? ready : one)),
  });
}

/** An item whose attributes cannot be keys of the index is not in it, as with AWS. */
export async function addEntry(
  transaction: Transaction,
  table: TableDefinition,
  index: IndexDefinition,
  row: PlacedRow,
): Promise<void> {
  try {
    validateIndexKeys({ ...table, indexes: [index] }, row.item);
  } catch (error) {
    if (isInvalid(error)) return;
    throw error;
  }
  const place = indexPlace(index, row.item, row);
  if (place) await putItemRow(transaction, place, projectItem(table, index, row.item, row.size));
}

async function discard(transaction: Transaction, { id }: TaskRow): Promise<void> {
  const removed =
    (await removeSomeRows(transaction, id, STEP_REMOVED)) +
    (await removeSomeExpiries(transaction, id, STEP_REMOVED)) +
    (await removeSomeHistory(transaction, id, STEP_REMOVED));
  if (removed === 0) await removeTask(transaction, id);
}
