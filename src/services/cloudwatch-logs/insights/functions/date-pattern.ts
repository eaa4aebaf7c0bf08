/** Patterns of dates as Java's DateTimeFormatter has them, for reading. Pure. */
import { Memo } from "../../../../kit/memo.ts";
import { instantOf, isTimeZone } from "../../../../aws/schedule-expression/index.ts";
import { DAYS, MONTHS } from "./date-format.ts";

interface Fields {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  ms: number;
  /** Of `h`, 1 to 12. */
  half?: number;
  isAfternoon?: boolean;
  /** Milliseconds ahead of UTC. */
  offset?: number;
  zone?: string;
}

interface Part {
  readonly source: string;
  readonly take?: (fields: Fields, text: string) => void;
}

const patterns = new Memo(compile);

/** What reads a date to epoch milliseconds, in a zone where the text names none. @throws Error for a letter that is not known */
export function datePattern(pattern: string): (text: string, zone: string) => number | undefined {
  return patterns.get(pattern);
}

function compile(pattern: string): (text: string, zone: string) => number | undefined {
  const parts = (pattern.match(/'(?:[^']|'')*'|([A-Za-z])\1*|[^A-Za-z']/g) ?? []).map(partOf);
  const regex = new RegExp(`^${parts.map(({ source }) => source).join("")}$`, "i");
  const takers = parts.flatMap(({ take }) => (take ? [take] : []));
  return (text, zone) => {
    const found = regex.exec(text.trim());
    if (!found) return undefined;
    const fields: Fields = { year: 1970, month: 1, day: 1, hour: 0, minute: 0, second: 0, ms: 0 };
    for (const [index, take] of takers.entries()) take(fields, found[index + 1] ?? "");
    return instant(fields, zone);
  };
}

function partOf(token: string): Part {
  if (token.startsWith("'")) return { source: escape(token.slice(1, -1).replaceAll("''", "'") || "'") };
  if (!/^[A-Za-z]/.test(token)) return { source: escape(token) };
  const part = letters(token.charAt(0), token.length);
  if (!part) throw new Error(`does not know ${token} in its pattern`);
  return part;
}

const number =
  (name: "year" | "month" | "day" | "hour" | "minute" | "second" | "half") =>
  (length: number): Part => ({
    source: length === 1 ? "(\\d{1,2})" : `(\\d{${length}})`,
    take: (fields, text) => void (fields[name] = Number(text)),
  });

const READERS: Readonly<Record<string, (length: number) => Part | undefined>> = {
  y: yearOf,
  u: yearOf,
  M: monthOf,
  L: monthOf,
  d: number("day"),
  H: number("hour"),
  h: number("half"),
  m: number("minute"),
  s: number("second"),
  S: (length) => ({
    source: `(\\d{${length}})`,
    take: (fields, text) => void (fields.ms = Math.floor(Number(`0.${text}`) * 1_000)),
  }),
  a: () => ({
    source: "(am|pm)",
    take: (fields, text) => void (fields.isAfternoon = text.toLowerCase() === "pm"),
  }),
  E: (length) => ({ source: `(?:${DAYS.map((name) => (length > 3 ? name : name.slice(0, 3))).join("|")})` }),
  Z: () => offset("([+-]\\d{2}:?\\d{2})"),
  X: () => offset("(Z|[+-]\\d{2}(?::?\\d{2})?)"),
  x: () => offset("([+-]\\d{2}(?::?\\d{2})?)"),
  V: zoneOf,
  z: zoneOf,
};

function letters(letter: string, length: number): Part | undefined {
  return Object.hasOwn(READERS, letter) ? READERS[letter]?.(length) : undefined;
}

function yearOf(length: number): Part {
  return {
    source: length === 2 ? "(\\d{2})" : "(\\d{4})",
    take: (fields, text) => void (fields.year = length === 2 ? 2_000 + Number(text) : Number(text)),
  };
}

function monthOf(length: number): Part {
  if (length < 3) return number("month")(length);
  const names = MONTHS.map((name) => (length > 3 ? name : name.slice(0, 3)).toLowerCase());
  return {
    source: `(${names.join("|")})`,
    take: (fields, text) => void (fields.month = names.indexOf(text.toLowerCase()) + 1),
  };
}

function offset(source: string): Part {
  return {
    source,
    take(fields, text) {
      const [, sign, hours = "0", minutes = "0"] = /^([+-])(\d{2}):?(\d{2})?$/.exec(text) ?? [];
      fields.offset = (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
    },
  };
}

function zoneOf(): Part {
  return { source: "([A-Za-z][\\w/+-]*)", take: (fields, text) => void (fields.zone = text) };
}

function instant(fields: Fields, given: string): number | undefined {
  const { year, month, day, minute, second, ms, half, isAfternoon, offset: ahead, zone = given } = fields;
  const hour = half === undefined ? fields.hour : (half % 12) + (isAfternoon ? 12 : 0);
  const wall = new Date(Date.UTC(year, month - 1, day, hour, minute, second, ms));
  const isReal = wall.getUTCMonth() === month - 1 && wall.getUTCDate() === day && wall.getUTCHours() === hour;
  if (!isReal || minute > 59 || second > 59) return undefined;
  if (ahead !== undefined) return wall.getTime() - ahead;
  return isTimeZone(zone) ? instantOf(zone, wall.getTime()).instant : undefined;
}

function escape(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}
