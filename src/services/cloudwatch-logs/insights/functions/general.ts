/** Functions of anything, and of the query itself. Pure. */
import { isTrue, plainText, toNumber } from "../values.ts";
import type { Value } from "../values.ts";
import { MANY, textual } from "./scalar.ts";
import type { Functions } from "./scalar.ts";

/** Pairs of a condition and a value. */
const BRANCHES_MAX = 10;

export const GENERAL: Functions = {
  ispresent: { arguments: [1, 1], apply: ([value]) => Number(value !== undefined) },
  coalesce: { arguments: [1, MANY], apply: (values) => values.find((value) => value !== undefined) },
  if: { arguments: [3, 3], apply: ([condition, yes, no]) => (isTrue(condition) ? yes : no) },
  case: { arguments: [2, 2 * BRANCHES_MAX + 1], apply: firstTrue },
  isnumeric: { arguments: [1, 1], apply: ([value]) => Number(toNumber(value) !== undefined) },
  messagesize: textual((text) => Buffer.byteLength(text)),
  isempty: { arguments: [1, 1], apply: ([value]) => Number((plainText(value) ?? "") === "") },
  isblank: { arguments: [1, 1], apply: ([value]) => Number((plainText(value) ?? "").trim() === "") },
  querystarttime: { arguments: [0, 0], apply: (_, { fromAt }) => fromAt },
  queryendtime: { arguments: [0, 0], apply: (_, { toAt }) => toAt },
  querytimerange: { arguments: [0, 0], apply: (_, { fromAt, toAt }) => toAt - fromAt },
};

/** The value after the first condition that holds; a last one alone is for when none does. */
function firstTrue(values: readonly Value[]): Value {
  for (let at = 0; at + 1 < values.length; at += 2) if (isTrue(values[at])) return values[at + 1];
  return values.length % 2 === 1 ? values.at(-1) : undefined;
}
