/**
 * By what a pattern can be found: conditions on single fields, of which an event that matches meets at least one. The fewer events meet
 * them, the better; what a condition leaves open, the pattern itself decides.
 */
import { isJsonObject } from "./json.ts";
import { nameOf } from "./leaf.ts";
import { folded, readNumeric } from "./operators.ts";

export type Condition =
  /** A value by its kind and text, as `nameOf` has it. */
  | { readonly kind: "exact"; readonly text: string }
  | { readonly kind: "prefix" | "suffix" | "folded"; readonly text: string }
  | { readonly kind: "range"; readonly from: number; readonly to: number }
  /** Any value at all. */
  | { readonly kind: "present" };

export interface Access {
  readonly path: readonly string[];
  readonly condition: Condition;
}

/** Tells how many patterns an access leads to already: of several ways the rarest is taken. */
export type Weigh = (access: Access) => number;

/** Costs of conditions that are met by more events than one value's. */
const PRESENT_WEIGHT = 1_000;
const PARTIAL_WEIGHT = 4;

/**
 * The best conditions of a pattern that `compilePattern` has taken; undefined where an event matches by what it has not.
 * @param pattern As parseJson reads it.
 */
export function accessOf(
  pattern: Readonly<Record<string, unknown>>,
  weigh: Weigh,
  path: readonly string[] = [],
): readonly Access[] | undefined {
  let best: readonly Access[] | undefined;
  let bestCost = Infinity;
  for (const [key, value] of Object.entries(pattern)) {
    const found = accessOfField(key, value, weigh, path);
    if (found === undefined) continue;
    const cost = found.reduce((sum, one) => sum + costOf(one, weigh), 0);
    if (cost < bestCost) [best, bestCost] = [found, cost];
  }
  return best;
}

function costOf(access: Access, weigh: Weigh): number {
  const { kind } = access.condition;
  const factor = kind === "present" ? PRESENT_WEIGHT : kind === "exact" ? 1 : PARTIAL_WEIGHT;
  return factor * (1 + weigh(access));
}

function accessOfField(
  key: string,
  value: unknown,
  weigh: Weigh,
  path: readonly string[],
): readonly Access[] | undefined {
  if (isJsonObject(value)) return accessOf(value, weigh, [...path, key]);
  if (!Array.isArray(value)) return undefined;
  if (key === "$or" && value.every(isJsonObject)) {
    const ways = value.map((one) => accessOf(one, weigh, path));
    return ways.every((one) => one !== undefined) ? ways.flat() : undefined;
  }
  const conditions = value.map(conditionOf);
  if (conditions.some((one) => one === undefined)) return undefined;
  return conditions.map((condition) => ({ path: [...path, key], condition: condition as Condition }));
}

/** Undefined for `exists: false`. */
function conditionOf(value: unknown): Condition | undefined {
  const name = nameOf(value);
  if (name !== undefined) return { kind: "exact", text: name };
  const [operator, argument] = Object.entries(value as object)[0] as [string, unknown];
  switch (operator) {
    case "exists":
      return argument === true ? { kind: "present" } : undefined;
    case "prefix":
    case "suffix":
      // Without regard to case an end is no text to look up.
      return typeof argument === "string" ? { kind: operator, text: argument } : { kind: "present" };
    case "equals-ignore-case":
      return { kind: "folded", text: folded(argument as string) };
    case "wildcard":
      return endOfWildcard(argument as string);
    case "numeric":
      return rangeOf(argument);
    default:
      return { kind: "present" };
  }
}

/** The longer of the texts before the first and after the last star. */
function endOfWildcard(pattern: string): Condition {
  if (pattern.includes("\\")) return { kind: "present" };
  if (!pattern.includes("*")) return { kind: "exact", text: `"${pattern}` };
  const head = pattern.slice(0, pattern.indexOf("*"));
  const tail = pattern.slice(pattern.lastIndexOf("*") + 1);
  if (head === "" && tail === "") return { kind: "present" };
  return head.length >= tail.length ? { kind: "prefix", text: head } : { kind: "suffix", text: tail };
}

function rangeOf(argument: unknown): Condition {
  const [first, second] = readNumeric(argument);
  const { operator, bound } = first;
  if (operator === "=") return { kind: "range", from: bound, to: bound };
  if (operator.startsWith("<")) return { kind: "range", from: -Infinity, to: bound };
  return { kind: "range", from: bound, to: second?.bound ?? Infinity };
}
