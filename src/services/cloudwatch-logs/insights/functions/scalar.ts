/** What a function of expressions is. Pure but for the times that it is given. */
import type { Expression } from "../ast.ts";
import { Stamp, plainText, toNumber } from "../values.ts";
import type { Value } from "../values.ts";
import type { Period } from "../period.ts";

export interface ScalarFunction {
  readonly arguments: readonly [least: number, most: number];
  /** Which argument is a period: `5m`. */
  readonly periodAt?: number;
  /** Why these arguments cannot be; told when a query is read. */
  readonly fault?: (given: readonly Expression[]) => string | undefined;
  apply(values: readonly Value[], context: FunctionContext): Value;
}

export interface FunctionContext extends QueryTimes {
  readonly period: Period | undefined;
  /** Of the record, for bin(). */
  readonly timestamp: Value;
}

/** The times of a query, in epoch milliseconds, the same for all of it. */
export interface QueryTimes {
  /** When it was started. */
  readonly now: number;
  readonly fromAt: number;
  readonly toAt: number;
}

export type Functions = Readonly<Record<string, ScalarFunction>>;

/** Arguments of those that take many. */
export const MANY = 100;

export const numeric = (calculate: (number: number) => number): ScalarFunction => ({
  arguments: [1, 1],
  apply: ([value]) => finite(toNumber(value), calculate),
});

/** Maps and lists are no texts. */
export const textual = (change: (text: string) => Value): ScalarFunction => ({
  arguments: [1, 1],
  apply: ([value]) => {
    const text = plainText(value);
    return text === undefined ? undefined : change(text);
  },
});

/** Of two texts, 1 or 0; nothing where the first is none. */
export const tested = (test: (text: string, other: string) => boolean): ScalarFunction => ({
  arguments: [2, 2],
  apply: ([value, other]) => {
    const text = plainText(value);
    return text === undefined ? undefined : Number(test(text, plainText(other) ?? ""));
  },
});

export function finite(number: number | undefined, calculate: (number: number) => number): Value {
  if (number === undefined) return undefined;
  const result = calculate(number);
  return Number.isFinite(result) ? result : undefined;
}

export function stamp(at: number | undefined, change: (at: number) => number): Value {
  return at === undefined ? undefined : new Stamp(change(at));
}

/** The text that an argument is, where it is one as it stands in the query. */
export function literalOf(given: Expression | undefined): string | undefined {
  return given?.kind === "literal" && typeof given.value === "string" ? given.value : undefined;
}
