/** The constraints that one value breaks, in AWS's words. */
import type { ConstraintRecord } from "../model/format.ts";
import type { Shape } from "../model/shape.ts";
import { compilePattern } from "./pattern.ts";

/** Each broken constraint as the end of a sentence: `Member must have length less than or equal to 64`. */
export function brokenConstraints(shape: Shape, value: unknown): string[] {
  const constraint = shape.constraint;
  if (!constraint) return [];
  const size = sizeOf(shape, value);
  return [
    ...(size === undefined ? [] : brokenBounds(constraint, size.number, size.noun)),
    ...(typeof value === "string" ? brokenText(constraint, value) : []),
  ];
}

/** All constraints of the type, broken or not: what a message about a list's or map's elements names. */
export function allConstraints(shape: Shape): string[] {
  const { constraint } = shape;
  if (!constraint) return [];
  const noun = isNumber(shape) ? "value" : "length";
  return [
    ...(constraint.max === undefined ? [] : [boundText(noun, "less", constraint.max)]),
    ...(constraint.min === undefined ? [] : [boundText(noun, "greater", constraint.min)]),
    ...(constraint.pattern === undefined ? [] : [patternText(constraint.pattern)]),
    ...(constraint.enum === undefined ? [] : [enumText(constraint.enum)]),
  ];
}

function sizeOf(
  shape: Shape,
  value: unknown,
): { number: number | bigint; noun: "value" | "length" } | undefined {
  if (isNumber(shape)) return { number: value as number | bigint, noun: "value" };
  if (typeof value === "string") return { number: value.length, noun: "length" };
  if (value instanceof Uint8Array || Array.isArray(value)) return { number: value.length, noun: "length" };
  if (shape.kind === "map") return { number: Object.keys(value as object).length, noun: "length" };
  return undefined;
}

function isNumber(shape: Shape): boolean {
  return (
    shape.kind === "integer" || shape.kind === "long" || shape.kind === "float" || shape.kind === "number"
  );
}

function brokenBounds(
  { min, max }: ConstraintRecord,
  size: number | bigint,
  noun: "value" | "length",
): string[] {
  if (max !== undefined && size > max) return [boundText(noun, "less", max)];
  if (min !== undefined && size < min) return [boundText(noun, "greater", min)];
  return [];
}

function brokenText(constraint: ConstraintRecord, value: string): string[] {
  const { pattern } = constraint;
  if (pattern !== undefined && !compilePattern(pattern).test(value)) return [patternText(pattern)];
  if (constraint.enum && !constraint.enum.includes(value)) return [enumText(constraint.enum)];
  return [];
}

function boundText(noun: string, than: "less" | "greater", bound: number): string {
  return `Member must have ${noun} ${than} than or equal to ${bound}`;
}

function patternText(pattern: string): string {
  return `Member must satisfy regular expression pattern: ${pattern}`;
}

function enumText(values: readonly string[]): string {
  return `Member must satisfy enum value set: [${values.join(", ")}]`;
}
