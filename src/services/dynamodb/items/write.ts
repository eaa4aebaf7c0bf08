/** Writes one item and its index entries within a transaction. */
import type { Database, Transaction } from "../../../store/database.ts";
import { invalid } from "../errors.ts";
import { updateExpiry } from "../expiry/time-to-live.ts";
import type { HistoryLog } from "../backups/history-log.ts";
import type { Replaced } from "../store-history.ts";
import type { ItemRow, RowPlace } from "../store-items.ts";
import { deleteItemRow, getItemRow, putItemRow } from "../store-items.ts";
import type { IndexDefinition, TableDefinition } from "../tables/definition.ts";
import { valuesEqual } from "../values/compare.ts";
import type { TableRegistry } from "../tables/registry.ts";
import type { StreamLog, StreamedChange } from "../streams/stream-log.ts";
import { ITEM_BYTES_MAX, itemSize } from "../values/size.ts";
import type { Attributes } from "../values/value.ts";
import { Consumption, writeUnits } from "./capacity.ts";
import { indexPlace, projectItem } from "./keys.ts";
import type { ThroughputMeter } from "./throughput.ts";

/** One write, its request checked. */
export interface Write {
  readonly table: TableDefinition;
  readonly place: RowPlace;
  /** Whether the present item has to be read even when neither `next` nor indexes need it. */
  readonly needsPresent: boolean;
  /** Whether the item goes because its time is over. */
  readonly isExpiry?: boolean;
  /** What the item becomes; undefined takes it away. Throws when the condition does not hold. Runs again on a retry. */
  next(present: Attributes | undefined): Attributes | undefined;
}

export interface Written {
  readonly before: ItemRow | undefined;
  readonly after: ItemRow | undefined;
  /** Complete only when the present item was read. */
  readonly consumption: Consumption;
}

/** What writes need: the store, the tables, and the streams that tell of writes. */
export interface WriteDeps {
  readonly database: Database;
  readonly tables: Pick<TableRegistry, "current">;
  readonly streams: Pick<StreamLog, "record">;
  readonly history: Pick<HistoryLog, "record">;
  readonly throughput: ThroughputMeter;
}

/** A transaction that writes items, and what it has changed in tables with streams, and replaced in those that keep it. */
export interface Writing {
  readonly transaction: Transaction;
  readonly changes: StreamedChange[];
  readonly replaced: Replaced[];
}

/** Runs a write in a transaction of its own. */
export async function writeOne(deps: WriteDeps, write: Write): Promise<Written> {
  deps.throughput.admit(write.table, "write");
  const written = await writeTogether(deps, async (writing) => {
    const table = await deps.tables.current(writing.transaction, write.table);
    const applied = await applyWrite(writing, { ...write, table });
    deps.throughput.admitToIndexes(table, applied.consumption);
    return applied;
  });
  deps.throughput.charge(write.table, "write", written.consumption);
  return written;
}

/** Runs writes in one transaction, whose end has the streams' records of them. */
export async function writeTogether<T>(
  { database, streams, history }: Pick<WriteDeps, "database" | "streams" | "history">,
  work: (writing: Writing) => Promise<T>,
): Promise<T> {
  return database.tx(async (transaction) => {
    const writing: Writing = { transaction, changes: [], replaced: [] };
    const result = await work(writing);
    if (writing.replaced.length > 0) await history.record(transaction, writing.replaced);
    if (writing.changes.length > 0) await streams.record(transaction, writing.changes);
    return result;
  });
}

/** Runs a write to a table as it is now; the transaction carries the item and all its index entries. */
export async function applyWrite(writing: Writing, write: Write): Promise<Written> {
  const { transaction, changes, replaced } = writing;
  const { table, place } = write;
  const isStreamed = table.stream?.isEnabled === true;
  const timeToLive = table.timeToLive?.isEnabled ? table.timeToLive : undefined;
  // What a write consumes depends on the present item too.
  const isMetered = table.billing === "PROVISIONED";
  const mustRead =
    write.needsPresent ||
    isMetered ||
    isStreamed ||
    timeToLive !== undefined ||
    table.history !== undefined ||
    table.indexes.length > 0;
  const before = mustRead ? await getItemRow(transaction, place) : undefined;
  const item = write.next(before?.item);
  const after = item && { item, size: itemSize(item) };
  if (after) await putItemRow(transaction, place, after);
  else if (before || !mustRead) await deleteItemRow(transaction, place);
  if (table.history && (before || after)) replaced.push({ history: table.history.id, place, before });
  const consumption = new Consumption();
  consumption.addTable(writeUnits(Math.max(before?.size ?? 0, after?.size ?? 0)));
  for (const index of table.indexes)
    await updateIndex(transaction, write, index, { before, after, consumption });
  if (timeToLive) await updateExpiry(transaction, timeToLive, place, { before, after });
  if (isStreamed && isChange(before, after))
    changes.push({ table, place, before, after, isExpiry: write.isExpiry ?? false });
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

/** Whether an item differs from what it was: a write that changes nothing has no record. */
function isChange(before: ItemRow | undefined, after: ItemRow | undefined): boolean {
  if (!before || !after) return before !== after;
  return before.size !== after.size || !valuesEqual({ M: before.item }, { M: after.item });
}

function samePlace(a: RowPlace, b: RowPlace): boolean {
  return Buffer.compare(a.partition, b.partition) === 0 && Buffer.compare(a.position, b.position) === 0;
}
