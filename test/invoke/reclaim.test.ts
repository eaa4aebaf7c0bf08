/** Environments that are ended while nothing needs them: by age, by lifetime, and when memory is short. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Sandbox } from "../../src/sandbox/index.ts";
import { eventually, memoryWith, openInvoker, runcMissing } from "./harness.ts";
import type { TestInvoker } from "./harness.ts";

const needsRoot: string | false =
  runcMissing ?? (process.getuid?.() === 0 ? false : "processes are booted ahead where the server is root");
if (needsRoot && !runcMissing)
  console.log(`# SKIPPED processes that wait, when memory is short: ${needsRoot}`);

const STREAM = `export const handler = async (e) => { if (e.ms) await new Promise((r) => setTimeout(r, e.ms)); return [process.env.AWS_LAMBDA_LOG_STREAM_NAME, process.pid]; };`;

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function untilDead(pid: number): Promise<void> {
  while (isAlive(pid)) await sleep(20);
}

const streamOf = async (bench: TestInvoker, version: Parameters<TestInvoker["call"]>[0], event = {}) =>
  (await bench.call(version, event)).json as [string, number];

test("an environment that has had no work for long is ended without being asked for", async (t) => {
  const bench = await openInvoker("process", { idleMs: 300 });
  t.after(() => bench.close());
  const version = await bench.fn({ files: { "index.mjs": STREAM } });
  const [stream, pid] = await streamOf(bench, version);
  await untilDead(pid);
  assert.notEqual((await streamOf(bench, version))[0], stream);
});

test("an environment is replaced after its lifetime, a busy one when its invocation is over", async (t) => {
  const bench = await openInvoker("process", { lifetimeMs: 600 });
  t.after(() => bench.close());
  const version = await bench.fn({ files: { "index.mjs": STREAM } });
  const [stream, pid] = await streamOf(bench, version, { ms: 1_000 });
  await untilDead(pid);
  const [second] = await streamOf(bench, version);
  assert.notEqual(second, stream);
  await sleep(700);
  assert.notEqual((await streamOf(bench, version))[0], second);
});

test("when memory is short, the environment that has been idle longest is ended first", async (t) => {
  let short = false;
  const bench = await openInvoker("process", {
    memory: () => {
      const reading = memoryWith(0.2, short ? 50 : 0);
      // One reading ends a tenth, and at least one.
      short = false;
      return Promise.resolve(reading);
    },
  });
  t.after(() => bench.close());
  const older = await bench.fn({ files: { "index.mjs": STREAM } });
  const newer = await bench.fn({ files: { "index.mjs": STREAM } });
  const [, olderPid] = await streamOf(bench, older);
  const [stream, newerPid] = await streamOf(bench, newer);
  short = true;
  await untilDead(olderPid);
  assert.ok(isAlive(newerPid));
  assert.equal((await streamOf(bench, newer))[0], stream);
});

test("processes that wait for a function go first", { skip: needsRoot }, async (t) => {
  let short = false;
  const bench = await openInvoker("runc", {
    idleMs: 5_000,
    memory: () => Promise.resolve(short ? memoryWith(0.2, 50) : memoryWith(1)),
  });
  t.after(() => bench.close());
  const made: Sandbox[] = [];
  const create = bench.sandboxes.create.bind(bench.sandboxes);
  bench.sandboxes.create = async (spec) => {
    const sandbox = await create(spec);
    made.push(sandbox);
    return sandbox;
  };
  // This one boots from nothing, and nothing is made ahead for it.
  const version = await bench.fn({
    files: { "index.mjs": STREAM },
    environment: { NODE_OPTIONS: "--title=mine" },
  });
  const [first] = await streamOf(bench, version);
  bench.invoker.prepare(version);
  await eventually(() => made.length === 2);
  const busy = streamOf(bench, version, { ms: 4_000 });
  short = true;
  await eventually(() => made[1]?.hasEnded === true);
  assert.equal(made[0]?.hasEnded, false);
  assert.equal((await busy)[0], first, "what works goes on");
});
