/** Functions of times. Pure but for the query's own. */
import { isTimeZone } from "../../../../aws/schedule-expression/index.ts";
import { ceilTime, floorTime } from "../period.ts";
import type { Expression } from "../ast.ts";
import type { Period } from "../period.ts";
import { plainText, toNumber } from "../values.ts";
import { dateFormat } from "./date-format.ts";
import { datePattern } from "./date-pattern.ts";
import { finite, literalOf, stamp } from "./scalar.ts";
import type { Functions, ScalarFunction } from "./scalar.ts";

const timed = (round: (at: number, period: Period) => number): ScalarFunction => ({
  arguments: [2, 2],
  periodAt: 1,
  apply: ([value], { period }) => stamp(toNumber(value), (at) => (period ? round(at, period) : at)),
});

const formatDate: ScalarFunction = {
  arguments: [2, 3],
  fault: (given) => zoneOrFormatFault(given, dateFormat),
  apply([value, format, zone]) {
    const at = toNumber(value);
    if (at === undefined || Number.isNaN(new Date(at).getTime())) return undefined;
    return dateFormat(plainText(format) ?? "")(at, plainText(zone) ?? "UTC");
  },
};

export const TIMES: Functions = {
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
  parsedate: {
    arguments: [2, 3],
    fault: (given) => zoneOrFormatFault(given, datePattern),
    apply([value, format, zone]) {
      const text = plainText(value);
      if (text === undefined) return undefined;
      return finite(datePattern(plainText(format) ?? "")(text, plainText(zone) ?? "UTC"), (at) => at);
    },
  },
  formatdate: formatDate,
  strftime: formatDate,
};

function zoneOrFormatFault(
  [, format, zone]: readonly Expression[],
  compile: (format: string) => unknown,
): string | undefined {
  const text = literalOf(format);
  if (text === undefined) return "takes its format as a text";
  if (zone !== undefined && !isTimeZone(literalOf(zone) ?? ""))
    return "takes a time zone such as 'Europe/Berlin'";
  try {
    compile(text);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
