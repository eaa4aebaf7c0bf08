/** Reads a schedule expression: which of the three forms it is, and rate() and at() whole. */
import { parseCron } from "./cron.ts";
import type { Cron } from "./cron.ts";
import { ScheduleExpressionError } from "./error.ts";

export type ScheduleKind = "rate" | "cron" | "at";

export type Schedule =
  | { readonly kind: "rate"; readonly periodMs: number }
  | { readonly kind: "cron"; readonly cron: Cron }
  /** `wallMs` is what a clock on the wall shows, as if it were UTC: epoch milliseconds. */
  | { readonly kind: "at"; readonly wallMs: number };

export interface ParseOptions {
  readonly kinds: readonly ScheduleKind[];
  /** EventBridge rules want `1 minute` and `2 minutes`; EventBridge Scheduler takes `1 minutes` too. */
  readonly anyUnitNumber?: boolean;
}

const UNIT_MS: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };
/** Digits of a rate's value: more would leave what a date can hold. */
const RATE_DIGITS_MAX = 7;

const FORM = /^(rate|cron|at)\((.*)\)$/s;

/**
 * Reads a schedule expression.
 * @throws ScheduleExpressionError with what is wrong; what AWS's error says of it is the caller's.
 * @see https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
 */
export function parseSchedule(text: string, options: ParseOptions): Schedule {
  const [, kind, inner = ""] = FORM.exec(text) ?? [];
  if (!options.kinds.some((one) => one === kind)) {
    const forms = options.kinds.map((one) => `${one}(...)`).join(", ");
    throw new ScheduleExpressionError(`${text} is none of ${forms}`);
  }
  if (kind === "rate") return parseRate(inner, options);
  return kind === "at" ? parseAt(inner) : { kind: "cron", cron: parseCron(inner) };
}

function parseRate(inner: string, { anyUnitNumber = false }: ParseOptions): Schedule {
  const [, digits = "", unit = "", plural] = /^(\d+)\s+(minute|hour|day)(s?)$/.exec(inner) ?? [];
  const value = Number(digits);
  if (unit === "") throw new ScheduleExpressionError(`a rate is a number and minutes, hours or days`);
  if (value < 1 || digits.length > RATE_DIGITS_MAX)
    throw new ScheduleExpressionError(`a rate's value is from 1 to ${"9".repeat(RATE_DIGITS_MAX)}`);
  if (!anyUnitNumber && (value === 1) !== (plural === ""))
    throw new ScheduleExpressionError(
      `after ${value} the unit is ${value === 1 ? "singular" : "plural"}: ${unit}${value === 1 ? "" : "s"}`,
    );
  return { kind: "rate", periodMs: value * (UNIT_MS[unit] ?? 0) };
}

function parseAt(text: string): Schedule {
  const wallMs = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(text) ? Date.parse(`${text}Z`) : Number.NaN;
  // Date takes the 30th of February for the 2nd of March.
  if (Number.isNaN(wallMs) || new Date(wallMs).toISOString().slice(0, text.length) !== text)
    throw new ScheduleExpressionError(`${text} is no time of the form yyyy-mm-ddThh:mm:ss`);
  return { kind: "at", wallMs };
}
