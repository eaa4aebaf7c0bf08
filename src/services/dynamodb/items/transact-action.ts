/** One action of TransactWriteItems, read and checked. */
import type { ReturnValuesOnConditionCheckFailure, TransactWriteItem } from "@aws-sdk/client-dynamodb";
import { invalid } from "../errors.ts";
import type { Condition, UpdateAction } from "../expressions/tree.ts";
import type { RowPlace } from "../store-items.ts";
import type { TableDefinition } from "../tables/definition.ts";
import { validateAttributes } from "../values/validate.ts";
import type { Attributes } from "../values/value.ts";
import { checkCondition } from "./conditional.ts";
import { checkForms, readExpressions } from "./expressions.ts";
import { itemPlace, validateIndexKeys, validateItemKeys, validateKey } from "./keys.ts";
import { checkUpdatePaths, updateByExpression, updatedItem } from "./update.ts";
import { checkItemSize } from "./write.ts";

const KINDS = ["ConditionCheck", "Put", "Delete", "Update"] as const;

export interface TransactAction {
  readonly kind: (typeof KINDS)[number];
  /** As policies name it. */
  readonly action: string;
  /** Name or ARN, as given. */
  readonly tableName: string;
  /** The item of a Put, the key of the others. */
  readonly attributes: Attributes;
  readonly condition: Condition | undefined;
  readonly update: UpdateAction[] | undefined;
  readonly returnedOnFailure: ReturnValuesOnConditionCheckFailure | undefined;
}

/** Reads an action as far as this is possible without its table. */
export function readAction(member: TransactWriteItem): TransactAction {
  const kinds = KINDS.filter((kind) => member[kind] !== undefined);
  const [kind] = kinds;
  if (!kind || kinds.length > 1)
    throw invalid("TransactItems can only contain one of Check, Put, Update or Delete");
  const action = member[kind] as NonNullable<TransactWriteItem["Update"]> & { Item?: Attributes };
  checkForms(action, { expressions: ["UpdateExpression", "ConditionExpression"], legacy: [] });
  const attributes = validateAttributes((kind === "Put" ? action.Item : action.Key) as Attributes, "older");
  if (kind === "Put") checkItemSize(attributes);
  const { condition, update } = readExpressions(action, "older");
  return {
    kind,
    action: `${kind}Item`,
    tableName: action.TableName as string,
    attributes,
    condition,
    update,
    returnedOnFailure: action.ReturnValuesOnConditionCheckFailure,
  };
}

/** Checks the action against its table. */
export function checkAction(action: TransactAction, table: TableDefinition): void {
  if (action.kind === "Put") {
    validateItemKeys(table, action.attributes);
    validateIndexKeys(table, action.attributes);
    return;
  }
  validateKey(table, action.attributes);
  if (action.update) checkUpdatePaths(table, updateByExpression(action.update));
}

/** The row the action is about. */
export function actionPlace(action: TransactAction, table: TableDefinition): RowPlace {
  return itemPlace(table, action.attributes);
}

/** What the action makes of the present item; throws when its condition does not hold. */
export function outcomeOf(
  action: TransactAction,
  table: TableDefinition,
  present: Attributes | undefined,
): Attributes | undefined {
  checkCondition(action.condition, present, action.returnedOnFailure);
  switch (action.kind) {
    case "ConditionCheck":
      return present;
    case "Put":
      return action.attributes;
    case "Delete":
      return undefined;
    default:
      return updatedItem(table, updateByExpression(action.update ?? []), action.attributes, present);
  }
}
