/** Writes one item and its index entries within a transaction. */
import type { Database, Transaction } from "../../../store/database.ts";
import { invalid } from "../errors.ts";
import type { ItemRow, RowPlace } from "../store-items.ts";
import { deleteItemRow, getItemRow, putItemRow } from "../store-items.ts";
import type { IndexDefinition, TableDefinition } from "../tables/definition.ts";
import { valuesEqual } from "../values/compare.ts";
import type { TableRegistry } from "../tables/registry.ts";
import { ITEM_BYTES_MAX, itemSize } from "../values/size.ts";
import type { Attributes } from "../values/value.ts";
import { Consumption, writeUnits } from "./capacity.ts";
import { indexPlace, projectItem } from "./keys.ts";

/** One write, its request checked. */
export interface Write {
  readonly table: TableDefinition;
  readonly place: RowPlace;
  /** Whether the present item has to be read even when neither `next` nor indexes need it. */
  readonly needsPresent: boolean;
  /** What the item becomes; undefined takes it away. Throws when the condition does not hold. Runs again on a retry. */
  next(present: Attributes | undefined): Attributes | undefined;
}

export interface Written {
  readonly before: ItemRow | undefined;
  readonly after: ItemRow | undefined;
  /** Complete only when the present item was read. */
  readonly consumption: Consumption;
}

/** Runs a write in a transaction of its own. */
export async function writeOne(
  { database, tables }: { readonly database: Database; readonly tables: TableRegistry },
  write: Write,
): Promise<Written> {
  return database.tx(async (transaction) => {
    await tables.expectPresent(transaction, write.table);
    return applyWrite(transaction, write);
  });
}

/** Runs a write; the transaction carries the item and all its index entries. */
export async function applyWrite(transaction: Transaction, write: Write): Promise<Written> {
  const { table, place } = write;
  const mustRead = write.needsPresent || table.indexes.length > 0;
  const before = mustRead ? await getItemRow(transaction, place) : undefined;
  const item = write.next(before?.item);
  const after = item && { item, size: itemSize(item) };
  if (after) await putItemRow(transaction, place, after);
  else if (before || !mustRead) await deleteItemRow(transaction, place);
  const consumption = new Consumption();
  consumption.addTable(writeUnits(Math.max(before?.size ?? 0, after?.size ?? 0)));
  for (const index of table.indexes)
    await updateIndex(transaction, write, index, { before, after, consumption });
  return { before, after, consumption };
}

/** Refuses an item over the limit. */
export function checkItemSize(
  item: Attributes,
  words = "Item size has exceeded the maximum allowed size",
): void {
  if (itemSize(item) > ITEM_BYTES_MAX) throw invalid(words);
}

/** Moves, rewrites, adds or removes the item's entry in one index, and counts the units of what changed. */
async function updateIndex(
  transaction: Transaction,
  { table, place }: Write,
  index: IndexDefinition,
  { before, after, consumption }: Written,
): Promise<void> {
  const from = before && indexPlace(index, before.item, place);
  const to = after && indexPlace(index, after.item, place);
  const old = from && projectItem(table, index, before.item, before.size);
  const entry = to && projectItem(table, index, after.item, after.size);
  if (from && old && to && entry && samePlace(from, to)) {
    if (valuesEqual({ M: old.item }, { M: entry.item })) return;
    await putItemRow(transaction, to, entry);
    consumption.addIndex(index, writeUnits(Math.max(old.size, entry.size)));
    return;
  }
  if (from && old) {
    await deleteItemRow(transaction, from);
    consumption.addIndex(index, writeUnits(old.size));
  }
  if (to && entry) {
    await putItemRow(transaction, to, entry);
    consumption.addIndex(index, writeUnits(entry.size));
  }
}

function samePlace(a: RowPlace, b: RowPlace): boolean {
  return Buffer.compare(a.partition, b.partition) === 0 && Buffer.compare(a.position, b.position) === 0;
}
