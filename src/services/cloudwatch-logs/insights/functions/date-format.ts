/** Formats of dates as `strftime` has them. Pure. */
import { Memo } from "../../../../kit/memo.ts";
import { wallTime } from "../../../../aws/schedule-expression/index.ts";

export const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
export const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];
const DAY_MS = 86_400_000;

interface Moment {
  /** Epoch milliseconds. */
  readonly at: number;
  /** What the zone's clock shows, as if it were at UTC. */
  readonly wall: Date;
  readonly zone: string;
}

type Part = string | ((moment: Moment) => string);

const two = (read: (date: Date) => number) => (moment: Moment) => pad(read(moment.wall), 2);
const composed =
  (...parts: readonly Part[]) =>
  (moment: Moment) =>
    parts.map((part) => (typeof part === "string" ? part : part(moment))).join("");

const year = ({ wall }: Moment) => pad(wall.getUTCFullYear(), 4);
const month = two((date) => date.getUTCMonth() + 1);
const day = two((date) => date.getUTCDate());
const hour = two((date) => date.getUTCHours());
const minute = two((date) => date.getUTCMinutes());
const second = two((date) => date.getUTCSeconds());
const dayName = ({ wall }: Moment) => DAYS[wall.getUTCDay()] ?? "";
const monthName = ({ wall }: Moment) => MONTHS[wall.getUTCMonth()] ?? "";
const short = (name: (moment: Moment) => string) => (moment: Moment) => name(moment).slice(0, 3);

const PARTS: Readonly<Record<string, Part>> = {
  Y: year,
  C: ({ wall }) => pad(Math.floor(wall.getUTCFullYear() / 100), 2),
  y: two((date) => date.getUTCFullYear() % 100),
  m: month,
  d: day,
  e: ({ wall }) => String(wall.getUTCDate()).padStart(2, " "),
  H: hour,
  I: two((date) => date.getUTCHours() % 12 || 12),
  M: minute,
  S: second,
  L: ({ wall }) => pad(wall.getUTCMilliseconds(), 3),
  f: ({ wall }) => pad(wall.getUTCMilliseconds() * 1_000, 6),
  N: ({ wall }) => pad(wall.getUTCMilliseconds() * 1_000_000, 9),
  p: ({ wall }) => (wall.getUTCHours() < 12 ? "AM" : "PM"),
  A: dayName,
  a: short(dayName),
  B: monthName,
  b: short(monthName),
  h: short(monthName),
  j: ({ wall }) => pad(Math.floor((wall.getTime() - Date.UTC(wall.getUTCFullYear(), 0)) / DAY_MS) + 1, 3),
  u: ({ wall }) => String(wall.getUTCDay() || 7),
  w: ({ wall }) => String(wall.getUTCDay()),
  s: ({ at }) => String(Math.floor(at / 1_000)),
  z: ({ at, wall }) => offsetText(wall.getTime() - at),
  Z: ({ zone }) => zone,
  F: composed(year, "-", month, "-", day),
  T: composed(hour, ":", minute, ":", second),
  R: composed(hour, ":", minute),
  D: composed(
    month,
    "/",
    day,
    "/",
    two((date) => date.getUTCFullYear() % 100),
  ),
  n: "\n",
  t: "\t",
  "%": "%",
};

const formats = new Memo(compile);

/** @throws Error for a letter that is not known */
export function dateFormat(format: string): (at: number, zone: string) => string {
  return formats.get(format);
}

function compile(format: string): (at: number, zone: string) => string {
  const parts = (format.match(/%-?[^]?|[^%]+/g) ?? []).map((text): Part => {
    if (!text.startsWith("%")) return text;
    const part = PARTS[text.slice(-1)];
    if (part === undefined || text.length === 1) throw new Error(`does not know ${text} in its format`);
    if (!text.startsWith("%-") || typeof part === "string") return part;
    return (moment) => part(moment).replace(/^[0 ]+(?=.)/, "");
  });
  const all = composed(...parts);
  return (at, zone) => all({ at, wall: new Date(wallTime(zone, at)), zone });
}

function offsetText(ms: number): string {
  const minutes = Math.round(Math.abs(ms) / 60_000);
  return `${ms < 0 ? "-" : "+"}${pad(Math.floor(minutes / 60), 2)}${pad(minutes % 60, 2)}`;
}

function pad(number: number, length: number): string {
  return String(number).padStart(length, "0");
}
