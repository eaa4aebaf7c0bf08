/** The values that a pattern names for one field: any of them may match, and any element where the event has an array. */
import { PatternError } from "./error.ts";
import { isJsonObject, numberName } from "./json.ts";
import { compileOperator } from "./operators.ts";
import type { Operator, ValueTest } from "./operators.ts";

/** Matches the value of a field; undefined where the event does not have it. */
export function compileLeaf(
  key: string,
  values: readonly unknown[],
  operators: ReadonlySet<Operator>,
): (value: unknown) => boolean {
  if (values.length === 0) throw new PatternError("Empty arrays are not allowed");
  const exact = new Set<string>();
  const tests: ValueTest[] = [];
  let matchesAbsence = false;
  for (const value of values) {
    const name = nameOf(value);
    if (name !== undefined) exact.add(name);
    else if (isJsonObject(value)) {
      const compiled = compileOperator(key, value, operators);
      if (compiled === "absent") matchesAbsence = true;
      else tests.push(compiled);
    } else throw new PatternError(`Match value must be String, number, true, false, or null: "${key}"`);
  }
  const matchOne = (value: unknown): boolean => {
    const name = nameOf(value);
    return name !== undefined && (exact.has(name) || tests.some((test) => test(value)));
  };
  return (value) => {
    if (!Array.isArray(value)) return nameOf(value) === undefined ? matchesAbsence : matchOne(value);
    const leaves = value.flat(Infinity).filter((one) => nameOf(one) !== undefined);
    return leaves.length === 0 ? matchesAbsence : leaves.some(matchOne);
  };
}

/** A scalar by its kind and text, so that "1" and 1 differ; undefined for what is no leaf. */
export function nameOf(value: unknown): string | undefined {
  if (typeof value === "string") return `"${value}`;
  const number = numberName(value);
  if (number !== undefined) return number;
  return value === null || typeof value === "boolean" ? String(value) : undefined;
}
