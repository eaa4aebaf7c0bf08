/** Runs SELECT statements: as queries of the partitions that WHERE names, otherwise as scans. */
import type { Reader } from "../../../store/database.ts";
import { invalid } from "../errors.ts";
import { pathsOf } from "../expressions/condition.ts";
import { valueAt } from "../expressions/evaluate.ts";
import type { Path } from "../expressions/tree.ts";
import { Consumption } from "../items/capacity.ts";
import { PAGE_BYTES_MAX, readPage } from "../items/page.ts";
import type { ThroughputMeter } from "../items/throughput.ts";
import type { Page, PageRequest } from "../items/page.ts";
import { positionsAfter, positionsOf } from "../items/position-range.ts";
import { findIndex, readsItemsBesides, refusePathsIntoKeys } from "../items/selection.ts";
import { lastEvaluatedKey, startPlace, validateStartKey } from "../items/start-key.ts";
import { rowsAfter, rowsInRange } from "../store-items.ts";
import type { IndexDefinition, Key, TableDefinition } from "../tables/definition.ts";
import { AFTER_ALL, encodeKeyValue, encodePartition } from "../values/key-encoding.ts";
import { compareValues } from "../values/compare.ts";
import type { AttributeValue, Attributes } from "../values/value.ts";
import { emptyAttributes } from "../values/value.ts";
import { rangeInWhere } from "./keys-in-where.ts";
import type { RangeInWhere } from "./keys-in-where.ts";
import type { ReadPosition } from "./next-token.ts";
import type { Select } from "./statement.ts";

const NO_BYTES: Uint8Array = new Uint8Array();

/** How a SELECT is to be run. */
export interface SelectOptions {
  readonly isConsistent: boolean;
  /** Items looked at, before what WHERE filters. */
  readonly limit: number | undefined;
  readonly from: ReadPosition | undefined;
}

export interface Selected {
  readonly items: Attributes[];
  /** Where to go on; undefined at the end. */
  readonly next: ReadPosition | undefined;
  /** The key of the last item looked at, when there may be more after it. */
  readonly last: Attributes | undefined;
  readonly consumption: Consumption;
}

export interface SelectDeps {
  readonly database: Reader;
  readonly throughput: ThroughputMeter;
}

interface Plan extends RangeInWhere {
  readonly table: TableDefinition;
  readonly index: IndexDefinition | undefined;
  readonly isForward: boolean;
  readonly readsItems: boolean;
}

/** Runs a SELECT on its table. */
export async function runSelect(
  { database: reader, throughput }: SelectDeps,
  table: TableDefinition,
  select: Select,
  options: SelectOptions,
): Promise<Selected> {
  const plan = planOf(table, select, options.isConsistent);
  throughput.admit(table, "read", plan.index);
  const selected = await readParts(reader, plan, select, options);
  throughput.charge(table, "read", selected.consumption);
  return selected;
}

async function readParts(
  reader: Reader,
  plan: Plan,
  select: Select,
  options: SelectOptions,
): Promise<Selected> {
  const items: Attributes[] = [];
  const consumption = new Consumption();
  const partitions = plan.partitions ?? [undefined];
  let { limit = Infinity } = options;
  let bytes = 0;
  for (let at = options.from?.partition ?? 0; at < partitions.length; at++) {
    const after = at === options.from?.partition ? options.from.after : undefined;
    const page = await readPart(reader, plan, partitions[at], { ...options, limit, after });
    items.push(...page.items);
    consumption.add(page.consumption);
    limit -= page.scanned;
    bytes += page.bytes;
    const last = lastEvaluatedKey(plan.table, plan.index, page.last);
    const isFull = page.last !== undefined || limit <= 0 || bytes >= PAGE_BYTES_MAX;
    const next = last ? { partition: at, after: last } : { partition: at + 1, after: undefined };
    if (isFull && next.partition < partitions.length)
      return { items: projected(items, select.paths), next, last, consumption };
  }
  return { items: projected(items, select.paths), next: undefined, last: undefined, consumption };
}

