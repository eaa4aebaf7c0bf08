/** Begins copies of tables, in the transaction in which they are asked for. */
import type { Transaction } from "../../../store/database.ts";
import type { OperationDeps } from "../deps.ts";
import type { Copy } from "../store-copies.ts";
import { addCopy } from "../store-copies.ts";
import { changeTable } from "../store.ts";
import type { TableDefinition } from "../tables/definition.ts";
import { newId } from "../tables/definition.ts";

/** Above every number of an entry. */
const AFTER_ALL_ENTRIES = Number.MAX_SAFE_INTEGER;
const NO_BYTES: Uint8Array = new Uint8Array();

/** What is made, and what it is. */
type Made = Pick<Copy, "id" | "kind" | "account" | "region" | "name">;

/**
 * Begins a copy of a table as it is at this moment, or as it was at `at`; from here on the table keeps what writes replace
 * until the copy is done. Within `tables.whileChanging`. Answers the table's new definition.
 *
 * @param at Epoch milliseconds; not before the table began to keep what writes replace.
 */
export async function beginCopyOfTable(
  deps: Pick<OperationDeps, "ids" | "history">,
  transaction: Transaction,
  table: TableDefinition,
  made: Made,
  at?: number,
): Promise<TableDefinition> {
  const history = table.history ?? { id: newId(deps.ids), copies: [] };
  await addCopy(transaction, {
    ...whole(made),
    source: table.id,
    sourceName: table.name,
    history: history.id,
    since: at === undefined ? await deps.history.mark(transaction) : 0,
    laterThan: at ?? 0,
  });
  return changeTable(transaction, {
    ...table,
    history: { ...history, copies: [...history.copies, made.id] },
  });
}

/** Begins a copy of a backup, which does not change. */
export async function beginCopyOfBackup(
  transaction: Transaction,
  backup: { readonly id: number },
  made: Made,
): Promise<void> {
  const copy = { ...whole(made), source: backup.id, sourceName: "", history: 0, since: 0, laterThan: 0 };
  await addCopy(transaction, copy);
}

function whole(made: Made): Omit<Copy, "source" | "sourceName" | "history" | "since" | "laterThan"> {
  const start = { partition: NO_BYTES, position: NO_BYTES, items: 0, bytes: 0 };
  return { ...made, ...start, phase: "copy", before: AFTER_ALL_ENTRIES };
}
