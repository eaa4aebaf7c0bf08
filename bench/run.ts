/** `npm run bench -- [--axis N | --axes 1-8] [--rounds N] [--quick] [--json] [--results]`, or `npm run bench -- profile | gauges`. */
import { AXES } from "./axes.ts";
import type { Axis } from "./axes.ts";
import { gauges } from "./gauges/run.ts";
import { profile } from "./profile/run.ts";
import { readOptions } from "./options.ts";
import type { BenchOptions } from "./options.ts";
import { printAxis, printTable } from "./report.ts";
import type { AxisResult } from "./report.ts";
import { writeResults } from "./results.ts";

const [command, ...rest] = process.argv.slice(2);
if (command === "profile") await profile(readOptions(rest));
else if (command === "gauges") await gauges(readOptions(rest));
else await runAxes(readOptions(process.argv.slice(2)));

async function runAxes(options: BenchOptions): Promise<void> {
  const results: { axis: Axis; result: AxisResult }[] = [];
  for (const number of options.axes) {
    const axis = AXES[number];
    if (!axis) continue;
    const result = await axis.run(options);
    printAxis(axis.title, result);
    results.push({ axis, result });
  }
  const rows = results.flatMap(({ result }) => result.rows);
  if (options.axes.length > 1) {
    console.log("\nAll axes (a ratio says how many times better Lambent is)");
    printTable(rows);
  }
  if (options.results) writeResults(results);
  if (options.json) console.log(JSON.stringify(rows));
}