function planOf(table: TableDefinition, select: Select, isConsistent: boolean): Plan {
  if (isConsistent && table.indexes.some(({ name, isGlobal }) => isGlobal && name === select.index))
    throw invalid("Strongly consistent read is not supported on Global Secondary Indexes");
  const index = findIndex(table, select.index, isConsistent);
  const { key } = index ?? table;
  const range = rangeInWhere(select.where, key);
  const filterPaths = range.filter ? pathsOf(range.filter) : [];
  refusePathsIntoKeys(table, [...(select.paths ?? []), ...filterPaths]);
  refuseRepeatedPaths(select.paths ?? []);
  const order = orderOf(select, key, range);
  const wanted = select.paths ? "SPECIFIC_ATTRIBUTES" : index ? "ALL_PROJECTED_ATTRIBUTES" : "ALL_ATTRIBUTES";
  const readsItems = readsItemsBesides(table, index, wanted, select.paths);
  return { ...range, ...order, table, index, readsItems };
}

function refuseRepeatedPaths(paths: readonly Path[]): void {
  const names = paths.map(nameOf);
  const repeated = names.find((name, i) => names.indexOf(name) < i);
  if (repeated !== undefined) throw invalid(`Duplicate identifiers in select clause: ${repeated}`);
}

/** The direction in each partition, and the order of these. */
function orderOf(
  { where, orderBy }: Select,
  key: Key,
  { partitions }: RangeInWhere,
): { isForward: boolean; partitions: readonly AttributeValue[] | undefined } {
  if (orderBy.length === 0) return { isForward: true, partitions };
  if (!where) throw invalid("Must have WHERE clause in the statement when using ORDER BY clause.");
  const ofKeys = new Map(orderBy.map(({ attribute, isForward }) => [attribute, isForward]));
  for (const name of ofKeys.keys())
    if (name !== key.partition.name && name !== key.sort?.name)
      throw invalid(`Attribute ${name} in ORDER BY clause must be part of the primary key`);
  if (!partitions)
    throw invalid(
      "Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause.",
    );
  const ofPartition = ofKeys.get(key.partition.name);
  if (partitions.length > 1 && ofPartition === undefined)
    throw invalid(
      "Must have hash key in ORDER BY clause when more than one hash key condition specified in WHERE clause.",
    );
  const sorted = partitions.toSorted((a, b) => (compareValues(a, b) ?? 0) * (ofPartition === false ? -1 : 1));
  return { isForward: (key.sort && ofKeys.get(key.sort.name)) ?? true, partitions: sorted };
}

interface PartOptions extends SelectOptions {
  readonly after: Attributes | undefined;
}

/** Reads one partition, or everything. */
async function readPart(
  reader: Reader,
  plan: Plan,
  partition: AttributeValue | undefined,
  { after, limit, isConsistent }: PartOptions,
): Promise<Page> {
  const { table, index, isForward } = plan;
  const owner = (index ?? table).id;
  const startKey = validateStartKey(after, "current");
  const start = startKey && startPlace(table, index, startKey, partition === undefined);
  return readPage(reader, {
    table,
    index,
    limit: limit === Infinity ? undefined : limit,
    filter: plan.filter,
    readsItems: plan.readsItems,
    isConsistent,
    rows: partition
      ? rowsOfPartition(reader, plan, { owner, partition, start: start?.position, isForward })
      : (last, count) =>
          rowsAfter(
            reader,
            { ...(last ?? start ?? { partition: NO_BYTES, position: NO_BYTES }), owner },
            AFTER_ALL,
            count,
          ),
  });
}

function rowsOfPartition(
  reader: Reader,
  { sort, index }: Plan,
  part: { owner: number; partition: AttributeValue; start: Uint8Array | undefined; isForward: boolean },
): PageRequest["rows"] {
  const { owner, start, isForward } = part;
  const partition = encodePartition(encodeKeyValue(part.partition));
  const all = positionsOf(sort, index !== undefined);
  return (last, count) => {
    const after = last?.position ?? start;
    const positions = after ? positionsAfter(all, after, isForward) : all;
    return rowsInRange(reader, { owner, partition, ...positions }, isForward, count);
  };
}

/** The parts of items that paths name, each under the last step of its path. */
export function projected(items: readonly Attributes[], paths: readonly Path[] | undefined): Attributes[] {
  if (!paths) return [...items];
  return items.map((item) => {
    const parts = emptyAttributes();
    for (const path of paths) {
      const value = valueAt(item, path);
      if (value) parts[nameOf(path)] = value;
    }
    return parts;
  });
}

/** What a path's value is called: its last attribute, with the list index behind it if there is one. */
function nameOf(path: Path): string {
  const lastName = path.findLastIndex((step) => typeof step === "string");
  return path
    .slice(lastName)
    .map((step) => (typeof step === "number" ? `[${step}]` : step))
    .join("");
}
