/** Reads the expressions of a request, and keeps them apart from the parameters they replaced. */
import { invalid } from "../errors.ts";
import { readCondition } from "../expressions/condition.ts";
import { ExpressionError } from "../expressions/lexer.ts";
import { readProjection } from "../expressions/project.ts";
import type { SubstituteMembers } from "../expressions/substitutes.ts";
import { Substitutes } from "../expressions/substitutes.ts";
import type { Condition, Path, UpdateAction } from "../expressions/tree.ts";
import { readUpdate } from "../expressions/update.ts";
import type { Wording } from "../values/validate.ts";

const EXPRESSIONS = [
  "UpdateExpression",
  "ConditionExpression",
  "ProjectionExpression",
  "FilterExpression",
  "KeyConditionExpression",
] as const;
type ExpressionMember = (typeof EXPRESSIONS)[number];

/** The members of any request that hold expressions. */
export type ExpressionMembers = SubstituteMembers & { readonly [M in ExpressionMember]?: string | undefined };

export interface Expressions {
  readonly update?: UpdateAction[];
  readonly condition?: Condition;
  readonly projection?: Path[];
  readonly filter?: Condition;
  readonly keyCondition?: Condition;
}

/** Which members an operation has, in the order in which DynamoDB lists them. */
export interface ParameterForms {
  readonly expressions: readonly ExpressionMember[];
  readonly legacy: readonly string[];
  /** Query and Scan say which expressions the values were meant for. */
  readonly namesNullExpressions?: boolean;
}

/** Refuses expressions beside the parameters they replaced, and names or values without an expression. */
export function checkForms(input: ExpressionMembers, forms: ParameterForms): void {
  const given = (member: string) => (input as Record<string, unknown>)[member] !== undefined;
  const expressions = forms.expressions.filter(given);
  if (expressions.length > 0) {
    const replaced = forms.legacy.filter(
      (member) => given(member) && !(member === "KeyConditions" && !given("KeyConditionExpression")),
    );
    if (replaced.length > 0)
      throw invalid(
        "Can not use both expression and non-expression parameters in the same request: " +
          `Non-expression parameters: {${replaced.join(", ")}} Expression parameters: {${expressions.join(", ")}}`,
      );
  } else if (input.ExpressionAttributeNames)
    throw invalid("ExpressionAttributeNames can only be specified when using expressions");
  const takesValues = forms.expressions.filter((member) => member !== "ProjectionExpression");
  if (takesValues.length === 0 || takesValues.some(given) || !input.ExpressionAttributeValues) return;
  const which = `: ${takesValues.join(" and ")} ${takesValues.length > 1 ? "are" : "is"} null`;
  throw invalid(
    `ExpressionAttributeValues can only be specified when using expressions${forms.namesNullExpressions ? which : ""}`,
  );
}

/** Reads the expressions of a request, all of whose names and values must then have been used. */
export function readExpressions(input: ExpressionMembers, wording: Wording): Expressions {
  if (!EXPRESSIONS.some((member) => input[member] !== undefined)) return {};
  const substitutes = new Substitutes(input, wording);
  const read = <T>(member: ExpressionMember, reader: (source: string) => T): T | undefined => {
    const source = input[member];
    if (source === undefined) return undefined;
    try {
      return reader(source);
    } catch (error) {
      if (error instanceof ExpressionError) throw invalid(`Invalid ${member}: ${error.message}`);
      throw error;
    }
  };
  const update = read("UpdateExpression", (source) => readUpdate(source, substitutes));
  const condition = read("ConditionExpression", (source) => readCondition(source, substitutes));
  const keyCondition = read("KeyConditionExpression", (source) => readCondition(source, substitutes, true));
  const filter = read("FilterExpression", (source) => readCondition(source, substitutes));
  const projection = read("ProjectionExpression", (source) => readProjection(source, substitutes));
  substitutes.expectAllUsed();
  return {
    ...(update && { update }),
    ...(condition && { condition }),
    ...(keyCondition && { keyCondition }),
    ...(filter && { filter }),
    ...(projection && { projection }),
  };
}
