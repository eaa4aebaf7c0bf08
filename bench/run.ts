/** `npm run bench -- [--axis N | --axes 1-8] [--rounds N] [--quick] [--json]`, or `npm run bench -- profile`. */
import { warmCost } from "./axis-1-warm-cost/run.ts";
import { warmLatency } from "./axis-2-warm-latency/run.ts";
import { profile } from "./profile/run.ts";
import { readOptions } from "./options.ts";
import type { BenchOptions } from "./options.ts";
import { printAxis, printTable } from "./report.ts";
import type { AxisResult, Row } from "./report.ts";

interface Axis {
  readonly title: string;
  run(options: BenchOptions): Promise<AxisResult>;
}

/** The one table of axes. */
const AXES: Readonly<Record<number, Axis>> = {
  1: { title: "Axis 1: warm invocation, CPU of all serving processes, 32 callers", run: warmCost },
  2: { title: "Axis 2: warm invocation, latency, one caller", run: warmLatency },
};

const [command, ...rest] = process.argv.slice(2);
if (command === "profile") await profile(readOptions(rest));
else await runAxes(readOptions(process.argv.slice(2)));

async function runAxes(options: BenchOptions): Promise<void> {
  const rows: Row[] = [];
  for (const number of options.axes) {
    const axis = AXES[number];
    if (!axis) continue;
    const result = await axis.run(options);
    printAxis(axis.title, result);
    rows.push(...result.rows);
  }
  if (options.axes.length > 1) {
    console.log("\nAll axes (a ratio says how many times better Lambent is)");
    printTable(rows);
  }
  if (options.json) console.log(JSON.stringify(rows));
}
