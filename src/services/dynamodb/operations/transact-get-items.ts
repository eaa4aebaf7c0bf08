/** TransactGetItems: reads up to 100 items as they are at one moment. */
import type { ConsumedCapacity, ReturnConsumedCapacity, TransactGetItem } from "@aws-sdk/client-dynamodb";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { OperationDeps } from "../deps.ts";
import { invalid } from "../errors.ts";
import { project } from "../expressions/project.ts";
import type { Path } from "../expressions/tree.ts";
import { cancelFor, reasonFrom } from "../items/cancellation.ts";
import { Consumption, readUnits } from "../items/capacity.ts";
import { checkForms, readExpressions } from "../items/expressions.ts";
import { itemPlace, validateKey } from "../items/keys.ts";
import { refusePathsIntoKeys } from "../items/selection.ts";
import type { ItemRow, RowPlace } from "../store-items.ts";
import { getItemRow } from "../store-items.ts";
import type { TableAccess } from "../tables/access.ts";
import type { TableDefinition } from "../tables/definition.ts";
import { validateAttributes } from "../values/validate.ts";
import type { Attributes } from "../values/value.ts";
import type { Client } from "./client.ts";

interface Get {
  readonly tableName: string;
  readonly key: Attributes;
  readonly paths: readonly Path[] | undefined;
}

export async function transactGetItems(
  deps: OperationDeps,
  input: Input<Client, "TransactGetItems">,
  context: RequestContext,
): Promise<Output<Client, "TransactGetItems">> {
  const gets = (input.TransactItems ?? []).map(readGet);
  return readTogether(deps, gets, input.ReturnConsumedCapacity, context);
}

/** Reads items as they are at one moment. */
export async function readTogether(
  deps: OperationDeps,
  gets: readonly Get[],
  wantedCapacity: ReturnConsumedCapacity | undefined,
  context: RequestContext,
  access: TableAccess = { action: "GetItem" },
): Promise<Output<Client, "TransactGetItems">> {
  const { places, tables } = await findPlaces(deps, gets, context, access);
  const rows = await deps.database.tx(async (transaction) => {
    const read: (ItemRow | undefined)[] = [];
    for (const place of places) read.push(await getItemRow(transaction, place));
    return read;
  });
  const perTable = new Map<string, Consumption>();
  for (const [i, { tableName }] of gets.entries()) {
    const consumption = new Consumption();
    consumption.addTable(readUnits(rows[i]?.size ?? 0, "transaction"));
    deps.throughput.charge(tables[i] as TableDefinition, "read", consumption);
    const total = perTable.get(tableName) ?? new Consumption();
    total.add(consumption);
    perTable.set(tableName, total);
  }
  const reports = [...perTable].map(([name, total]) => total.report(wantedCapacity, name, "read"));
  return {
    Responses: rows.map((row, i) => responseOf(row, gets[i]?.paths)),
    ConsumedCapacity: reports.some(Boolean) ? (reports as ConsumedCapacity[]) : undefined,
  };
}

function readGet({ Get: get }: TransactGetItem): Get {
  if (!get) throw invalid("TransactItems can only contain Get");
  checkForms(get, { expressions: ["ProjectionExpression"], legacy: [] });
  const key = validateAttributes(get.Key as Attributes, "older");
  return { tableName: get.TableName as string, key, paths: readExpressions(get, "older").projection };
}

async function findPlaces(
  deps: OperationDeps,
  gets: readonly Get[],
  context: RequestContext,
  access: TableAccess,
): Promise<{ places: RowPlace[]; tables: TableDefinition[] }> {
  const tables: TableDefinition[] = [];
  for (const { tableName } of gets) tables.push(await deps.tables.active(tableName, context, access));
  const reasons = gets.map(({ key, paths }, i) =>
    reasonFrom(() => {
      const table = tables[i] as TableDefinition;
      validateKey(table, key);
      if (paths) refusePathsIntoKeys(table, paths);
    }, true),
  );
  cancelFor(reasons);
  const places = gets.map(({ key }, i) => itemPlace(tables[i] as TableDefinition, key));
  const rows = new Set(
    places.map(({ owner, partition, position }) => [owner, hex(partition), hex(position)].join("/")),
  );
  if (rows.size < places.length)
    throw invalid("Transaction request cannot include multiple operations on one item");
  cancelFor(tables.map((table) => reasonFrom(() => deps.throughput.admit(table, "read"))));
  return { places, tables };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function responseOf(row: ItemRow | undefined, paths: readonly Path[] | undefined): { Item?: Attributes } {
  if (!row) return {};
  return { Item: paths ? project(row.item, paths) : row.item };
}
