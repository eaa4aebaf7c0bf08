/** The parameters that conditions and filters were written in before expressions: turned into conditions. */
import type {
  AttributeValue,
  ComparisonOperator,
  Condition as LegacyCondition,
  ConditionalOperator,
  ExpectedAttributeValue,
} from "@aws-sdk/client-dynamodb";
import { invalid, invalidParameters } from "../errors.ts";
import type { Condition, Operand } from "../expressions/tree.ts";
import { compareValues } from "../values/compare.ts";
import type { Wording } from "../values/validate.ts";
import { validateValue } from "../values/validate.ts";
import type { AttributeType } from "../values/value.ts";
import { typeOf } from "../values/value.ts";

const SCALARS: readonly AttributeType[] = ["S", "N", "B"];

interface Arity {
  readonly min: number;
  readonly max: number;
  /** Types its values may have; undefined for any. EQ and NE take documents too. */
  readonly types?: readonly AttributeType[];
}

const ONE = { min: 1, max: 1 };
const OPERATORS: Readonly<Record<ComparisonOperator, Arity>> = {
  EQ: ONE,
  NE: ONE,
  LE: { ...ONE, types: SCALARS },
  LT: { ...ONE, types: SCALARS },
  GE: { ...ONE, types: SCALARS },
  GT: { ...ONE, types: SCALARS },
  CONTAINS: { ...ONE, types: SCALARS },
  NOT_CONTAINS: { ...ONE, types: SCALARS },
  BEGINS_WITH: { ...ONE, types: ["S", "B"] },
  IN: { min: 1, max: Infinity, types: SCALARS },
  BETWEEN: { min: 2, max: 2, types: SCALARS },
  NULL: { min: 0, max: 0 },
  NOT_NULL: { min: 0, max: 0 },
};

/** A checked comparison of one attribute. */
export interface Comparison {
  readonly operator: ComparisonOperator;
  readonly values: readonly AttributeValue[];
}

/** Reads `KeyConditions`, `QueryFilter` or `ScanFilter`. */
export function readComparisons(
  conditions: Record<string, LegacyCondition> | undefined,
  wording: Wording,
): Map<string, Comparison> {
  const read = new Map<string, Comparison>();
  for (const [name, condition] of Object.entries(conditions ?? {})) {
    const operator = condition.ComparisonOperator as ComparisonOperator;
    const values = (condition.AttributeValueList ?? []).map((value) => validateValue(value, wording));
    checkComparison(operator, values);
    read.set(name, { operator, values });
  }
  return read;
}

/** Joins comparisons by AND or OR; undefined when there are none. */
export function joinComparisons(
  comparisons: ReadonlyMap<string, Comparison>,
  operator: ConditionalOperator | undefined,
): Condition | undefined {
  return join(
    [...comparisons].map(([name, comparison]) => toCondition(name, comparison)),
    operator,
  );
}

/** Reads `Expected` with its `ConditionalOperator`. */
export function readExpected(
  expected: Record<string, ExpectedAttributeValue> | undefined,
  operator: ConditionalOperator | undefined,
): Condition | undefined {
  const conditions = Object.entries(expected ?? {}).map(([name, value]) =>
    toCondition(name, readExpectation(name, value)),
  );
  checkConditionalOperator(operator, conditions.length);
  return join(conditions, operator);
}

/** Refuses AND or OR where there is nothing to join. */
export function checkConditionalOperator(
  operator: ConditionalOperator | undefined,
  conditions: number,
): void {
  if (operator === undefined || conditions > 1) return;
  if (conditions === 0)
    throw invalidParameters("ConditionalOperator cannot be used without Filter or Expected");
  throw invalidParameters(
    "ConditionalOperator can only be used when Filter or Expected has two or more elements",
  );
}

function readExpectation(name: string, expected: ExpectedAttributeValue): Comparison {
  const { Value, AttributeValueList, ComparisonOperator, Exists } = expected;
  if (AttributeValueList && Value)
    throw invalidParameters(`Value and AttributeValueList cannot be used together for Attribute: ${name}`);
  if (ComparisonOperator) return readExpectedComparison(name, ComparisonOperator, expected);
  if (AttributeValueList)
    throw invalidParameters(
      `AttributeValueList can only be used with a ComparisonOperator for Attribute: ${name}`,
    );
  if (Exists === false) {
    if (Value) throw invalidParameters(`Value cannot be used when Exists is false for Attribute: ${name}`);
    return { operator: "NULL", values: [] };
  }
  if (!Value)
    throw invalidParameters(
      `Value must be provided when Exists is ${Exists ?? "null"} for Attribute: ${name}`,
    );
  return { operator: "EQ", values: [validateValue(Value, "current")] };
}

function readExpectedComparison(
  name: string,
  operator: ComparisonOperator,
  { Value, AttributeValueList, Exists }: ExpectedAttributeValue,
): Comparison {
  if (Exists !== undefined)
    throw invalidParameters(`Exists and ComparisonOperator cannot be used together for Attribute: ${name}`);
  if (operator !== "NULL" && operator !== "NOT_NULL" && !AttributeValueList && !Value)
    throw invalidParameters(
      `Value or AttributeValueList must be used with ComparisonOperator: ${operator} for Attribute: ${name}`,
    );
  const given = AttributeValueList ?? (Value ? [Value] : []);
  const values = given.map((value) => validateValue(value, "current"));
  checkComparison(operator, values);
  return { operator, values };
}

function checkComparison(operator: ComparisonOperator, values: readonly AttributeValue[]): void {
  const { min, max, types } = OPERATORS[operator];
  if (values.length < min || values.length > max)
    throw invalidParameters(`Invalid number of argument(s) for the ${operator} ComparisonOperator`);
  const [first] = values;
  if (!first) return;
  if (values.some((value) => typeOf(value) !== typeOf(first)))
    throw invalidParameters("AttributeValues inside AttributeValueList must be of same type");
  if (types && !types.includes(typeOf(first)))
    throw invalidParameters(
      `ComparisonOperator ${operator} is not valid for ${typeOf(first)} AttributeValue type`,
    );
  if (operator === "BETWEEN" && (compareValues(first, values[1] as AttributeValue) ?? 0) > 0)
    throw invalid(
      "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound",
    );
}

function join(
  conditions: readonly Condition[],
  operator: ConditionalOperator | undefined,
): Condition | undefined {
  if (conditions.length < 2) return conditions[0];
  return operator === "OR" ? { kind: "or", conditions } : { kind: "and", conditions };
}

const COMPARATORS = { EQ: "=", NE: "<>", LE: "<=", LT: "<", GE: ">=", GT: ">" } as const;

function toCondition(name: string, { operator, values }: Comparison): Condition {
  const attribute: Operand = { kind: "path", path: [name] };
  const operands: Operand[] = [attribute, ...values.map((value): Operand => ({ kind: "value", value }))];
  switch (operator) {
    case "NULL":
      return { kind: "call", name: "attribute_not_exists", operands };
    case "NOT_NULL":
      return { kind: "call", name: "attribute_exists", operands };
    case "CONTAINS":
      return { kind: "call", name: "contains", operands };
    case "NOT_CONTAINS":
      return { kind: "not", condition: { kind: "call", name: "contains", operands } };
    case "BEGINS_WITH":
      return { kind: "call", name: "begins_with", operands };
    case "IN":
      return { kind: "in", operands };
    case "BETWEEN":
      return { kind: "between", operands };
    default:
      return { kind: "compare", operator: COMPARATORS[operator], operands };
  }
}
