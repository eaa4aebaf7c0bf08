/** All SQL of the copies of tables that are being made: backups, and restored tables. */
import { sql } from "../../store/database.ts";
import type { Reader, Transaction } from "../../store/database.ts";
import type { HistoryEntry } from "./store-history.ts";
import type { RowPlace } from "./store-items.ts";
import { deleteItemRow, putEncodedRow } from "./store-items.ts";

/** Rows are copied, then what was written later is undone in them, then they are counted and their index entries made. */
export type CopyPhase = "copy" | "undo" | "count";

export interface Copy {
  /** Owner of the rows that are made: the backup's, or the restored table's. */
  readonly id: number;
  readonly kind: "backup" | "restore";
  readonly phase: CopyPhase;
  readonly account: string;
  readonly region: string;
  /** The restored table; of a backup its source. */
  readonly name: string;
  /** Owner of the rows that are copied: a table's, or a backup's. */
  readonly source: number;
  /** The table that is copied; empty where a backup is. */
  readonly sourceName: string;
  /** The history whose entries are undone: those above `since` and written later than `laterThan`; 0 for none. */
  readonly history: number;
  readonly since: number;
  readonly laterThan: number;
  /** The entries from here on have been undone. */
  readonly before: number;
  readonly partition: Uint8Array;
  readonly position: Uint8Array;
  readonly items: number;
  readonly bytes: number;
}

const COLUMNS = `id, kind, phase, account, region, name, source, source_name AS "sourceName", history, since,
  later_than AS "laterThan", before_sequence AS "before", partition_key AS partition, position, items, bytes`;
const insertCopy = sql(
  "dynamodb.insertCopy",
  `INSERT INTO dynamodb_copies (id, kind, phase, account, region, name, source, source_name, history, since, later_than,
     before_sequence, partition_key, position, items, bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
);
const selectCopies = sql("dynamodb.copies", "SELECT id FROM dynamodb_copies ORDER BY id");
const selectCopy = sql("dynamodb.copy", `SELECT ${COLUMNS} FROM dynamodb_copies WHERE id = ?`);
const selectCopiesOf = sql("dynamodb.copiesOf", "SELECT id FROM dynamodb_copies WHERE source = ? LIMIT 1");
const updateCopy = sql(
  "dynamodb.updateCopy",
  `UPDATE dynamodb_copies SET phase = ?, before_sequence = ?, partition_key = ?, position = ?, items = ?, bytes = ?
     WHERE id = ?`,
);
const deleteCopy = sql("dynamodb.deleteCopy", "DELETE FROM dynamodb_copies WHERE id = ?");
const copyRows = sql(
  "dynamodb.copyRows",
  `INSERT INTO dynamodb_items (owner, partition_key, position, size, item)
     SELECT CAST(? AS bigint), partition_key, position, size, item FROM dynamodb_items
       WHERE owner = ? AND (partition_key, position) > (?, ?) AND (partition_key, position) <= (?, ?)
     ON CONFLICT (owner, partition_key, position) DO UPDATE SET size = excluded.size, item = excluded.item`,
);

export async function addCopy(transaction: Transaction, copy: Copy): Promise<void> {
  await transaction.run(
    insertCopy,
    copy.id,
    copy.kind,
    copy.phase,
    copy.account,
    copy.region,
    copy.name,
    copy.source,
    copy.sourceName,
    copy.history,
    copy.since,
    copy.laterThan,
    copy.before,
    copy.partition,
    copy.position,
    copy.items,
    copy.bytes,
  );
}

/** The ids of copies that are not done. */
export async function copiesToMake(reader: Reader): Promise<number[]> {
  return (await reader.all<{ id: number }>(selectCopies)).map(({ id }) => id);
}

export async function findCopy(reader: Reader, id: number): Promise<Copy | undefined> {
  return reader.get(selectCopy, id);
}

/** Whether rows of this owner are being copied. */
export async function isCopied(reader: Reader, source: number): Promise<boolean> {
  return (await reader.get(selectCopiesOf, source)) !== undefined;
}

/** Notes how far a copy has come. */
export async function advanceCopy(transaction: Transaction, copy: Copy): Promise<void> {
  const { phase, before, partition, position, items, bytes, id } = copy;
  await transaction.run(updateCopy, phase, before, partition, position, items, bytes, id);
}

export async function removeCopy(transaction: Transaction, id: number): Promise<void> {
  await transaction.run(deleteCopy, id);
}

/** Copies the rows after where the copy is, up to `last`. */
export async function copyRowsUpTo(
  transaction: Transaction,
  { id, source, partition, position }: Copy,
  last: Pick<RowPlace, "partition" | "position">,
): Promise<void> {
  await transaction.run(copyRows, id, source, partition, position, last.partition, last.position);
}

/** Makes a row what it was before a write. */
export async function putBack(transaction: Transaction, owner: number, entry: HistoryEntry): Promise<void> {
  const place = { owner, partition: entry.partition, position: entry.position };
  if (entry.item === "") await deleteItemRow(transaction, place);
  else await putEncodedRow(transaction, place, entry);
}
