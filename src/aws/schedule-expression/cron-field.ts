/** One field of a cron expression: numbers, names, ranges, steps, and lists of them. */
import { ScheduleExpressionError } from "./error.ts";

export interface FieldRule {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** Names of the values from `min` on. */
  readonly names?: readonly string[];
  /** Whether a range may go past the end: FRI-MON, 22-2. */
  readonly wraps: boolean;
}

const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

export const MINUTES: FieldRule = { name: "minutes", min: 0, max: 59, wraps: true };
export const HOURS: FieldRule = { name: "hours", min: 0, max: 23, wraps: true };
export const DAYS_OF_MONTH: FieldRule = { name: "day-of-month", min: 1, max: 31, wraps: true };
export const MONTHS_OF_YEAR: FieldRule = { name: "month", min: 1, max: 12, names: MONTHS, wraps: true };
export const DAYS_OF_WEEK: FieldRule = { name: "day-of-week", min: 1, max: 7, names: WEEKDAYS, wraps: true };
export const YEARS: FieldRule = { name: "year", min: 1970, max: 2199, wraps: false };

/** The values that a whole field names, in their order. @throws ScheduleExpressionError */
export function fieldValues(text: string, rule: FieldRule): number[] {
  const values = new Set(text.split(",").flatMap((item) => itemValues(item, rule)));
  return [...values].sort((one, other) => one - other);
}

/** The values that one item of a field's list names. @throws ScheduleExpressionError */
export function itemValues(item: string, rule: FieldRule): number[] {
  const [, first = "", last, step] = /^(\*|\w+)(?:-(\w+))?(?:\/(\d+))?$/.exec(item) ?? [];
  if (first === "" || (first === "*" && last !== undefined)) throw wrong(item, rule);
  const every = step === undefined ? 1 : readStep(step, item, rule);
  if (first === "*") return range(rule.min, rule.max, every, rule);
  const from = fieldValue(first, rule);
  if (last === undefined) return step === undefined ? [from] : range(from, rule.max, every, rule);
  const to = fieldValue(last, rule);
  if (to < from && !rule.wraps) throw wrong(item, rule);
  return range(from, to, every, rule);
}

/** One number or name. @throws ScheduleExpressionError */
export function fieldValue(text: string, rule: FieldRule): number {
  const named = rule.names?.indexOf(text.toUpperCase()) ?? -1;
  const value = named >= 0 ? rule.min + named : /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= rule.min && value <= rule.max)) throw wrong(text, rule);
  return value;
}

export function wrong(item: string, rule: FieldRule): ScheduleExpressionError {
  return new ScheduleExpressionError(
    `'${item}' cannot stand in ${rule.name}, whose values are ${rule.min} to ${rule.max}`,
  );
}

/** A step that leaves the field, as in 0/60, is a mistake: it would come once, not every 60. */
function readStep(text: string, item: string, rule: FieldRule): number {
  const step = Number(text);
  if (step < 1 || step > rule.max) throw wrong(item, rule);
  return step;
}

function range(from: number, to: number, step: number, { min, max }: FieldRule): number[] {
  const size = max - min + 1;
  const last = to < from ? to + size : to;
  const values = [];
  for (let value = from; value <= last; value += step) values.push(value > max ? value - size : value);
  return values;
}
