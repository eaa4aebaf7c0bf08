/** Cron expressions of six fields: minutes, hours, day-of-month, month, day-of-week, year. */
import { HOURS, MINUTES, MONTHS_OF_YEAR, YEARS, fieldValues } from "./cron-field.ts";
import { ScheduleExpressionError } from "./error.ts";
import { parseDays } from "./month-days.ts";
import type { DaysOfMonth } from "./month-days.ts";

const MINUTE_MS = 60_000;
const FIELDS = 6;

/** All lists are in ascending order. */
export interface Cron {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly months: readonly number[];
  readonly years: readonly number[];
  readonly daysOf: DaysOfMonth;
}

/**
 * @param text what stands between the brackets of `cron(...)`.
 * @throws ScheduleExpressionError
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
 */
export function parseCron(text: string): Cron {
  const fields = text.trim().split(/\s+/);
  if (fields.length !== FIELDS)
    throw new ScheduleExpressionError(
      "cron has six fields: minutes, hours, day-of-month, month, day-of-week and year",
    );
  const [minutes = "", hours = "", daysOfMonth = "", months = "", daysOfWeek = "", years = ""] = fields;
  return {
    minutes: fieldValues(minutes, MINUTES),
    hours: fieldValues(hours, HOURS),
    months: fieldValues(months, MONTHS_OF_YEAR),
    years: fieldValues(years, YEARS),
    daysOf: parseDays(daysOfMonth, daysOfWeek),
  };
}

/**
 * The first minute after a time of the wall's clock that a cron expression names; undefined when none comes.
 * It goes from field to field, never from minute to minute. Both times are epoch milliseconds, as if the wall were at UTC.
 */
export function nextWallTime(cron: Cron, after: number): number | undefined {
  const start = new Date((Math.floor(after / MINUTE_MS) + 1) * MINUTE_MS);
  const bounds = [
    start.getUTCFullYear(),
    start.getUTCMonth() + 1,
    start.getUTCDate(),
    start.getUTCHours(),
    start.getUTCMinutes(),
  ];
  const lists = (named: readonly number[]) => {
    const [year = 0, month = 0] = named;
    return [
      cron.years,
      cron.months,
      named.length === 2 ? cron.daysOf(year, month) : [],
      cron.hours,
      cron.minutes,
    ][named.length];
  };
  const found = firstFrom(lists, bounds, [], true);
  if (!found) return undefined;
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0] = found;
  return Date.UTC(year, month - 1, day, hour, minute);
}

/**
 * The first choice of one value from each list that is not before the bounds, compared from the left.
 * @param named the values chosen so far; `bound` says that they are the bounds' own.
 */
function firstFrom(
  lists: (named: readonly number[]) => readonly number[] | undefined,
  bounds: readonly number[],
  named: readonly number[],
  bound: boolean,
): readonly number[] | undefined {
  const least = bounds[named.length];
  if (least === undefined) return named;
  for (const value of lists(named) ?? []) {
    if (bound && value < least) continue;
    const found = firstFrom(lists, bounds, [...named, value], bound && value === least);
    if (found) return found;
  }
  return undefined;
}
