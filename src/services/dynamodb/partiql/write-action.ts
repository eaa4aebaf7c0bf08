/** PartiQL's writes, as the actions that transactions have too. */
import type { ReturnValuesOnConditionCheckFailure } from "@aws-sdk/client-dynamodb";
import { invalid } from "../errors.ts";
import { project } from "../expressions/project.ts";
import type { Condition } from "../expressions/tree.ts";
import type { TransactAction } from "../items/transact-action.ts";
import type { Written } from "../items/write.ts";
import type { TableDefinition } from "../tables/definition.ts";
import type { Attributes } from "../values/value.ts";
import { itemInWhere } from "./keys-in-where.ts";
import { statementAction } from "./statement.ts";
import type { Exists, Statement } from "./statement.ts";

/** A statement that writes, or checks within a transaction that does. */
export type WriteStatement = Exclude<Statement, { kind: "SELECT" }>;

/** The action on the one item that a statement names. @throws AwsError ValidationException where it names none */
export function writeAction(
  statement: WriteStatement,
  table: TableDefinition,
  returnedOnFailure: ReturnValuesOnConditionCheckFailure | undefined,
): TransactAction {
  const action = statementAction(statement);
  const common = { action, tableName: statement.table, update: undefined, returnedOnFailure };
  const isThere = presence(table, "attribute_exists");
  if (statement.kind === "INSERT") {
    const condition = presence(table, "attribute_not_exists");
    return { ...common, kind: "Put", attributes: statement.item, condition };
  }
  if (statement.kind === "EXISTS") return existsAction(statement, table, common);
  const { key: attributes, rest } = itemInWhere(statement.where, table.key);
  if (statement.kind === "UPDATE") {
    const condition = both(isThere, rest);
    return { ...common, kind: "Update", attributes, condition, update: statement.actions };
  }
  // An item that is not there is deleted already, whatever else is asked of it.
  const condition: Condition | undefined = rest && {
    kind: "or",
    conditions: [presence(table, "attribute_not_exists"), rest],
  };
  return { ...common, kind: "Delete", attributes, condition };
}

function existsAction(
  { select }: Exists,
  table: TableDefinition,
  common: Omit<TransactAction, "kind" | "attributes" | "condition">,
): TransactAction {
  if (select.index !== undefined) throw invalid("Operations on indices are not supported in transactions");
  const fault = invalid("EXISTS() must contain a single item read with additional condition");
  let found;
  try {
    found = itemInWhere(select.where, table.key);
  } catch {
    throw fault;
  }
  if (!found.rest) throw fault;
  const condition = both(presence(table, "attribute_exists"), found.rest);
  return { ...common, kind: "ConditionCheck", attributes: found.key, condition };
}

/** Whether an item is there is told by its partition key, which every item has. */
function presence(table: TableDefinition, name: "attribute_exists" | "attribute_not_exists"): Condition {
  return { kind: "call", name, operands: [{ kind: "path", path: [table.key.partition.name] }] };
}

function both(first: Condition, second: Condition | undefined): Condition {
  return second ? { kind: "and", conditions: [first, second] } : first;
}

/** What a statement returns of the item that it changed; undefined for nothing. */
export function returnedItem(
  statement: WriteStatement,
  { before, after }: Pick<Written, "before" | "after">,
): Attributes | undefined {
  if (statement.kind !== "UPDATE" && statement.kind !== "DELETE") return undefined;
  const { returning } = statement;
  if (!returning) return undefined;
  const item = returning.endsWith("NEW") ? after?.item : before?.item;
  if (!item || returning.startsWith("ALL") || statement.kind !== "UPDATE") return item;
  const modified = project(
    item,
    statement.actions.map(({ path }) => path),
  );
  return Object.keys(modified).length > 0 ? modified : undefined;
}
