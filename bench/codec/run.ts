/**
 * What reading an input and writing an output costs: our compiled codec against the SDK's own, and against the bare parser
 * where there is one, interleaved in one run. `npm run bench:codec [-- ROUNDS]`; a table on stderr, JSON on stdout.
 */
import { median } from "../statistics.ts";
import { cases } from "./cases.ts";
import type { Case } from "./cases.ts";

const ROUNDS_DEFAULT = 15;
/** Time that each contender runs in each round. */
const SLICE_MS = 20;
const WARM_UP_ROUNDS = 3;
const NS_PER_MS = 1e6;

interface Row {
  readonly name: string;
  /** Microseconds an operation, the median of the rounds. */
  readonly ours: number;
  readonly sdk: number | undefined;
  readonly bare: number | undefined;
}

const rounds = Number(process.argv[2] ?? ROUNDS_DEFAULT);
const rows: Row[] = [];
for (const one of cases()) rows.push(measure(one));
report(rows);

/** Runs the contenders in turn, so that what disturbs the machine disturbs all. */
function measure(one: Case): Row {
  one.check();
  const contenders = { ours: one.ours, sdk: one.sdk, bare: one.bare };
  const times = { ours: [] as number[], sdk: [] as number[], bare: [] as number[] };
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++)
    for (const key of ["ours", "sdk", "bare"] as const) {
      const run = contenders[key];
      if (!run) continue;
      const time = microseconds(run);
      if (round >= 0) times[key].push(time);
    }
  const of = (list: number[]) => (list.length > 0 ? median(list) : undefined);
  return { name: one.name, ours: of(times.ours) ?? 0, sdk: of(times.sdk), bare: of(times.bare) };
}

/** The time of one call, from as many as fit a slice. */
function microseconds(run: () => unknown): number {
  const begun = process.hrtime.bigint();
  let calls = 0;
  let elapsed = 0;
  do {
    for (let i = 0; i < 10; i++) run();
    calls += 10;
    elapsed = Number(process.hrtime.bigint() - begun);
  } while (elapsed < SLICE_MS * NS_PER_MS);
  return elapsed / calls / 1_000;
}

function report(list: readonly Row[]): void {
  const cell = (value: number | undefined, unit = "") =>
    value === undefined ? "-" : `${value.toFixed(2)}${unit}`;
  const ratio = (a: number | undefined, b: number) => (a === undefined ? undefined : a / b);
  const lines = list.map(({ name, ours, sdk, bare }) => [
    name,
    cell(ours),
    cell(sdk),
    cell(bare),
    cell(ratio(sdk, ours), "x"),
    cell(bare === undefined ? undefined : ours / bare, "x"),
  ]);
  const head = ["operation", "ours µs", "SDK µs", "bare µs", "SDK/ours", "ours/bare"];
  const widths = head.map((text, i) => Math.max(text.length, ...lines.map((line) => line[i]?.length ?? 0)));
  for (const line of [head, ...lines])
    console.error(
      line
        .map((text, i) => (i === 0 ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0)))
        .join("  "),
    );
  console.log(JSON.stringify({ rounds, unit: "microseconds, median", rows: list }, undefined, 2));
}
