/** The functions of expressions, by name in lower case. Pure but for the clock that `now` is given. */
import { BlockList, isIP, isIPv4, isIPv6 } from "node:net";
import { ceilTime, floorTime } from "./period.ts";
import type { Period } from "./period.ts";
import { Json, Stamp, compare, fromJson, toNumber, toText } from "./values.ts";
import type { Value } from "./values.ts";

export interface ScalarFunction {
  readonly arguments: readonly [least: number, most: number];
  /** Which argument is a period: `5m`. */
  readonly periodAt?: number;
  apply(values: readonly Value[], context: FunctionContext): Value;
}

export interface FunctionContext {
  readonly period: Period | undefined;
  /** Epoch milliseconds. */
  readonly now: number;
  /** Of the record, for bin(). */
  readonly timestamp: Value;
}

const MANY = 100;

const numeric = (calculate: (number: number) => number): ScalarFunction => ({
  arguments: [1, 1],
  apply: ([value]) => finite(toNumber(value), calculate),
});
const textual = (change: (text: string) => Value): ScalarFunction => ({
  arguments: [1, 1],
  apply: ([value]) => {
    const text = toText(value);
    return text === undefined ? undefined : change(text);
  },
});
const trimmed = (side: "start" | "end" | "both"): ScalarFunction => ({
  arguments: [1, 2],
  apply: ([value, characters]) => {
    const text = toText(value);
    return text === undefined ? undefined : trim(text, toText(characters), side);
  },
});
const timed = (round: (at: number, period: Period) => number): ScalarFunction => ({
  arguments: [2, 2],
  periodAt: 1,
  apply: ([value], { period }) => stamp(toNumber(value), (at) => (period ? round(at, period) : at)),
});
const chosen = (wanted: 1 | -1): ScalarFunction => ({
  arguments: [1, MANY],
  apply: (values) =>
    values.reduce((best, value) => {
      const found = compare(value, best);
      return found === undefined ? (best ?? value) : Math.sign(found) === wanted ? value : best;
    }),
});
const address = (test: (text: string) => boolean): ScalarFunction => textual((text) => Number(test(text)));
const inSubnet = (accepts: (address: string) => boolean): ScalarFunction => ({
  arguments: [2, 2],
  apply: ([value, subnet]) => {
    const [text, range] = [toText(value), toText(subnet)];
    return text === undefined || range === undefined ? undefined : Number(accepts(text) && isIn(text, range));
  },
});

export const FUNCTIONS: Readonly<Record<string, ScalarFunction | undefined>> = {
  // Numbers.
  abs: numeric(Math.abs),
  ceil: numeric(Math.ceil),
  floor: numeric(Math.floor),
  log: numeric(Math.log),
  sqrt: numeric(Math.sqrt),
  greatest: chosen(1),
  least: chosen(-1),
  // Anything.
  ispresent: { arguments: [1, 1], apply: ([value]) => Number(value !== undefined) },
  coalesce: { arguments: [1, MANY], apply: (values) => values.find((value) => value !== undefined) },
  if: { arguments: [3, 3], apply: ([condition, yes, no]) => ((toNumber(condition) ?? 0) === 0 ? no : yes) },
  // Texts.
  isempty: { arguments: [1, 1], apply: ([value]) => Number((toText(value) ?? "") === "") },
  isblank: { arguments: [1, 1], apply: ([value]) => Number((toText(value) ?? "").trim() === "") },
  concat: { arguments: [1, MANY], apply: (values) => values.map((value) => toText(value) ?? "").join("") },
  trim: trimmed("both"),
  ltrim: trimmed("start"),
  rtrim: trimmed("end"),
  strlen: textual((text) => Array.from(text).length),
  toupper: textual((text) => text.toUpperCase()),
  tolower: textual((text) => text.toLowerCase()),
  substr: { arguments: [2, 3], apply: substr },
  replace: { arguments: [3, 3], apply: replace },
  strcontains: { arguments: [2, 2], apply: contains },
  // JSON.
  jsonparse: textual(parseJson),
  jsonstringify: {
    arguments: [1, 1],
    apply: ([value]) => (value instanceof Json ? toText(value) : quote(value)),
  },
  // Times.
  bin: {
    arguments: [1, 1],
    periodAt: 0,
    apply: (_, { period, timestamp }) =>
      stamp(toNumber(timestamp), (at) => (period ? floorTime(at, period) : at)),
  },
  datefloor: timed(floorTime),
  dateceil: timed(ceilTime),
  frommillis: { arguments: [1, 1], apply: ([value]) => stamp(toNumber(value), (at) => at) },
  tomillis: { arguments: [1, 1], apply: ([value]) => toNumber(value) },
  now: { arguments: [0, 0], apply: (_, { now }) => Math.floor(now / 1_000) },
  // Addresses.
  isvalidip: address((text) => isIP(text) !== 0),
  isvalidipv4: address(isIPv4),
  isvalidipv6: address(isIPv6),
  isipinsubnet: inSubnet((text) => isIP(text) !== 0),
  isipv4insubnet: inSubnet(isIPv4),
  isipv6insubnet: inSubnet(isIPv6),
};

function finite(number: number | undefined, calculate: (number: number) => number): Value {
  if (number === undefined) return undefined;
  const result = calculate(number);
  return Number.isFinite(result) ? result : undefined;
}

function stamp(at: number | undefined, change: (at: number) => number): Value {
  return at === undefined ? undefined : new Stamp(change(at));
}

function trim(text: string, characters: string | undefined, side: "start" | "end" | "both"): string {
  if (characters === undefined)
    return side === "both" ? text.trim() : side === "start" ? text.trimStart() : text.trimEnd();
  const all = Array.from(text);
  let [from, to] = [0, all.length];
  if (side !== "end") while (from < to && characters.includes(all[from] ?? "")) from++;
  if (side !== "start") while (to > from && characters.includes(all[to - 1] ?? "")) to--;
  return all.slice(from, to).join("");
}

function substr([value, start, length]: readonly Value[]): Value {
  const [text, from, count] = [toText(value), toNumber(start), toNumber(length)];
  if (text === undefined || from === undefined) return undefined;
  const all = Array.from(text);
  return all.slice(from, count === undefined ? undefined : from + count).join("");
}

function replace([value, searched, replacement]: readonly Value[]): Value {
  const text = toText(value);
  if (text === undefined) return undefined;
  return text.replaceAll(toText(searched) ?? "", () => toText(replacement) ?? "");
}

function contains([value, part]: readonly Value[]): Value {
  const text = toText(value);
  return text === undefined ? undefined : Number(text.includes(toText(part) ?? ""));
}

function parseJson(text: string): Value {
  try {
    return fromJson(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function quote(value: Value): Value {
  return value === undefined ? undefined : JSON.stringify(value instanceof Stamp ? value.at : value);
}

function isIn(text: string, range: string): boolean {
  const [network = "", bits] = range.split("/");
  const family = isIPv4(network) ? "ipv4" : "ipv6";
  const prefix = Number(bits ?? (family === "ipv4" ? 32 : 128));
  try {
    const list = new BlockList();
    list.addSubnet(network, prefix, family);
    return list.check(text, isIPv4(text) ? "ipv4" : "ipv6");
  } catch {
    return false;
  }
}
