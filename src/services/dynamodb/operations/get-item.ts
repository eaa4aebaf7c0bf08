/** GetItem: reads one item. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { OperationDeps } from "../deps.ts";
import { project } from "../expressions/project.ts";
import { Consumption, readUnits } from "../items/capacity.ts";
import { checkForms, readExpressions } from "../items/expressions.ts";
import { itemPlace, validateKey } from "../items/keys.ts";
import { refuseDuplicates, refusePathsIntoKeys, selectedPaths } from "../items/selection.ts";
import { getItemRow, getItemText } from "../store-items.ts";
import type { TableDefinition } from "../tables/definition.ts";
import { validateAttributes } from "../values/validate.ts";
import type { Attributes } from "../values/value.ts";
import type { Client } from "./client.ts";

export async function getItem(
  deps: OperationDeps,
  input: Input<Client, "GetItem">,
  context: RequestContext,
): Promise<Output<Client, "GetItem">> {
  checkForms(input, { expressions: ["ProjectionExpression"], legacy: ["AttributesToGet"] });
  const key = validateAttributes(input.Key as Attributes, "current");
  if (input.AttributesToGet) refuseDuplicates(input.AttributesToGet);
  const paths = selectedPaths(input.AttributesToGet, readExpressions(input, "current").projection);
  const table = await deps.tables.active(input.TableName as string, context);
  validateKey(table, key);
  if (paths) refusePathsIntoKeys(table, paths);
  const consumption = new Consumption();
  const row = await read(deps, table, consumption, input.ConsistentRead, () =>
    getItemRow(deps.database, itemPlace(table, key)),
  );
  return {
    Item: row && (paths ? project(row.item, paths) : row.item),
    ConsumedCapacity: consumption.report(input.ReturnConsumedCapacity, input.TableName as string),
  };
}

/** An item whole, as JSON of the wire: what the direct way answers. */
export async function getItemAsText(
  deps: OperationDeps,
  input: { readonly TableName: string; readonly Key: Attributes },
  context: RequestContext,
): Promise<string | undefined> {
  const key = validateAttributes(input.Key, "current");
  const table = await deps.tables.active(input.TableName, context);
  validateKey(table, key);
  const row = await read(deps, table, new Consumption(), false, () =>
    getItemText(deps.database, itemPlace(table, key)),
  );
  return row?.text;
}

/** Reads a row as far as the table's throughput allows it. */
async function read<R extends { readonly size: number }>(
  deps: OperationDeps,
  table: TableDefinition,
  consumption: Consumption,
  isConsistent: boolean | undefined,
  find: () => Promise<R | undefined>,
): Promise<R | undefined> {
  deps.throughput.admit(table, "read");
  const row = await find();
  consumption.addTable(readUnits(row?.size ?? 0, isConsistent ? "consistent" : "eventual"));
  deps.throughput.charge(table, "read", consumption);
  return row;
}
