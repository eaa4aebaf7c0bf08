/**
 * `npm run soak`: each scenario a thousand times, then a hundred thousand invocations over two hundred functions with failures mixed
 * in; after each, the server holds what it held before, and at the end nothing of it is left on the machine.
 *
 *   npm run soak -- --scenario fork-bomb --times 1000     one scenario
 *   npm run soak -- --scenario mixed-load                 the hundred thousand
 *   npm run soak -- --from segfault                       go on where a run was interrupted
 *   npm run soak -- --sandbox runsc                       on another provider
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { NOTHING, instanceOf, remains } from "../harness/remains.ts";
import type { Holdings } from "./holdings.ts";
import { mixedLoad } from "./mixed-load.ts";
import { assertNoGrowth, atRest, runTimes } from "./run-times.ts";
import type { Scenario } from "./scenario.ts";
import { kinds, openStage, skipped } from "./stage.ts";
import type { Kind, OpenStage } from "./stage.ts";
import { scenarios } from "./table.ts";

const { values } = parseArgs({
  options: {
    scenario: { type: "string" },
    from: { type: "string" },
    times: { type: "string", default: "1000" },
    invocations: { type: "string", default: "100000" },
    functions: { type: "string", default: "200" },
    concurrency: { type: "string", default: "16" },
    sandbox: { type: "string" },
  },
});
const TIMES = Number(values.times);
/** More environments than functions, and not so many that none is ever ended for another. */
const ENVIRONMENTS_MAX = Number(values.functions) + 40;
/** Scenarios that take seconds each are run this many times fewer. */
const DEAR_DIVISOR = 10;
let lastTenth = 0;

const load = mixedLoad(
  {
    invocations: Number(values.invocations),
    functions: Number(values.functions),
    concurrency: Number(values.concurrency),
  },
  (done) => progress("mixed-load", done, Number(values.invocations)),
);
const all = new Map<string, Scenario>([...scenarios, ["mixed-load", load]]);
const wanted = [...all].filter(
  ([name]) => (!values.scenario || name === values.scenario) && (!values.from || name >= values.from),
);
if (wanted.length === 0)
  throw new Error(`no scenario is called ${values.scenario ?? values.from}: ${[...all.keys()].join(", ")}`);

for (const kind of kinds.filter((one) => !values.sandbox || one === values.sandbox)) await soak(kind);

async function soak(kind: Kind): Promise<void> {
  const stage = await openStage(kind, { environmentsMax: ENVIRONMENTS_MAX });
  const failures: string[] = [];
  try {
    for (const [name, scenario] of wanted) {
      const reason = skipped(scenario, kind);
      if (reason) console.log(`${kind} ${name}: SKIPPED, ${reason}`);
      else if (!(await one(stage, name, scenario))) failures.push(name);
    }
  } finally {
    const instance = instanceOf(join(stage.dataDir, "sandboxes"));
    await stage.stop();
    assert.deepEqual(remains(stage.dataDir, instance), NOTHING);
    console.log(`${kind}: nothing is left on the machine`);
  }
  if (failures.length > 0) {
    console.log(`${kind}: FAILED ${failures.join(", ")}`);
    process.exitCode = 1;
  }
}

async function one(stage: OpenStage, name: string, scenario: Scenario): Promise<boolean> {
  const times = name === "mixed-load" ? 1 : scenario.dear ? Math.ceil(TIMES / DEAR_DIVISOR) : TIMES;
  const startedAt = performance.now();
  try {
    // What is made once, and what is compiled, is there before anything is measured.
    if (name !== "mixed-load") await runTimes(stage, name, scenario, Math.min(times, 10));
    const before = await atRest(stage);
    await runTimes(stage, name, scenario, times, (done) => progress(name, done, times));
    const after = await assertNoGrowth(stage, before);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
    console.log(`${stage.kind} ${name}: ${times} times in ${seconds} s; ${difference(before, after)}`);
    return true;
  } catch (error) {
    console.log(`${stage.kind} ${name}: FAILED`, error);
    return false;
  }
}

function difference(before: Holdings, after: Holdings): string {
  const megabytes = (bytes: number) => (bytes / 1_048_576).toFixed(1);
  const heap = (holdings: Holdings) => holdings.memory.heap + holdings.memory.outside;
  const counts = Object.keys(after.counts)
    .map((name) => `${name} ${before.counts[name]} → ${after.counts[name]}`)
    .join(", ");
  return (
    `heap ${megabytes(heap(before))} → ${megabytes(heap(after))} MB, ` +
    `resident ${megabytes(before.resident)} → ${megabytes(after.resident)} MB, ${counts}`
  );
}

/** A line that is written over on a terminal; in a file one for every tenth. */
function progress(name: string, done: number, times: number): void {
  const text = `${name}: ${done} of ${times}`;
  if (process.stdout.isTTY) process.stdout.write(`\r\u001B[K${text}`);
  const tenth = Math.floor((done * 10) / times);
  if (!process.stdout.isTTY && tenth > lastTenth) console.log(text);
  lastTenth = tenth;
}
