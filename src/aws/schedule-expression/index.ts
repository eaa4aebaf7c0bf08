/** Schedule expressions, rate(), cron() and at(): how they are read, and when they come next. */
export { ScheduleExpressionError } from "./error.ts";
export { parseSchedule } from "./expression.ts";
export type { ParseOptions, Schedule, ScheduleKind } from "./expression.ts";
export { nextTime } from "./next-time.ts";
export { instantOf, isTimeZone, wallTime } from "./time-zone.ts";
