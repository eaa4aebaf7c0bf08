/** Provisioned concurrency on the data path: ready before it is used, replaced when it ends, and what does not fit runs on demand. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { FunctionVersion, ProvisionedStatus } from "../../src/invoke/index.ts";
import { openInvoker } from "./harness.ts";
import type { TestInvoker } from "./harness.ts";

const TYPE = `export const handler = async (e) => {
  if (e.ms) await new Promise((r) => setTimeout(r, e.ms));
  if (e.exit) setTimeout(() => process.exit(1), 100);
  return [process.env.AWS_LAMBDA_INITIALIZATION_TYPE, process.env.AWS_LAMBDA_LOG_STREAM_NAME, process.pid];
};`;
const PROVISIONED = "provisioned-concurrency";

/** Waits until the status is as wanted. */
async function until(
  bench: TestInvoker,
  version: FunctionVersion,
  wanted: Partial<ProvisionedStatus>,
): Promise<void> {
  let status: Partial<ProvisionedStatus> = {};
  for (let tries = 0; tries < 2_000; tries++) {
    status = { ...bench.invoker.provisioned(version.key) };
    if (Object.entries(wanted).every(([name, value]) => Reflect.get(status, name) === value)) return;
    await sleep(10);
  }
  assert.deepEqual(status, wanted);
}

/** The sum of a metric over all its names. */
function sum(bench: TestInvoker, name: string): number {
  const series = bench.metrics.all().filter(({ id }) => id.name === name);
  return series.reduce((all, one) => all + one.sum, 0);
}

test("calls run on what is provisioned, and on demand when all of it is in use", async (t) => {
  const bench = await openInvoker("process");
  t.after(() => bench.close());
  const version = await bench.fn({ files: { "index.mjs": TYPE } });
  bench.invoker.provision(version, 2);
  assert.equal(bench.invoker.provisioned(version.key)?.status, "IN_PROGRESS");
  await until(bench, version, { status: "READY" });
  assert.deepEqual(bench.invoker.provisioned(version.key), {
    requested: 2,
    allocated: 2,
    available: 2,
    status: "READY",
  });
  const answers = await Promise.all([1, 2, 3].map(() => bench.call(version, { ms: 1_500 })));
  const types = answers.map((answer) => String(answer.json[0]));
  assert.equal(types.filter((type) => type === PROVISIONED).length, 2);
  assert.equal(types.filter((type) => type === "on-demand").length, 1);
  // AWS tells the init duration with the first invocation of a provisioned environment too.
  for (const answer of answers) assert.ok(answer.initDurationMs !== undefined);
  assert.equal(sum(bench, "ProvisionedConcurrencyInvocations"), 2);
  assert.equal(sum(bench, "ProvisionedConcurrencySpilloverInvocations"), 1);
  assert.equal(sum(bench, "Invocations"), 3);
  const utilization = bench.metrics.all().find(({ id }) => id.name === "ProvisionedConcurrencyUtilization");
  assert.equal(utilization?.highestSince(0), 1);
  assert.equal((await bench.call(version)).json[0], PROVISIONED);
  bench.invoker.provision(version, 0);
  assert.equal(bench.invoker.provisioned(version.key), undefined);
  assert.equal((await bench.call(version)).json[0], "on-demand");
});

test("none is used before all are ready", async (t) => {
  const bench = await openInvoker("process");
  t.after(() => bench.close());
  // The second process waits for a call of the first.
  const code = `import { existsSync, mkdirSync } from "node:fs";
    const mark = process.env.LAMBDA_TASK_ROOT + "/mark";
    try { mkdirSync(mark); } catch { while (!existsSync(mark + "/go")) await new Promise((r) => setTimeout(r, 20)); }
    ${TYPE.replace("return [", 'if (e.go) mkdirSync(mark + "/go"); return [')}`;
  const version = await bench.fn({ files: { "index.mjs": code } });
  bench.invoker.provision(version, 2);
  await until(bench, version, { allocated: 1 });
  assert.equal(bench.invoker.provisioned(version.key)?.status, "IN_PROGRESS");
  assert.equal(bench.invoker.provisioned(version.key)?.available, 0);
  bench.invoker.provision(version, 1);
  await until(bench, version, { status: "READY", available: 1 });
  assert.equal((await bench.call(version, { go: true })).json[0], PROVISIONED);
});

test("one that ends is replaced", async (t) => {
  const bench = await openInvoker("process");
  t.after(() => bench.close());
  const version = await bench.fn({ files: { "index.mjs": TYPE } });
  bench.invoker.provision(version, 1);
  await until(bench, version, { status: "READY" });
  const first = (await bench.call(version)).json[1];
  // A failed invocation leaves the environment to the next; a process that ends while it waits takes it along.
  assert.equal((await bench.call(version, { exit: true })).functionError, undefined);
  await until(bench, version, { status: "IN_PROGRESS" });
  await until(bench, version, { status: "READY" });
  const [type, second] = (await bench.call(version)).json;
  assert.equal(type, PROVISIONED);
  assert.notEqual(second, first);
});

test("one whose lifetime is over is replaced while it still serves, and none ends for want of work", async (t) => {
  const bench = await openInvoker("process", { lifetimeMs: 1_500, idleMs: 300 });
  t.after(() => bench.close());
  const version = await bench.fn({ files: { "index.mjs": TYPE } });
  bench.invoker.provision(version, 1);
  await until(bench, version, { status: "READY" });
  const [, first, pid] = (await bench.call(version)).json;
  await sleep(700);
  assert.doesNotThrow(() => process.kill(pid, 0), "an idle provisioned environment was ended");
  for (let stream = first; stream === first; await sleep(150)) {
    const [type, now] = (await bench.call(version)).json;
    assert.equal(type, PROVISIONED);
    stream = now;
  }
});

test("an init that fails fails the provisioning with AWS's reason, and a later request tries anew", async (t) => {
  const bench = await openInvoker("process");
  t.after(() => bench.close());
  const version = await bench.fn({ files: { "index.mjs": 'throw new Error("never");' } });
  bench.invoker.provision(version, 2);
  await until(bench, version, { status: "FAILED" });
  assert.deepEqual(bench.invoker.provisioned(version.key), {
    requested: 2,
    allocated: 0,
    available: 0,
    status: "FAILED",
    reason: "FUNCTION_ERROR_INIT_FAILURE",
  });
  bench.invoker.provision(version, 1);
  assert.equal(bench.invoker.provisioned(version.key)?.status, "IN_PROGRESS");
  await until(bench, version, { status: "FAILED", requested: 1 });
});

test("more than the machine has places for has failed at once", async (t) => {
  const bench = await openInvoker("process", { environmentsMax: 2 });
  t.after(() => bench.close());
  const version = await bench.fn({ files: { "index.mjs": TYPE } });
  bench.invoker.provision(version, 3);
  const status = bench.invoker.provisioned(version.key);
  assert.equal(status?.status, "FAILED");
  assert.match(status?.reason ?? "", /^This server has places for 2 execution environments/);
});

test("a retired version gives its provisioned environments up", async (t) => {
  const bench = await openInvoker("process");
  t.after(() => bench.close());
  const version = await bench.fn({ files: { "index.mjs": TYPE } });
  bench.invoker.provision(version, 1);
  await until(bench, version, { status: "READY" });
  const pid = (await bench.call(version)).json[2];
  await bench.invoker.retire(version.key);
  assert.throws(() => process.kill(pid, 0));
  assert.equal(bench.invoker.provisioned(version.key), undefined);
});
