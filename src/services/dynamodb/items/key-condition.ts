/** What a query asks of the keys: a partition, and perhaps a condition on the sort key. */
import type { ComparisonOperator } from "@aws-sdk/client-dynamodb";
import { invalid, invalidParameters } from "../errors.ts";
import type { Condition, Operand } from "../expressions/tree.ts";
import type { Comparison } from "../legacy/conditions.ts";
import type { Key, KeyAttribute } from "../tables/definition.ts";
import type { AttributeValue } from "../values/value.ts";
import { typeOf } from "../values/value.ts";

export interface KeyQuery {
  readonly partition: AttributeValue;
  readonly sort: Comparison | undefined;
}

const OPERATORS: Readonly<Record<string, ComparisonOperator>> = {
  "=": "EQ",
  "<": "LT",
  "<=": "LE",
  ">": "GT",
  ">=": "GE",
};
/** The operator when the value stands first. */
const TURNED: Readonly<Record<string, ComparisonOperator>> = {
  "=": "EQ",
  "<": "GT",
  "<=": "GE",
  ">": "LT",
  ">=": "LE",
};
const INDEXABLE: ReadonlySet<ComparisonOperator> = new Set([
  "EQ",
  "LT",
  "LE",
  "GT",
  "GE",
  "BETWEEN",
  "BEGINS_WITH",
]);

/** Turns a key condition expression into comparisons of attributes. */
export function comparisonsOf(condition: Condition): Map<string, Comparison> {
  const comparisons = new Map<string, Comparison>();
  collect(condition, comparisons);
  return comparisons;
}

function collect(condition: Condition, comparisons: Map<string, Comparison>): void {
  if (condition.kind === "and") {
    for (const child of condition.conditions) collect(child, comparisons);
    return;
  }
  if (condition.kind === "or" || condition.kind === "not" || condition.kind === "in")
    throw notForKeys(condition.kind.toUpperCase());
  if (condition.kind === "compare" && condition.operator === "<>") throw notForKeys("<>");
  if (condition.kind === "call" && condition.name !== "begins_with") throw notForKeys(condition.name);
  const operator =
    condition.kind === "between" ? "BETWEEN" : condition.kind === "call" ? condition.name : undefined;
  const { operands } = condition;
  if (operator && operands[0]?.kind !== "path")
    throw invalid(
      `Invalid condition in KeyConditionExpression: ${operator} operator must have the key attribute as its first operand`,
    );
  const name = attributeOf(operands);
  if (comparisons.has(name))
    throw badCondition("KeyConditionExpressions must only contain one condition per key");
  const values = operands.flatMap((operand) => (operand.kind === "value" ? [operand.value] : []));
  comparisons.set(name, { operator: operatorOf(condition), values });
}

function notForKeys(operator: string): Error {
  return invalid(`Invalid operator used in KeyConditionExpression: ${operator}`);
}

function badCondition(message: string): Error {
  return invalid(`Invalid KeyConditionExpression: ${message}`);
}

/** The one attribute of a condition. */
function attributeOf(operands: readonly Operand[]): string {
  let name: string | undefined;
  for (const operand of operands) {
    if (operand.kind === "call" || operand.kind === "arithmetic")
      throw badCondition("KeyConditionExpressions cannot contain nested operations");
    if (operand.kind !== "path") continue;
    if (name !== undefined)
      throw invalid(
        "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition",
      );
    if (operand.path.length > 1)
      throw badCondition("KeyConditionExpressions cannot have conditions on nested attributes");
    name = operand.path[0] as string;
  }
  if (name === undefined)
    throw invalid("Invalid condition in KeyConditionExpression: No key attribute specified");
  return name;
}

function operatorOf(condition: Exclude<Condition, { kind: "and" | "or" | "not" }>): ComparisonOperator {
  if (condition.kind === "between") return "BETWEEN";
  if (condition.kind !== "compare") return "BEGINS_WITH";
  const operators = condition.operands[0]?.kind === "path" ? OPERATORS : TURNED;
  return operators[condition.operator] as ComparisonOperator;
}

/** Checks the comparisons against the keys of the table or index that is queried. */
export function readKeyQuery(comparisons: ReadonlyMap<string, Comparison>, key: Key): KeyQuery {
  const attributes = key.sort ? 2 : 1;
  if (comparisons.size > 2)
    throw invalid(
      `The number of query conditions (${comparisons.size}) exceeds the number of key attributes defined in the schema (${attributes})`,
    );
  if (comparisons.size > attributes) throw invalid("Query key condition not supported");
  const partition = comparisons.get(key.partition.name);
  if (!partition) throw missed(key.partition);
  checkComparison(partition, key.partition);
  if (partition.operator !== "EQ") throw invalid("Query key condition not supported");
  const sort = key.sort && comparisons.get(key.sort.name);
  if (key.sort && sort) checkComparison(sort, key.sort);
  else if (key.sort && comparisons.size > 1) throw missed(key.sort);
  return { partition: partition.values[0] as AttributeValue, sort };
}

function missed({ name }: KeyAttribute): Error {
  return invalid(`Query condition missed key schema element: ${name}`);
}

function checkComparison({ operator, values }: Comparison, { name, type }: KeyAttribute): void {
  if (!INDEXABLE.has(operator))
    throw invalid("Attempted conditional constraint is not an indexable operation");
  if (values.some((value) => typeOf(value) !== type) || (operator === "BEGINS_WITH" && type === "N"))
    throw invalidParameters("Condition parameter type does not match schema type");
  for (const value of values) {
    const empty = value.S === "" ? "string" : value.B?.length === 0 ? "binary" : undefined;
    if (empty)
      throw invalid(
        `One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty ${empty} value. Key: ${name}`,
      );
  }
}
