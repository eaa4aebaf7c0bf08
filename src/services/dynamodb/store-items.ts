/** All SQL of items and index entries. */
import { sql } from "../../store/database.ts";
import type { Reader, Transaction } from "../../store/database.ts";
import { decodeItem, encodeItem, wireText } from "./items/item-codec.ts";
import type { Attributes } from "./values/value.ts";

/** Where a row is: the table or index that owns it, its partition, and its place there. */
export interface RowPlace {
  readonly owner: number;
  readonly partition: Uint8Array;
  readonly position: Uint8Array;
}

export interface ItemRow {
  readonly item: Attributes;
  /** Bytes, as DynamoDB counts them. */
  readonly size: number;
}

export interface PlacedRow extends ItemRow {
  readonly partition: Uint8Array;
  readonly position: Uint8Array;
}

/** Positions of one partition from `from` (included) to `to` (not included; to the end when undefined). */
export interface PositionRange {
  readonly owner: number;
  readonly partition: Uint8Array;
  readonly from: Uint8Array;
  readonly to: Uint8Array | undefined;
}

const selectItem = sql(
  "dynamodb.item",
  "SELECT item, size FROM dynamodb_items WHERE owner = ? AND partition_key = ? AND position = ?",
);
const upsertItem = sql(
  "dynamodb.upsertItem",
  `INSERT INTO dynamodb_items (owner, partition_key, position, size, item) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (owner, partition_key, position) DO UPDATE SET size = excluded.size, item = excluded.item`,
);
const deleteItem = sql(
  "dynamodb.deleteItem",
  "DELETE FROM dynamodb_items WHERE owner = ? AND partition_key = ? AND position = ?",
);

const COLUMNS = "partition_key AS partition, position, size, item";
const IN_PARTITION = `SELECT ${COLUMNS} FROM dynamodb_items WHERE owner = ? AND partition_key = ? AND position >= ?`;
const selectRange = {
  open: {
    forward: sql("dynamodb.rangeOpen", `${IN_PARTITION} ORDER BY position LIMIT ?`),
    backward: sql("dynamodb.rangeOpenBackward", `${IN_PARTITION} ORDER BY position DESC LIMIT ?`),
  },
  closed: {
    forward: sql("dynamodb.range", `${IN_PARTITION} AND position < ? ORDER BY position LIMIT ?`),
    backward: sql(
      "dynamodb.rangeBackward",
      `${IN_PARTITION} AND position < ? ORDER BY position DESC LIMIT ?`,
    ),
  },
} as const;
const selectScan = sql(
  "dynamodb.scan",
  `SELECT ${COLUMNS} FROM dynamodb_items
     WHERE owner = ? AND (partition_key, position) > (?, ?) AND partition_key < ?
     ORDER BY partition_key, position LIMIT ?`,
);
const selectSizes = sql(
  "dynamodb.sizes",
  `SELECT partition_key AS partition, position, size FROM dynamodb_items
     WHERE owner = ? AND (partition_key, position) > (?, ?) ORDER BY partition_key, position LIMIT ?`,
);
const sumPartition = sql(
  "dynamodb.sumPartition",
  "SELECT CAST(SUM(size) AS bigint) AS bytes FROM dynamodb_items WHERE owner = ? AND partition_key = ?",
);

interface RawRow {
  readonly partition: Uint8Array;
  readonly position: Uint8Array;
  readonly size: number;
  readonly item: string;
}

/** An item as JSON of the wire. */
export async function getItemText(
  reader: Reader,
  place: RowPlace,
): Promise<{ readonly text: string; readonly size: number } | undefined> {
  const row = await reader.get<RawRow>(selectItem, place.owner, place.partition, place.position);
  return row && { text: wireText(row.item), size: row.size };
}

export async function getItemRow(reader: Reader, place: RowPlace): Promise<ItemRow | undefined> {
  const row = await reader.get<RawRow>(selectItem, place.owner, place.partition, place.position);
  return row && { item: decodeItem(row.item), size: row.size };
}

export async function putItemRow(transaction: Transaction, place: RowPlace, row: ItemRow): Promise<void> {
  await putEncodedRow(transaction, place, { item: encodeItem(row.item), size: row.size });
}

/** Puts an item in the text it is kept as. */
export async function putEncodedRow(
  transaction: Transaction,
  place: RowPlace,
  row: Pick<RawRow, "item" | "size">,
): Promise<void> {
  const { owner, partition, position } = place;
  await transaction.run(upsertItem, owner, partition, position, row.size, row.item);
}

export async function deleteItemRow(transaction: Transaction, place: RowPlace): Promise<void> {
  await transaction.run(deleteItem, place.owner, place.partition, place.position);
}

/** Up to `limit` rows of one partition, in the order of their positions or against it. */
export async function rowsInRange(
  reader: Reader,
  range: PositionRange,
  isForward: boolean,
  limit: number,
): Promise<PlacedRow[]> {
  const { owner, partition, from, to } = range;
  const direction = isForward ? "forward" : "backward";
  const rows =
    to === undefined
      ? await reader.all<RawRow>(selectRange.open[direction], owner, partition, from, limit)
      : await reader.all<RawRow>(selectRange.closed[direction], owner, partition, from, to, limit);
  return rows.map(placed);
}

/** Up to `limit` rows of a table or index after a place, in partitions before `end`. */
export async function rowsAfter(
  reader: Reader,
  after: RowPlace,
  end: Uint8Array,
  limit: number,
): Promise<PlacedRow[]> {
  const { owner, partition, position } = after;
  return (await reader.all<RawRow>(selectScan, owner, partition, position, end, limit)).map(placed);
}

/** As {@link rowsAfter}, sizes alone. */
export async function sizesAfter(
  reader: Reader,
  after: RowPlace,
  limit: number,
): Promise<(RowPlace & { size: number })[]> {
  const rows = await reader.all<Omit<RawRow, "item">>(
    selectSizes,
    after.owner,
    after.partition,
    after.position,
    limit,
  );
  return rows.map((row) => ({ owner: after.owner, ...row }));
}

/** Bytes of one partition of a table or index. */
export async function partitionBytes(reader: Reader, owner: number, partition: Uint8Array): Promise<number> {
  const row = await reader.get<{ bytes: number | null }>(sumPartition, owner, partition);
  return row?.bytes ?? 0;
}

function placed({ partition, position, size, item }: RawRow): PlacedRow {
  return { partition, position, size, item: decodeItem(item) };
}
