/** When a schedule comes next. */
import { nextWallTime } from "./cron.ts";
import type { Cron } from "./cron.ts";
import type { Schedule } from "./expression.ts";
import { instantOf, repeatedUntil, wallTime } from "./time-zone.ts";

export interface NextOptions {
  /** IANA name; UTC unless told. A rate does not ask for it: its day has 24 hours. */
  readonly timeZone?: string | undefined;
  /** From when a rate counts, epoch milliseconds: that is its first time. Unless told, `after`. */
  readonly anchor?: number | undefined;
}

/** The last millisecond that a date can hold. */
const DATE_MS_MAX = 8.64e15;

/**
 * The first time of a schedule after `after`, both in epoch milliseconds; undefined when none comes.
 * Of a cron expression, times that a zone's clock skips are skipped, and those that it shows twice come once, at the
 * first; an at() that is skipped comes as if the clock had not been changed yet.
 * @see https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#daylist-savings-time
 */
export function nextTime(schedule: Schedule, after: number, options: NextOptions = {}): number | undefined {
  const { timeZone = "UTC", anchor = after } = options;
  if (schedule.kind === "cron") return nextOfCron(schedule.cron, after, timeZone);
  if (schedule.kind === "at") {
    const { instant } = instantOf(timeZone, schedule.wallMs);
    return instant > after ? instant : undefined;
  }
  const periods = Math.max(0, Math.floor((after - anchor) / schedule.periodMs) + 1);
  const next = anchor + periods * schedule.periodMs;
  return next <= DATE_MS_MAX ? next : undefined;
}

function nextOfCron(cron: Cron, after: number, timeZone: string): number | undefined {
  let wall = wallTime(timeZone, after);
  for (;;) {
    const next = nextWallTime(cron, wall);
    if (next === undefined) return undefined;
    const { instant, skippedUntil } = instantOf(timeZone, next);
    if (skippedUntil !== undefined) wall = skippedUntil - 1;
    else if (instant > after) return instant;
    else wall = repeatedUntil(timeZone, next) - 1;
  }
}
