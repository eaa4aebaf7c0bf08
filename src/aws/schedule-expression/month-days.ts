/** The two day fields of a cron expression: which days of a month they name. */
import { DAYS_OF_MONTH, DAYS_OF_WEEK, fieldValue, itemValues, wrong } from "./cron-field.ts";
import { ScheduleExpressionError } from "./error.ts";

/** The days of one month that an item names; those beyond the month's end count for nothing. */
type DayTerm = (month: Month) => readonly number[];

interface Month {
  /** Number of days. */
  readonly days: number;
  /** Day of the week of the first: 1 is Sunday, 7 is Saturday. */
  readonly first: number;
}

const SUNDAY = 1;
const SATURDAY = 7;
const DAY_MS = 86_400_000;

/** Names the days of months, in their order. Months count from 1. */
export type DaysOfMonth = (year: number, month: number) => readonly number[];

/**
 * Reads day-of-month and day-of-week, of which exactly one is `?`.
 * @throws ScheduleExpressionError
 */
export function parseDays(daysOfMonth: string, daysOfWeek: string): DaysOfMonth {
  if ((daysOfMonth === "?") === (daysOfWeek === "?"))
    throw new ScheduleExpressionError("one of day-of-month and day-of-week must be ?, and only one");
  const terms =
    daysOfWeek === "?"
      ? daysOfMonth.split(",").map(dayOfMonthTerm)
      : daysOfWeek.split(",").map((item, _index, items) => dayOfWeekTerm(item, items.length));
  return (year, month) => {
    const first = Date.UTC(year, month - 1, 1);
    const shape = {
      days: (Date.UTC(year, month, 1) - first) / DAY_MS,
      first: new Date(first).getUTCDay() + SUNDAY,
    };
    const named = new Set(terms.flatMap((term) => term(shape)));
    return [...named].filter((day) => day <= shape.days).sort((one, other) => one - other);
  };
}

function dayOfMonthTerm(item: string): DayTerm {
  if (item === "L") return ({ days }) => [days];
  if (item === "LW") return (month) => [nearestWeekday(month.days, month)];
  if (item.endsWith("W")) {
    const day = fieldValue(item.slice(0, -1), DAYS_OF_MONTH);
    return (month) => (day > month.days ? [] : [nearestWeekday(day, month)]);
  }
  const days = itemValues(item, DAYS_OF_MONTH);
  return () => days;
}

function dayOfWeekTerm(item: string, items: number): DayTerm {
  // "The last day of the week."
  if (item === "L") return (month) => weekdaysOf(SATURDAY, month);
  const [, last] = /^(\w+)L$/.exec(item) ?? [];
  if (last !== undefined) {
    const weekday = fieldValue(last, DAYS_OF_WEEK);
    return (month) => weekdaysOf(weekday, month).slice(-1);
  }
  if (item.includes("#")) {
    const [, day = "", nth = ""] = /^(\w+)#([1-5])$/.exec(item) ?? [];
    if (items > 1) throw new ScheduleExpressionError("with # only one expression may stand in day-of-week");
    if (nth === "") throw wrong(item, DAYS_OF_WEEK);
    const weekday = fieldValue(day, DAYS_OF_WEEK);
    return (month) => weekdaysOf(weekday, month).slice(Number(nth) - 1, Number(nth));
  }
  const weekdays = itemValues(item, DAYS_OF_WEEK);
  return (month) => weekdays.flatMap((weekday) => weekdaysOf(weekday, month));
}

function weekdaysOf(weekday: number, { days, first }: Month): number[] {
  const all = [];
  for (let day = 1 + ((weekday - first + 7) % 7); day <= days; day += 7) all.push(day);
  return all;
}

/** Monday to Friday, closest to a day, and never in another month. */
function nearestWeekday(day: number, { days, first }: Month): number {
  const weekday = ((first - 1 + day - 1) % 7) + 1;
  if (weekday === SATURDAY) return day === 1 ? day + 2 : day - 1;
  if (weekday === SUNDAY) return day === days ? day - 2 : day + 1;
  return day;
}
