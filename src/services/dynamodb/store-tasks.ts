/** All SQL of what is done to tables in the background. */
import { sql } from "../../store/database.ts";
import type { Reader, Transaction } from "../../store/database.ts";
import type { RowPlace } from "./store-items.ts";
import type { TableDefinition } from "./tables/definition.ts";

/**
 * `index` and `expiries` make the entries of the items that were there before an index or a time to live; `discard` removes
 * what an index or a time to live that is no more has left.
 */
export type TaskKind = "index" | "expiries" | "discard";

export interface TaskRow {
  /** The owner of the rows that are made or removed. */
  readonly id: number;
  readonly kind: TaskKind;
  readonly account: string;
  readonly region: string;
  readonly name: string;
  readonly tableId: number;
  /** The last item that has been dealt with. */
  readonly partition: Uint8Array;
  readonly position: Uint8Array;
}

const COLUMNS = `id, kind, account, region, name, table_id AS "tableId", partition_key AS partition, position`;
const selectTasks = sql("dynamodb.tasks", `SELECT ${COLUMNS} FROM dynamodb_tasks ORDER BY id`);
const selectTask = sql("dynamodb.task", `SELECT ${COLUMNS} FROM dynamodb_tasks WHERE id = ?`);
const insertTask = sql(
  "dynamodb.insertTask",
  `INSERT INTO dynamodb_tasks (id, kind, account, region, name, table_id, partition_key, position)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
);
const updateTask = sql(
  "dynamodb.updateTask",
  "UPDATE dynamodb_tasks SET partition_key = ?, position = ? WHERE id = ?",
);
const deleteTask = sql("dynamodb.deleteTask", "DELETE FROM dynamodb_tasks WHERE id = ?");
const deleteTableTasks = sql(
  "dynamodb.deleteTableTasks",
  "DELETE FROM dynamodb_tasks WHERE table_id = ? AND kind <> 'discard'",
);

const NO_BYTES: Uint8Array = new Uint8Array();

export async function tasksToDo(reader: Reader): Promise<TaskRow[]> {
  return reader.all(selectTasks);
}

export async function findTask(reader: Reader, id: number): Promise<TaskRow | undefined> {
  return reader.get(selectTask, id);
}

/** Notes what is to be done; a task for the same owner that is not over is replaced. */
export async function addTask(
  transaction: Transaction,
  table: TableDefinition,
  task: Pick<TaskRow, "id" | "kind">,
): Promise<void> {
  const { account, region, name, id: tableId } = table;
  await transaction.run(deleteTask, task.id);
  await transaction.run(insertTask, task.id, task.kind, account, region, name, tableId, NO_BYTES, NO_BYTES);
}

/** Notes how far a task has come. */
export async function advanceTask(
  transaction: Transaction,
  id: number,
  last: Pick<RowPlace, "partition" | "position">,
): Promise<void> {
  await transaction.run(updateTask, last.partition, last.position, id);
}

export async function removeTask(transaction: Transaction, id: number): Promise<void> {
  await transaction.run(deleteTask, id);
}

/** Forgets what was to be done to a table that is gone; what it left is still discarded. */
export async function removeTableTasks(transaction: Transaction, tableId: number): Promise<void> {
  await transaction.run(deleteTableTasks, tableId);
}
