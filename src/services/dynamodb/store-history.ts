/** All SQL of what was in tables before it was written over. */
import { sql } from "../../store/database.ts";
import type { Reader, Transaction } from "../../store/database.ts";
import { encodeItem } from "./items/item-codec.ts";
import type { ItemRow, RowPlace } from "./store-items.ts";

/** What a write replaced: an item, or nothing. */
export interface Replaced {
  /** Id of the table's history. */
  readonly history: number;
  readonly place: RowPlace;
  readonly before: ItemRow | undefined;
}

/** An entry as it is put back: `item` is the text it is kept as, empty where there was none. */
export interface HistoryEntry {
  readonly sequence: number;
  readonly partition: Uint8Array;
  readonly position: Uint8Array;
  readonly size: number;
  readonly item: string;
}

const insertEntry = sql(
  "dynamodb.insertHistory",
  `INSERT INTO dynamodb_history (sequence, owner, written_at, partition_key, position, size, item)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
);
const selectEntries = sql(
  "dynamodb.history",
  `SELECT sequence, partition_key AS partition, position, size, item FROM dynamodb_history
     WHERE owner = ? AND sequence < ? AND sequence > ? AND written_at > ? ORDER BY sequence DESC LIMIT ?`,
);
const selectOldest = sql(
  "dynamodb.oldestHistory",
  `SELECT sequence, written_at AS "writtenAt" FROM dynamodb_history WHERE owner = ? ORDER BY sequence LIMIT ?`,
);
const deleteUpTo = sql(
  "dynamodb.trimHistory",
  "DELETE FROM dynamodb_history WHERE owner = ? AND sequence <= ?",
);
const deleteSome = sql(
  "dynamodb.deleteSomeHistory",
  `DELETE FROM dynamodb_history WHERE sequence IN
     (SELECT sequence FROM dynamodb_history WHERE owner = ? LIMIT ?)`,
);
const selectHighest = sql("dynamodb.highestHistory", "SELECT MAX(sequence) AS highest FROM dynamodb_history");

/** @param now Epoch milliseconds. */
export async function addHistory(
  transaction: Transaction,
  { history, place, before }: Replaced,
  { sequence, now }: { readonly sequence: number; readonly now: number },
): Promise<void> {
  await transaction.run(
    insertEntry,
    sequence,
    history,
    now,
    place.partition,
    place.position,
    before?.size ?? 0,
    before ? encodeItem(before.item) : "",
  );
}

/** Entries of a history, the latest first: numbers below `before`, above `since`, written later than `laterThan`. */
export async function historyBefore(
  reader: Reader,
  history: number,
  bounds: { readonly before: number; readonly since: number; readonly laterThan: number },
  limit: number,
): Promise<HistoryEntry[]> {
  return reader.all(selectEntries, history, bounds.before, bounds.since, bounds.laterThan, limit);
}

/** The first entries of a history. */
export async function oldestHistory(
  reader: Reader,
  history: number,
  limit: number,
): Promise<{ readonly sequence: number; readonly writtenAt: number }[]> {
  return reader.all(selectOldest, history, limit);
}

export async function trimHistory(transaction: Transaction, history: number, last: number): Promise<void> {
  await transaction.run(deleteUpTo, history, last);
}

/** Removes up to `limit` entries; answers how many. */
export async function removeSomeHistory(
  transaction: Transaction,
  history: number,
  limit: number,
): Promise<number> {
  return transaction.run(deleteSome, history, limit);
}

/** The highest number given to an entry that is there; 0 without any. */
export async function highestHistory(reader: Reader): Promise<number> {
  return (await reader.get<{ highest: number | null }>(selectHighest))?.highest ?? 0;
}
