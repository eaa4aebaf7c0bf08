/** Time zones by their IANA names: what the wall's clock shows, and when it shows a time. Offsets are Intl's. */
import { Memo } from "../../kit/memo.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const formats = new Memo(
  (timeZone) => new Intl.DateTimeFormat("en-US", { timeZone, timeZoneName: "longOffset" }),
);

/** Whether there is such a time zone: America/New_York, UTC. A mere offset is none. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    formats.get(name);
    return true;
  } catch {
    return false;
  }
}

/** What a zone's clock is ahead of UTC at an instant, in milliseconds. */
function offsetAt(timeZone: string, instant: number): number {
  const text = formats.get(timeZone).format(instant);
  const [, sign, hours, minutes, seconds] = /GMT(?:([+-])(\d+):(\d+)(?::(\d+))?)?$/.exec(text) ?? [];
  if (sign === undefined) return 0;
  const ms = Number(hours) * HOUR_MS + Number(minutes) * 60_000 + Number(seconds ?? 0) * 1_000;
  return sign === "-" ? -ms : ms;
}

/** What the zone's clock shows at an instant, as if it were at UTC. */
export function wallTime(timeZone: string, instant: number): number {
  return instant + offsetAt(timeZone, instant);
}

export interface Shown {
  /** The first instant at which the clock shows the time; for a skipped one, when it would without the change. */
  readonly instant: number;
  /** The clock never shows it: this is what it shows right after the change. */
  readonly skippedUntil?: number;
}

/** When a zone's clock shows a time. Both are epoch milliseconds, the wall's as if it were at UTC. */
export function instantOf(timeZone: string, wall: number): Shown {
  const [before, after] = offsetsAround(timeZone, wall);
  // The greater offset gives the earlier instant.
  for (const offset of [Math.max(before, after), Math.min(before, after)])
    if (offsetAt(timeZone, wall - offset) === offset) return { instant: wall - offset };
  return { instant: wall - before, skippedUntil: changeNear(timeZone, wall) + after };
}

/** What the clock shows when it has done with showing `wall`, and what is near it, a second time. */
export function repeatedUntil(timeZone: string, wall: number): number {
  return changeNear(timeZone, wall) + Math.max(...offsetsAround(timeZone, wall));
}

function offsetsAround(timeZone: string, wall: number): [before: number, after: number] {
  return [offsetAt(timeZone, wall - DAY_MS), offsetAt(timeZone, wall + DAY_MS)];
}

/** The instant, within a day of a time of the wall, at which the zone's offset changes. */
function changeNear(timeZone: string, wall: number): number {
  let [same, changed] = [wall - DAY_MS, wall + DAY_MS];
  const before = offsetAt(timeZone, same);
  while (changed - same > 1) {
    const middle = Math.floor((same + changed) / 2);
    if (offsetAt(timeZone, middle) === before) same = middle;
    else changed = middle;
  }
  return changed;
}
