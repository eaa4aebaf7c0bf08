/**
 * `npm run bench -- profile`: what one warm invocation costs, stage by stage, and a flame graph. The server is the real one; it is
 * measured twice under the same load, without a profiler for the CPU time by cgroup and thread, and with Node's sampling
 * profiler for the shares of the main thread. Nothing is marked in the code.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startLambent } from "../contenders/lambent.ts";
import { warmUp } from "../contenders/warm.ts";
import { startGenerator } from "../load/generator.ts";
import { watchSteal } from "../machine/steal.ts";
import { threadTimes } from "../machine/threads.ts";
import type { BenchOptions } from "../options.ts";
import { monotonicUs, readSamples } from "./cpu-profile.ts";
import type { Sample } from "./cpu-profile.ts";
import { flameGraph } from "./flame.ts";
import { STAGES, attribute } from "./stages.ts";

const CALLERS = [1, 32];
const SAMPLE_US = 100;
const FUNCTIONS_SHOWN = 5;
const RESULTS = fileURLToPath(new URL("../.results/", import.meta.url));

/** Microseconds of CPU an invocation. */
interface Costs {
  readonly mainUs: number;
  readonly threadsUs: number;
  readonly sandboxUs: number;
  readonly p50Us: number;
  readonly perSecond: number;
  readonly stealPermille: number;
  /** Begin and end of the load, on the clock of the profile. */
  readonly window: readonly [number, number];
}

export async function profile(options: BenchOptions): Promise<void> {
  const costs = await measure(options, []);
  const folder = mkdtempSync(join(tmpdir(), "lambent-bench-profile-"));
  try {
    const flags = ["--cpu-prof", `--cpu-prof-interval=${SAMPLE_US}`, `--cpu-prof-dir=${folder}`];
    const profiled = await measure(options, flags);
    mkdirSync(RESULTS, { recursive: true });
    for (const [at, callers] of CALLERS.entries()) {
      const samples = readSamples(mainProfile(folder), ...(profiled[at] as Costs).window);
      print(callers, costs[at] as Costs, samples);
      const file = join(RESULTS, `flame-${callers}-callers.svg`);
      writeFileSync(file, flameGraph(samples));
      console.log(`  flame graph: ${file}`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(options: BenchOptions, nodeFlags: readonly string[]): Promise<Costs[]> {
  await using parts = new AsyncDisposableStack();
  const server = await startLambent({ sandbox: options.sandbox, nodeFlags });
  parts.defer(() => server.stop());
  const generator = await startGenerator();
  parts.defer(() => generator.stop());
  const durationMs = options.quick ? 300 : 4_000;
  await warmUp(server, generator, { connections: Math.max(...CALLERS), durationMs }, options);
  const costs: Costs[] = [];
  for (const connections of CALLERS) {
    const [stolen, threads, sandboxes] = [
      watchSteal(),
      threadTimes(server.pid),
      server.usedUsOf("sandboxes"),
    ];
    const from = monotonicUs();
    const { requests, p50Us, perSecond } = await generator.run({
      target: server.target,
      connections,
      durationMs,
    });
    const to = monotonicUs();
    const now = threadTimes(server.pid);
    costs.push({
      mainUs: (now.mainUs - threads.mainUs) / requests,
      threadsUs: (now.othersUs - threads.othersUs) / requests,
      sandboxUs: (server.usedUsOf("sandboxes") - sandboxes) / requests,
      p50Us,
      perSecond,
      stealPermille: stolen(),
      window: [from, to],
    });
  }
  return costs;
}

function print(callers: number, costs: Costs, samples: readonly Sample[]): void {
  const { us, functions } = attribute(samples);
  const sampledUs = samples.reduce((sum, sample) => sum + sample.us, 0);
  const { mainUs, threadsUs, sandboxUs, p50Us, perSecond, stealPermille } = costs;
  const total = mainUs + threadsUs + sandboxUs;
  console.log(
    `\nOne warm invocation with ${callers} caller${callers === 1 ? "" : "s"}: ${total.toFixed(0)} µs CPU ` +
      `(${perSecond.toFixed(0)}/s, p50 ${p50Us.toFixed(0)} µs, steal ${stealPermille} permille)`,
  );
  const line = (name: string, value: number, what: string) =>
    console.log(
      `  ${name.padEnd(14)}${value.toFixed(1).padStart(8)} µs ${((value / total) * 100).toFixed(1).padStart(5)} %  ${what}`,
    );
  for (const { name, what } of STAGES) {
    line(name, name === "run" ? sandboxUs : ((us.get(name) ?? 0) / sampledUs) * mainUs, what);
    const most = [...(functions.get(name) ?? [])].sort((a, b) => b[1] - a[1]).slice(0, FUNCTIONS_SHOWN);
    for (const [label, spent] of most)
      console.log(`${" ".repeat(18)}${((spent / sampledUs) * mainUs).toFixed(1).padStart(8)} µs  ${label}`);
  }
  line("threads", threadsUs, "of the server beside the main one: file system, garbage, compilation");
}

/** The first is the main thread's: `CPU.<date>.<time>.<pid>.<thread>.<number>.cpuprofile`. */
function mainProfile(folder: string): string {
  const name = readdirSync(folder).find((file) => /^CPU\.\d+\.\d+\.\d+\.0\./.test(file));
  if (name === undefined) throw new Error("Node wrote no profile of the server's main thread");
  return join(folder, name);
}
