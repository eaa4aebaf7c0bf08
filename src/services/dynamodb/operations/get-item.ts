/** GetItem: reads one item. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { OperationDeps } from "../deps.ts";
import { project } from "../expressions/project.ts";
import { Consumption, readUnits } from "../items/capacity.ts";
import { checkForms, readExpressions } from "../items/expressions.ts";
import { itemPlace, validateKey } from "../items/keys.ts";
import { refuseDuplicates, refusePathsIntoKeys, selectedPaths } from "../items/selection.ts";
import { getItemRow } from "../store-items.ts";
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
  deps.throughput.admit(table, "read");
  const row = await getItemRow(deps.database, itemPlace(table, key));
  const consumption = new Consumption();
  consumption.addTable(readUnits(row?.size ?? 0, input.ConsistentRead ? "consistent" : "eventual"));
  deps.throughput.charge(table, "read", consumption);
  return {
    Item: row && (paths ? project(row.item, paths) : row.item),
    ConsumedCapacity: consumption.report(input.ReturnConsumedCapacity, input.TableName as string),
  };
}
