/** Reads one page of a query or scan: up to its limit or 1 MB of items, whichever comes first. */
import type { Reader } from "../../../store/database.ts";
import { isSatisfied } from "../expressions/evaluate.ts";
import type { Condition } from "../expressions/tree.ts";
import type { ItemRow, PlacedRow } from "../store-items.ts";
import { getItemRow } from "../store-items.ts";
import type { IndexDefinition, TableDefinition } from "../tables/definition.ts";
import type { Attributes } from "../values/value.ts";
import { Consumption, readUnits } from "./capacity.ts";
import { itemPlace } from "./keys.ts";

/** A page ends with the item that brings what it has read to this. */
export const PAGE_BYTES_MAX = 1024 * 1024;

/** Rows asked of the store at first, and at most; between them as many as seem to fit into the page. */
const FIRST_ROWS = 32;
const ROWS_MAX = 4096;
/** The average size of rows is taken to be at least this when guessing how many fit. */
const ROW_BYTES_MIN = 64;

export interface PageRequest {
  readonly table: TableDefinition;
  readonly index: IndexDefinition | undefined;
  /** Items evaluated, before the filter. */
  readonly limit: number | undefined;
  readonly filter: Condition | undefined;
  /** Whether the items themselves are read for the entries of a local index. */
  readonly readsItems: boolean;
  readonly isConsistent: boolean;
  /** Up to `count` rows after `after`, or from the beginning. */
  rows(after: PlacedRow | undefined, count: number): Promise<PlacedRow[]>;
}

export interface Page {
  /** What passed the filter. */
  readonly items: Attributes[];
  readonly scanned: number;
  /** The last item evaluated, when there may be more after it. */
  readonly last: Attributes | undefined;
  /** Of what was looked at. */
  readonly bytes: number;
  readonly consumption: Consumption;
}

/** Reads a page. */
export async function readPage(reader: Reader, request: PageRequest): Promise<Page> {
  const { limit = Infinity, filter } = request;
  const items: Attributes[] = [];
  const itemReads: ItemRow[] = [];
  let last: PlacedRow | undefined;
  let scanned = 0;
  let bytes = 0;
  let isFull = false;
  while (!isFull) {
    const count = rowsToAsk(limit - scanned, scanned, bytes);
    const rows = await request.rows(last, count);
    for (const row of rows) {
      const item = request.readsItems ? await readItem(reader, request.table, row, itemReads) : row.item;
      scanned += 1;
      bytes += row.size;
      last = row;
      if (!filter || isSatisfied(filter, item)) items.push(item);
      isFull = scanned >= limit || bytes >= PAGE_BYTES_MAX;
      if (isFull) break;
    }
    if (rows.length < count) break;
  }
  return {
    items,
    scanned,
    bytes,
    last: isFull ? last?.item : undefined,
    consumption: consumptionOf(request, bytes, itemReads),
  };
}

function rowsToAsk(left: number, scanned: number, bytes: number): number {
  const average = Math.max(ROW_BYTES_MIN, scanned > 0 ? bytes / scanned : 0);
  const fitting = scanned > 0 ? Math.ceil((PAGE_BYTES_MAX - bytes) / average) + 1 : FIRST_ROWS;
  return Math.min(left, fitting, ROWS_MAX);
}

/** The item an entry of a local index stands for. The two are written together, so it is there but for a race. */
async function readItem(
  reader: Reader,
  table: TableDefinition,
  row: PlacedRow,
  itemReads: ItemRow[],
): Promise<Attributes> {
  const found = await getItemRow(reader, itemPlace(table, row.item));
  if (!found) return row.item;
  itemReads.push(found);
  return found.item;
}

function consumptionOf(request: PageRequest, bytes: number, itemReads: readonly ItemRow[]): Consumption {
  const kind = request.isConsistent ? "consistent" : "eventual";
  const consumption = new Consumption();
  if (request.index) consumption.addIndex(request.index, readUnits(bytes, kind));
  else consumption.addTable(readUnits(bytes, kind));
  for (const { size } of itemReads) consumption.addTable(readUnits(size, kind));
  return consumption;
}
