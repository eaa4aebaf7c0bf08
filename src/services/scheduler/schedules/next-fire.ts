/** When a schedule invokes its target next. */
import { nextTime } from "../../../aws/schedule-expression/index.ts";
import { AT_AGE_MS_MAX } from "../limits.ts";
import type { NextRow } from "../store/schedules.ts";
import type { Definition } from "./definition.ts";
import { parseExpression } from "./definition.ts";

export const NEVER: NextRow = { scheduled_at: null, fire_at: null };

/** The first time of a schedule that begins now. @param random In [0, 1): where in its window it comes. */
export function firstFire(definition: Definition, anchorAt: number, now: number, random: number): NextRow {
  const isOnce = parseExpression(definition.expression).kind === "at";
  return nextFire(definition, anchorAt, now - (isOnce ? AT_AGE_MS_MAX : 1), random);
}

/**
 * The first time after `after` (epoch milliseconds). StartDate and EndDate bound recurring schedules, and say nothing to an at().
 */
export function nextFire(definition: Definition, anchorAt: number, after: number, random: number): NextRow {
  const { timeZone, startAt, endAt, windowMinutes } = definition;
  const schedule = parseExpression(definition.expression);
  const isOnce = schedule.kind === "at";
  const from = isOnce || startAt === undefined ? after : Math.max(after, startAt - 1);
  const scheduledAt = nextTime(schedule, from, { timeZone, anchor: anchorAt });
  if (scheduledAt === undefined || (!isOnce && endAt !== undefined && scheduledAt > endAt)) return NEVER;
  return { scheduled_at: scheduledAt, fire_at: scheduledAt + Math.floor(random * windowMinutes * 60_000) };
}
