/** `npm run bench -- gauges`: secondary figures, each beside its goal. */
import { startLambent } from "../contenders/lambent.ts";
import { startGenerator } from "../load/generator.ts";
import { watchSteal } from "../machine/steal.ts";
import type { BenchOptions } from "../options.ts";
import { isMet } from "./gauge.ts";
import { GAUGES } from "./gauges.ts";

export async function gauges(options: BenchOptions): Promise<void> {
  await using parts = new AsyncDisposableStack();
  const lambent = await startLambent({ sandbox: options.sandbox });
  parts.defer(() => lambent.stop());
  const generator = await startGenerator();
  parts.defer(() => generator.stop());
  const results = [];
  for (const gauge of GAUGES) {
    const stolen = watchSteal();
    const reading = await gauge.read({ lambent, generator, durationMs: options.quick ? 300 : 2_000 });
    const { value, unit, goal, better } = reading;
    const shown = `${Number(value.toPrecision(3))} ${unit}`;
    const wanted = `${better === "less" ? "≤" : "≥"} ${goal}: ${isMet(reading) ? "met" : "MISSED"}`;
    console.log(`${gauge.name.padEnd(70)} ${shown.padStart(14)}  ${wanted} (steal ${stolen()} ‰)`);
    results.push({ gauge: gauge.name, ...reading, met: isMet(reading) });
  }
  console.log("Start to first invocation, against serverless-offline: npm run bench:start");
  if (options.json) console.log(JSON.stringify(results));
}
