/** Durations as the command line takes them: 90s, 5m, 1h30m, 7d. */
import { UsageError } from "./terminal.ts";

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds. @throws UsageError naming what was given */
export function durationMs(text: string, what: string): number {
  if (!/^(\d+[smhd])+$/.test(text))
    throw new UsageError(`${what} is "${text}"; it must be numbers with s, m, h or d: 10m, 1h30m`);
  let ms = 0;
  for (const [, count, unit = ""] of text.matchAll(/(\d+)([smhd])/g))
    ms += Number(count) * (UNIT_MS[unit] ?? 0);
  return ms;
}
