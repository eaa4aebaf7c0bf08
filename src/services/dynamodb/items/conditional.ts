/** The condition of a write, in either of its forms. */
import type {
  ConditionalOperator,
  ExpectedAttributeValue,
  ReturnValuesOnConditionCheckFailure,
} from "@aws-sdk/client-dynamodb";
import { conditionFailed } from "../errors.ts";
import { isSatisfied } from "../expressions/evaluate.ts";
import type { Condition } from "../expressions/tree.ts";
import { readExpected } from "../legacy/conditions.ts";
import type { Attributes } from "../values/value.ts";
import { emptyAttributes } from "../values/value.ts";
import type { ExpressionMembers, Expressions } from "./expressions.ts";
import { readExpressions } from "./expressions.ts";

interface ConditionMembers extends ExpressionMembers {
  readonly Expected?: Record<string, ExpectedAttributeValue> | undefined;
  readonly ConditionalOperator?: ConditionalOperator | undefined;
}

/** Reads a write's expressions; its condition may be in `Expected` instead. */
export function readWriteCondition(input: ConditionMembers): Expressions {
  const expected = readExpected(input.Expected, input.ConditionalOperator);
  const expressions = readExpressions(input, "current");
  return expected ? { ...expressions, condition: expected } : expressions;
}

/** Throws unless the present item satisfies the condition. */
export function checkCondition(
  condition: Condition | undefined,
  present: Attributes | undefined,
  returned?: ReturnValuesOnConditionCheckFailure,
): void {
  if (!condition || isSatisfied(condition, present ?? emptyAttributes())) return;
  throw conditionFailed(returned === "ALL_OLD" ? present : undefined);
}
