/** Periods of time, as in `bin(5m)`. Pure. */

export interface Period {
  readonly amount: number;
  readonly unit: "ms" | "month";
}

const UNITS: Readonly<Record<string, Period>> = {
  ms: { amount: 1, unit: "ms" },
  msec: { amount: 1, unit: "ms" },
  s: { amount: 1_000, unit: "ms" },
  sec: { amount: 1_000, unit: "ms" },
  m: { amount: 60_000, unit: "ms" },
  min: { amount: 60_000, unit: "ms" },
  h: { amount: 3_600_000, unit: "ms" },
  hr: { amount: 3_600_000, unit: "ms" },
  d: { amount: 86_400_000, unit: "ms" },
  day: { amount: 86_400_000, unit: "ms" },
  w: { amount: 7 * 86_400_000, unit: "ms" },
  week: { amount: 7 * 86_400_000, unit: "ms" },
  mo: { amount: 1, unit: "month" },
  mon: { amount: 1, unit: "month" },
  q: { amount: 3, unit: "month" },
  qtr: { amount: 3, unit: "month" },
  y: { amount: 12, unit: "month" },
  yr: { amount: 12, unit: "month" },
};

/** Reads `5m`; undefined for what is no period. */
export function readPeriod(text: string): Period | undefined {
  const [, digits, name = ""] = /^(\d+)([a-z]+)$/i.exec(text) ?? [];
  const unit = UNITS[name.toLowerCase()] ?? UNITS[name.toLowerCase().replace(/s$/, "")];
  const count = Number(digits);
  return unit && count > 0 ? { ...unit, amount: unit.amount * count } : undefined;
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
