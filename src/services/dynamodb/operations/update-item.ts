/** UpdateItem: changes attributes of one item, or makes the item. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { OperationDeps } from "../deps.ts";
import { enveloped } from "../errors.ts";
import { project } from "../expressions/project.ts";
import type { Condition } from "../expressions/tree.ts";
import { collectionMetrics } from "../items/collection-metrics.ts";
import { checkCondition, readWriteCondition } from "../items/conditional.ts";
import { checkForms } from "../items/expressions.ts";
import { itemPlace, validateKey } from "../items/keys.ts";
import type { Update } from "../items/update.ts";
import { checkUpdatePaths, updateByAttributes, updateByExpression, updatedItem } from "../items/update.ts";
import type { Written } from "../items/write.ts";
import { writeOne } from "../items/write.ts";
import { validateAttributes } from "../values/validate.ts";
import type { Attributes } from "../values/value.ts";
import type { Client } from "./client.ts";

export async function updateItem(
  deps: OperationDeps,
  input: Input<Client, "UpdateItem">,
  context: RequestContext,
): Promise<Output<Client, "UpdateItem">> {
  const { key, update, condition } = enveloped(() => readRequest(input));
  const table = await deps.tables.active(input.TableName as string, context);
  validateKey(table, key);
  checkUpdatePaths(table, update);
  const written = await writeOne(deps, {
    table,
    place: itemPlace(table, key),
    needsPresent: true,
    next(present) {
      checkCondition(condition, present, input.ReturnValuesOnConditionCheckFailure);
      return updatedItem(table, update, key, present);
    },
  });
  return {
    Attributes: returnedAttributes(input, update, written),
    ConsumedCapacity: written.consumption.report(input.ReturnConsumedCapacity, input.TableName as string),
    ItemCollectionMetrics: await collectionMetrics(deps, table, key, input.ReturnItemCollectionMetrics),
  };
}

interface Request {
  readonly key: Attributes;
  readonly update: Update;
  readonly condition: Condition | undefined;
}

function readRequest(input: Input<Client, "UpdateItem">): Request {
  checkForms(input, {
    expressions: ["UpdateExpression", "ConditionExpression"],
    legacy: ["AttributeUpdates", "Expected"],
  });
  const key = validateAttributes(input.Key as Attributes, "current");
  const { update, condition } = readWriteCondition(input);
  return {
    key,
    update: update ? updateByExpression(update) : updateByAttributes(input.AttributeUpdates),
    condition,
  };
}

/** The attributes that ReturnValues asks for; undefined when there are none. */
function returnedAttributes(
  { ReturnValues: wanted }: Input<Client, "UpdateItem">,
  { paths }: Update,
  { before, after }: Written,
): Attributes | undefined {
  const isNew = wanted === "ALL_NEW" || wanted === "UPDATED_NEW";
  const item = isNew ? after?.item : before?.item;
  if (!item || !wanted || wanted === "NONE") return undefined;
  if (wanted === "ALL_NEW" || wanted === "ALL_OLD") return item;
  const updated = project(item, paths);
  return Object.keys(updated).length > 0 ? updated : undefined;
}
