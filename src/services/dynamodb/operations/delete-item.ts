/** DeleteItem: takes one item away. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { OperationDeps } from "../deps.ts";
import { enveloped, invalid } from "../errors.ts";
import type { Condition } from "../expressions/tree.ts";
import { collectionMetrics } from "../items/collection-metrics.ts";
import { checkCondition, readWriteCondition } from "../items/conditional.ts";
import { checkForms } from "../items/expressions.ts";
import { itemPlace, validateKey } from "../items/keys.ts";
import { writeOne } from "../items/write.ts";
import { validateAttributes } from "../values/validate.ts";
import type { Attributes } from "../values/value.ts";
import type { Client } from "./client.ts";
import { reportsCapacity } from "./put-item.ts";

export async function deleteItem(
  deps: OperationDeps,
  input: Input<Client, "DeleteItem">,
  context: RequestContext,
): Promise<Output<Client, "DeleteItem">> {
  const { key, condition } = enveloped(() => readRequest(input));
  const table = await deps.tables.active(input.TableName as string, context);
  validateKey(table, key);
  const returnsOld = input.ReturnValues === "ALL_OLD";
  const { before, consumption } = await writeOne(deps, {
    table,
    place: itemPlace(table, key),
    needsPresent: returnsOld || condition !== undefined || reportsCapacity(input),
    next(present) {
      checkCondition(condition, present, input.ReturnValuesOnConditionCheckFailure);
      return undefined;
    },
  });
  return {
    Attributes: returnsOld ? before?.item : undefined,
    ConsumedCapacity: consumption.report(input.ReturnConsumedCapacity, input.TableName as string),
    ItemCollectionMetrics: await collectionMetrics(deps, table, key, input.ReturnItemCollectionMetrics),
  };
}

function readRequest(input: Input<Client, "DeleteItem">): {
  key: Attributes;
  condition: Condition | undefined;
} {
  checkForms(input, { expressions: ["ConditionExpression"], legacy: ["Expected"] });
  const key = validateAttributes(input.Key as Attributes, "current");
  const { ReturnValues: returned = "NONE" } = input;
  if (returned !== "ALL_OLD" && returned !== "NONE")
    throw invalid("ReturnValues can only be ALL_OLD or NONE");
  return { key, condition: readWriteCondition(input).condition };
}
