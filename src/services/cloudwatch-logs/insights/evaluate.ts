/** Turns expressions into functions of a record. Pure. */
import type { BinaryOperator, Expression } from "./ast.ts";
import { FUNCTIONS } from "./functions/index.ts";
import type { QueryTimes } from "./functions/index.ts";
import { readPeriod } from "./period.ts";
import { Json, compare, isTrue, plainText, toNumber } from "./values.ts";
import type { Value } from "./values.ts";

/** What has values by name: a record. */
export interface Row {
  get(name: string): Value;
}

export type Evaluate = (row: Row) => Value;

export interface EvaluationContext {
  readonly times: QueryTimes;
  /** What evaluates the calls that are no functions of one record: aggregates. */
  readonly aggregate?: (call: Extract<Expression, { kind: "call" }>) => Evaluate | undefined;
}

export function compileExpression(expression: Expression, context: EvaluationContext): Evaluate {
  switch (expression.kind) {
    case "literal":
      return () => expression.value;
    case "field":
      return (row) => row.get(expression.name);
    case "not": {
      const of = compileExpression(expression.of, context);
      return (row) => Number(!isTrue(of(row)));
    }
    case "negative": {
      const of = compileExpression(expression.of, context);
      return (row) => {
        const number = toNumber(of(row));
        return number === undefined ? undefined : -number;
      };
    }
    case "binary":
      return compileBinary(expression, context);
    case "call":
      return compileCall(expression, context);
    default:
      // A period, regular expression or list: whoever takes one looks at it as it was written.
      return () => undefined;
  }
}

function compileCall(call: Extract<Expression, { kind: "call" }>, context: EvaluationContext): Evaluate {
  const aggregate = context.aggregate?.(call);
  if (aggregate) return aggregate;
  const found = FUNCTIONS[call.name];
  const values = call.arguments.map((one) => compileExpression(one, context));
  const period = call.arguments.find((one) => one.kind === "duration");
  const fixed = { ...context.times, period: period && readPeriod(period.text) };
  const isTimed = call.name === "bin";
  return (row) =>
    found?.apply(
      values.map((value) => value(row)),
      { ...fixed, timestamp: isTimed ? row.get("@timestamp") : undefined },
    );
}

type Binary = Extract<Expression, { kind: "binary" }>;

function compileBinary({ operator, left, right }: Binary, context: EvaluationContext): Evaluate {
  const one = compileExpression(left, context);
  if (operator === "like") return compileLike(one, right, context);
  if (operator === "in") {
    const items = right.kind === "list" ? right.items.map((item) => compileExpression(item, context)) : [];
    return (row) => {
      const value = one(row);
      return Number(items.some((item) => compare(value, item(row)) === 0));
    };
  }
  const other = compileExpression(right, context);
  if (operator === "and") return (row) => Number(isTrue(one(row)) && isTrue(other(row)));
  if (operator === "or") return (row) => Number(isTrue(one(row)) || isTrue(other(row)));
  const test = TESTS[operator];
  if (test)
    return (row) => {
      const [a, b] = [one(row), other(row)];
      // Maps and lists compare with nothing.
      if (a instanceof Json || b instanceof Json) return 0;
      const difference = compare(a, b);
      // Only "is not" holds of what is missing.
      return Number(difference === undefined ? operator === "!=" : test(difference));
    };
  return (row) => calculate(operator, toNumber(one(row)), toNumber(other(row)));
}

const TESTS: Readonly<Partial<Record<BinaryOperator, (difference: number) => boolean>>> = {
  "=": (difference) => difference === 0,
  "!=": (difference) => difference !== 0,
  "<": (difference) => difference < 0,
  "<=": (difference) => difference <= 0,
  ">": (difference) => difference > 0,
  ">=": (difference) => difference >= 0,
};

function compileLike(value: Evaluate, pattern: Expression, context: EvaluationContext): Evaluate {
  if (pattern.kind === "regex") {
    const { regex } = pattern;
    return (row) => {
      const text = plainText(value(row));
      return Number(text !== undefined && regex.test(text));
    };
  }
  const part = plainText(compileExpression(pattern, context)({ get: () => undefined })) ?? "";
  return (row) => Number(plainText(value(row))?.includes(part) === true);
}

function calculate(operator: BinaryOperator, left: number | undefined, right: number | undefined): Value {
  if (left === undefined || right === undefined) return undefined;
  const result = arithmetic(operator, left, right);
  return Number.isFinite(result) ? result : undefined;
}

function arithmetic(operator: BinaryOperator, left: number, right: number): number {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return left / right;
    case "%":
      return left % right;
    default:
      return left ** right;
  }
}
