/** PutItem: creates an item or replaces it whole. */
import type { PutItemInput } from "@aws-sdk/client-dynamodb";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { OperationDeps } from "../deps.ts";
import { enveloped, invalid } from "../errors.ts";
import type { Condition } from "../expressions/tree.ts";
import { collectionMetrics } from "../items/collection-metrics.ts";
import { checkCondition, readWriteCondition } from "../items/conditional.ts";
import { checkForms } from "../items/expressions.ts";
import { itemPlace, validateIndexKeys, validateItemKeys } from "../items/keys.ts";
import { checkItemSize, writeOne } from "../items/write.ts";
import { validateAttributes } from "../values/validate.ts";
import type { Attributes } from "../values/value.ts";
import type { Client } from "./client.ts";

export async function putItem(
  deps: OperationDeps,
  input: Input<Client, "PutItem">,
  context: RequestContext,
): Promise<Output<Client, "PutItem">> {
  const { item, condition } = enveloped(() => readRequest(input));
  const table = await deps.tables.active(input.TableName as string, context);
  validateItemKeys(table, item);
  validateIndexKeys(table, item);
  checkItemSize(item);
  const returnsOld = input.ReturnValues === "ALL_OLD";
  const needsPresent = returnsOld || condition !== undefined || reportsCapacity(input);
  const { before, consumption } = await writeOne(deps, {
    table,
    place: itemPlace(table, item),
    needsPresent,
    next(present) {
      checkCondition(condition, present, input.ReturnValuesOnConditionCheckFailure);
      return item;
    },
  });
  return {
    Attributes: returnsOld ? before?.item : undefined,
    ConsumedCapacity: consumption.report(input.ReturnConsumedCapacity, input.TableName as string),
    ItemCollectionMetrics: await collectionMetrics(deps, table, item, input.ReturnItemCollectionMetrics),
  };
}

/** Whether units have to be counted, for which the replaced item's size is needed. */
export function reportsCapacity({
  ReturnConsumedCapacity: wanted,
}: Pick<PutItemInput, "ReturnConsumedCapacity">): boolean {
  return wanted === "TOTAL" || wanted === "INDEXES";
}

function readRequest(input: Input<Client, "PutItem">): {
  item: Attributes;
  condition: Condition | undefined;
} {
  checkForms(input, { expressions: ["ConditionExpression"], legacy: ["Expected"] });
  const item = validateAttributes(input.Item as Attributes, "current");
  const { ReturnValues: returned = "NONE" } = input;
  if (returned !== "ALL_OLD" && returned !== "NONE")
    throw invalid("ReturnValues can only be ALL_OLD or NONE");
  return { item, condition: readWriteCondition(input).condition };
}
