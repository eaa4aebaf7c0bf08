/** Periods of time, as in `bin(5m)`. Pure. */

export interface Period {
  readonly amount: number;
  readonly unit: "ms" | "month";
}

/** The unit, and how many of it are understood: more are as many. */
interface Unit extends Period {
  readonly most?: number;
}

const UNITS: Readonly<Record<string, Unit>> = {
  ...named(["ms", "msec", "millisecond"], { amount: 1, unit: "ms", most: 1_000 }),
  ...named(["s", "sec", "second"], { amount: 1_000, unit: "ms", most: 60 }),
  ...named(["m", "min", "minute"], { amount: 60_000, unit: "ms", most: 60 }),
  ...named(["h", "hr", "hour"], { amount: 3_600_000, unit: "ms", most: 24 }),
  ...named(["d", "day"], { amount: 86_400_000, unit: "ms" }),
  ...named(["w", "week"], { amount: 7 * 86_400_000, unit: "ms" }),
  ...named(["mo", "mon", "month"], { amount: 1, unit: "month" }),
  ...named(["q", "qtr", "quarter"], { amount: 3, unit: "month" }),
  ...named(["y", "yr", "year"], { amount: 12, unit: "month" }),
};

function named(names: readonly string[], unit: Unit): Record<string, Unit> {
  return Object.fromEntries(names.map((name) => [name, unit]));
}

/**
 * Reads `5m`; undefined for what is no period. As by AWS, `300s` is a minute.
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-operations-functions.html
 */
export function readPeriod(text: string): Period | undefined {
  const [, digits, name = ""] = /^(\d+)([a-z]+)$/i.exec(text) ?? [];
  const unit = UNITS[name.toLowerCase()] ?? UNITS[name.toLowerCase().replace(/s$/, "")];
  const count = Math.min(Number(digits), unit?.most ?? Number.POSITIVE_INFINITY);
  return unit && count > 0 ? { unit: unit.unit, amount: unit.amount * count } : undefined;
}

/** The beginning of the period in which a time (epoch ms, UTC) lies. */
export function floorTime(at: number, { amount, unit }: Period): number {
  if (unit === "ms") return Math.floor(at / amount) * amount;
  const date = new Date(at);
  const months = date.getUTCFullYear() * 12 + date.getUTCMonth();
  return monthStart(Math.floor(months / amount) * amount);
}

/** The end of that period; a time that is the beginning of one stays. */
export function ceilTime(at: number, period: Period): number {
  const floor = floorTime(at, period);
  if (floor === at) return at;
  if (period.unit === "ms") return floor + period.amount;
  const date = new Date(floor);
  return monthStart(date.getUTCFullYear() * 12 + date.getUTCMonth() + period.amount);
}

function monthStart(months: number): number {
  return Date.UTC(Math.floor(months / 12), months % 12, 1);
}
