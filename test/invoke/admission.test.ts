/** Which invocations are admitted, what the others are told, and what is counted. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ThrottledError } from "../../src/invoke/index.ts";
import { openInvoker } from "./harness.ts";
import type { TestInvoker } from "./harness.ts";

const SLEEP = `export const handler = async (e) => { await new Promise((r) => setTimeout(r, e.ms ?? 0)); if (e.fail) throw new Error(e.fail); return 1; };`;

/** The reasons of the refusals; fails on any other rejection. */
async function refusals(calls: Promise<unknown>[]): Promise<string[]> {
  const settled = await Promise.allSettled(calls);
  return settled.flatMap((each) => {
    if (each.status === "fulfilled") return [];
    assert.ok(each.reason instanceof ThrottledError, String(each.reason));
    return [each.reason.reason];
  });
}

/** The sums (levels: the highest value) of a metric, by its dimensions. */
function counted(bench: TestInvoker, name: string): Record<string, number> {
  const series = bench.metrics.all().filter(({ id }) => id.name === name);
  return Object.fromEntries(
    series.map((each) => [
      Object.values(each.id.dimensions).join(" "),
      each.id.kind === "level" ? each.highestSince(0) : each.sum,
    ]),
  );
}

test("an account's limit holds over its functions, and every invocation is counted at its name", async (t) => {
  const bench = await openInvoker("process", { concurrentExecutions: 2 });
  t.after(() => bench.close());
  const one = await bench.fn({ files: { "index.mjs": SLEEP }, functionName: "one" });
  const two = await bench.fn({
    files: { "index.mjs": SLEEP },
    functionName: "two",
    functionArn: one.functionArn.replace(/[^:]+$/, "two"),
    version: "7",
  });
  const alias = { invokedFunctionArn: `${two.functionArn}:live` };
  const running = [bench.call(one, { ms: 400 }), bench.call(two, { ms: 400, fail: "so" }, alias)];
  assert.deepEqual(await refusals([bench.call(two, {}, alias)]), ["ConcurrentInvocationLimitExceeded"]);
  await Promise.all(running);
  await bench.call(two, {}, { invokedFunctionArn: `${two.functionArn}:7` });
  assert.deepEqual(counted(bench, "Invocations"), { "one one": 1, "two two:live 7": 1, "two two:7": 1 });
  assert.deepEqual(counted(bench, "Errors"), { "one one": 0, "two two:live 7": 1, "two two:7": 0 });
  assert.deepEqual(counted(bench, "Throttles"), { "two two:live 7": 1 });
  assert.deepEqual(counted(bench, "ConcurrentExecutions"), { one: 1, two: 1, "": 2 });
  assert.deepEqual(counted(bench, "UnreservedConcurrentExecutions"), { "": 2 });
  assert.ok((counted(bench, "Duration")["one one"] ?? 0) >= 400);
});

test("a reservation is the most that a function runs; one of nothing switches it off until it is taken back", async (t) => {
  const bench = await openInvoker("process");
  t.after(() => bench.close());
  const version = await bench.fn({ files: { "index.mjs": SLEEP } });
  bench.invoker.reserve(version, 2);
  const calls = [1, 2, 3, 4].map(() => bench.call(version, { ms: 300 }));
  const reason = "ReservedFunctionConcurrentInvocationLimitExceeded";
  assert.deepEqual(await refusals(calls), [reason, reason]);
  assert.deepEqual(counted(bench, "UnreservedConcurrentExecutions"), { "": 0 });
  assert.deepEqual(counted(bench, "ClaimedAccountConcurrency"), { "": 2 });
  bench.invoker.reserve(version, 0);
  await assert.rejects(
    bench.call(version),
    (error) => error instanceof ThrottledError && error.isSwitchedOff,
  );
  bench.invoker.reserve(version, undefined);
  await bench.call(version);
});

test("synchronous calls are refused above ten times the concurrency a second; asynchronous ones are not", async (t) => {
  const bench = await openInvoker("process");
  t.after(() => bench.close());
  const version = await bench.fn({ files: { "index.mjs": SLEEP } });
  await bench.call(version);
  bench.invoker.reserve(version, 1);
  let refused: string[] = [];
  for (let n = 0; n < 2_000 && refused.length === 0; n++) refused = await refusals([bench.call(version)]);
  assert.deepEqual(refused, ["ReservedFunctionInvocationRateLimitExceeded"]);
  for (let n = 0; n < 20; n++) await bench.call(version, {}, { isAsynchronous: true });
});

test("a function with a reservation loses no call while another floods the machine", async (t) => {
  const bench = await openInvoker("process", { environmentsMax: 12 });
  t.after(() => bench.close());
  const flooding = await bench.fn({ files: { "index.mjs": SLEEP } });
  const reserved = await bench.fn({ files: { "index.mjs": SLEEP } });
  bench.invoker.reserve(reserved, 5);
  const over = new AbortController();
  let answered = 0;
  let refused = 0;
  const flood = (async () => {
    while (!over.signal.aborted) {
      const calls = Array.from({ length: 500 }, () => bench.call(flooding, { ms: 50 }));
      const reasons = await refusals(calls);
      refused += reasons.length;
      answered += calls.length - reasons.length;
      await sleep(10);
    }
  })();
  await sleep(100);
  for (let round = 0; round < 10; round++) {
    const reasons = await refusals([1, 2, 3, 4, 5].map(() => bench.call(reserved, { ms: 20 })));
    assert.deepEqual(reasons, []);
  }
  over.abort();
  await flood;
  assert.ok(refused > 0, "the flood was refused nothing");
  assert.ok(answered > 0, "the flood was answered nothing");
});
