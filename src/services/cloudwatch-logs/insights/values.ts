/** The values of fields and expressions, and how they compare and show. Pure. */

/** A point in time, which shows as a date; in sums and comparisons it is its epoch milliseconds. */
export class Stamp {
  readonly at: number;
  constructor(at: number) {
    this.at = at;
  }
}

/** A JSON object or list, whose parts are fields too. */
export class Json {
  readonly value: object;
  constructor(value: object) {
    this.value = value;
  }
}

/** Undefined where there is none. */
export type Value = string | number | Stamp | Json | undefined;

const NUMBER = /^\s*[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?\s*$/i;

/** A value as number, where it is or looks like one. */
export function toNumber(value: Value): number | undefined {
  if (typeof value === "number") return value;
  if (value instanceof Stamp) return value.at;
  return typeof value === "string" && NUMBER.test(value) ? Number(value) : undefined;
}

/** As it shows in results; undefined stays so. */
export function toText(value: Value): string | undefined {
  if (value === undefined || typeof value === "string") return value;
  if (value instanceof Stamp) return showTime(value.at);
  if (value instanceof Json) return showJson(value.value);
  return showNumber(value);
}

/** As text for functions and patterns: maps and lists are none. */
export function plainText(value: Value): string | undefined {
  return value instanceof Json ? undefined : toText(value);
}

/** Conditions are 1 or 0. */
export function isTrue(value: Value): boolean {
  const number = toNumber(value);
  return number === undefined ? value !== undefined && value !== "" : number !== 0;
}

/** Negative, 0 or positive; undefined where one of them is missing. Numbers, and texts that both look like some, compare as numbers. */
export function compare(a: Value, b: Value): number | undefined {
  if (a === undefined || b === undefined) return undefined;
  const [left, right] = [toNumber(a), toNumber(b)];
  if (left !== undefined && right !== undefined) return left - right;
  return textOrder(toText(a) ?? "", toText(b) ?? "");
}

/**
 * In order for `sort`: numbers after all else, texts by their pieces of digits and of other characters. What is missing comes last, and
 * first when the order is reversed.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Sort.html
 */
export function order(a: Value, b: Value): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  const [left, right] = [toNumber(a), toNumber(b)];
  if ((left === undefined) !== (right === undefined)) return left === undefined ? -1 : 1;
  const [one, other] = [toText(a) ?? "", toText(b) ?? ""];
  if (left === undefined || right === undefined) return orderOfPieces(one, other);
  return left - right || (typeof a === "string" && typeof b === "string" ? textOrder(one, other) : 0);
}

/** Digits are ordered by how many they are, then by their number. */
function orderOfPieces(one: string, other: string): number {
  const pieces = [one, other].map((text) => text.match(/\d+|\D+/g) ?? []);
  const [left = [], right = []] = pieces;
  for (let at = 0; at < Math.min(left.length, right.length); at++) {
    const [a = "", b = ""] = [left[at], right[at]];
    const areDigits = /^\d/.test(a) && /^\d/.test(b);
    const found = (areDigits ? a.length - b.length : 0) || textOrder(a, b);
    if (found !== 0) return found;
  }
  return left.length - right.length;
}

/** By Unicode. */
function textOrder(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}

/** A value out of JSON: true and false are 1 and 0, null is none. */
export function fromJson(value: unknown): Value {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "boolean") return Number(value);
  if (typeof value === "string" || typeof value === "number") return value;
  return typeof value === "object" ? new Json(value) : undefined;
}

/** A part of JSON by its path, `a.b.0`. A name with a dot in it is found too. */
export function partOf(json: unknown, path: string): unknown {
  if (typeof json !== "object" || json === null) return undefined;
  if (Object.hasOwn(json, path)) return (json as Record<string, unknown>)[path];
  for (let dot = path.indexOf("."); dot > 0; dot = path.indexOf(".", dot + 1)) {
    const name = path.slice(0, dot);
    if (!Object.hasOwn(json, name)) continue;
    const found = partOf((json as Record<string, unknown>)[name], path.slice(dot + 1));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** `2026-01-31 12:00:00.000`, UTC. */
export function showTime(at: number): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? String(at) : date.toISOString().replace("T", " ").slice(0, -1);
}

/** Undefined for what is nested so deeply that it cannot be written. */
function showJson(value: object): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

/** No exponents for what people count, and no digits that only rounding made. */
function showNumber(value: number): string {
  if (Number.isInteger(value)) return Math.abs(value) < 1e21 ? String(value) : value.toExponential();
  return String(Number(value.toPrecision(12)));
}
