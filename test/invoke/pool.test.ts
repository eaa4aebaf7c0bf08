/** Which environment an invocation gets: whichever of its version is free first, with no more of them than are needed. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { kinds, openInvoker } from "./harness.ts";

const STREAM = `export const handler = async (e) => { if (e.ms) await new Promise((r) => setTimeout(r, e.ms)); return process.env.AWS_LAMBDA_LOG_STREAM_NAME; };`;

for (const kind of kinds) {
  describe(`pool on ${kind}`, async () => {
    const bench = await openInvoker(kind, { environmentsMax: 100 });
    after(() => bench.close());

    test("a hundred cold calls at once are all answered, by few environments", async () => {
      const version = await bench.fn({ files: { "index.mjs": STREAM } });
      const answers = await Promise.all(Array.from({ length: 100 }, () => bench.call(version)));
      for (const answer of answers) assert.equal(answer.functionError, undefined);
      const streams = new Set(answers.map((answer) => answer.json));
      assert.ok(streams.size < 50, `${streams.size} environments for 100 short calls`);
      // What was not needed holds no place: as many run at once as before.
      const again = await Promise.all(Array.from({ length: 100 }, () => bench.call(version)));
      assert.equal(again.length, 100);
      await bench.invoker.retire(version.key);
    });
  });
}

test("an environment that is free takes the call for which another boots, and that one serves a later call", async (t) => {
  const bench = await openInvoker("process");
  t.after(() => bench.close());
  const code = `import { mkdirSync } from "node:fs";
    try { mkdirSync(process.env.LAMBDA_TASK_ROOT + "/mark"); } catch { await new Promise((r) => setTimeout(r, 1_500)); }
    ${STREAM}`;
  const version = await bench.fn({ files: { "index.mjs": code } });
  const first = await bench.call(version);
  assert.ok(first.initDurationMs !== undefined);
  const running = bench.call(version, { ms: 300 });
  const waiting = await bench.call(version);
  assert.equal(waiting.json, (await running).json);
  assert.equal(waiting.initDurationMs, undefined);
  while (!/INIT_START.*INIT_START/s.test(bench.logged())) await sleep(50);
  await sleep(2_500);
  const later = await bench.call(version);
  assert.notEqual(later.json, first.json);
  // AWS tells the init duration with the first invocation, also when the environment was initialized before it came.
  assert.ok(later.initDurationMs !== undefined && later.initDurationMs > 1_000);
});

test("an init that failed while nobody waited any more is run again inside the next invocation", async (t) => {
  const bench = await openInvoker("process");
  t.after(() => bench.close());
  const code = `import { existsSync, writeFileSync } from "node:fs";
    const mark = process.env.LAMBDA_TASK_ROOT + "/mark";
    const lives = existsSync(mark + "1") ? (existsSync(mark + "2") ? 3 : 2) : 1;
    writeFileSync(mark + lives, "");
    if (lives === 2) { await new Promise((r) => setTimeout(r, 1_000)); throw new Error("second life"); }
    ${STREAM.replace("return ", "return lives + ' ' + ")}`;
  const version = await bench.fn({ files: { "index.mjs": code } });
  const first = await bench.call(version);
  const running = bench.call(version, { ms: 300 });
  assert.equal((await bench.call(version)).json, first.json);
  assert.equal((await running).json, first.json);
  while (!bench.logged().includes("Phase: init\tStatus: error")) await sleep(50);
  let later = await bench.call(version);
  // The environment has announced itself once nothing is left of its first process.
  for (let tries = 0; tries < 200 && !later.json.startsWith("3 "); tries++) {
    await sleep(50);
    later = await bench.call(version);
  }
  assert.match(later.json, /^3 /);
  assert.equal(later.initDurationMs, undefined);
});

test("a boot that fails rejects the call that waits for it, and the next call has one of its own", async (t) => {
  let failures = 3;
  const bench = await openInvoker("process", {
    environmentsMax: 3,
    credentials: () =>
      failures-- > 0
        ? Promise.reject(new Error("no such role"))
        : Promise.resolve({
            accessKeyId: "ASIATEST",
            secretAccessKey: "secret",
            sessionToken: "token",
            expiresAt: Date.now() + 3_600_000,
          }),
  });
  t.after(() => bench.close());
  const version = await bench.fn({ files: { "index.mjs": STREAM } });
  const settled = await Promise.allSettled([1, 2, 3].map(() => bench.call(version)));
  assert.deepEqual(
    settled.map((each) => each.status),
    ["rejected", "rejected", "rejected"],
  );
  assert.equal((await bench.call(version)).functionError, undefined);
});

test("calls of a quick function share a few environments, and run all at once as soon as they are slow", async (t) => {
  const bench = await openInvoker("process");
  t.after(() => bench.close());
  const code = `export const handler = async (e) => {
      const from = Date.now();
      if (e.ms) await new Promise((r) => setTimeout(r, e.ms));
      return [process.env.AWS_LAMBDA_LOG_STREAM_NAME, from, Date.now()];
    };`;
  const version = await bench.fn({ files: { "index.mjs": code } });
  type Run = [stream: string, from: number, to: number];
  const callAll = async (count: number, event: object) => {
    const outcomes = await Promise.all(Array.from({ length: count }, () => bench.call(version, event)));
    return outcomes.map((outcome) => outcome.json as unknown as Run);
  };
  const few = availableParallelism() + 1;
  const slow = await callAll(3 * few, { ms: 2_000 });
  const atOnce = Math.max(
    ...slow.map(([, at]) => slow.filter(([, from, to]) => from <= at && at < to).length),
  );
  assert.ok(atOnce > few, `${atOnce} at once`);
  // There are enough environments for all; quick calls use few of them.
  let used = new Set<string>();
  for (let round = 0; round < 200 && used.size !== few; round++)
    used = new Set((await callAll(3 * few, {})).map(([stream]) => stream));
  assert.equal(used.size, few);
  const again = await callAll(3 * few, { ms: 2_000 });
  const then = Math.max(
    ...again.map(([, at]) => again.filter(([, from, to]) => from <= at && at < to).length),
  );
  assert.ok(then > few, `${then} at once after they were quick`);
});

test("environments that are ready do not wait for calls that turned out to be slow", async (t) => {
  const bench = await openInvoker("process", { environmentsMax: 20 });
  t.after(() => bench.close());
  const code = `export const handler = async (e) => { const began = Date.now(); if (e.ms) await new Promise((r) => setTimeout(r, e.ms)); return began; };`;
  const version = await bench.fn({ files: { "index.mjs": code } });
  // Quick enough, often enough: from now on its calls take turns.
  for (let call = 0; call < 48; call++) await bench.call(version);
  const ms = 4_000;
  const calls = Array.from({ length: availableParallelism() + 4 }, () => bench.call(version, { ms }));
  const begun = (await Promise.all(calls)).map(({ json }) => json as number);
  assert.ok(Math.max(...begun) - Math.min(...begun) < ms, begun.join(" "));
});

test("what is handed over ahead runs once, whatever blocks, waits, fails or exits before it", async (t) => {
  const bench = await openInvoker("process", { environmentsMax: 60, concurrentExecutions: 100_000 });
  t.after(() => bench.close());
  const marks = await mkdtemp(join(tmpdir(), "lambent-once-"));
  t.after(() => rm(marks, { recursive: true, force: true }));
  const code = `import { appendFileSync } from "node:fs";
    export const handler = async ({ n, ending, ms }) => {
      appendFileSync(${JSON.stringify(join(marks, "runs"))}, n + "\\n");
      console.log("run " + n);
      if (ending === "block") { const end = Date.now() + ms; while (Date.now() < end); }
      if (ending === "wait") await new Promise((r) => setTimeout(r, ms));
      if (ending === "fail") throw new Error("on purpose");
      if (ending === "exit") process.exit(1);
      if (ending === "exit later") setTimeout(() => process.exit(1), 1);
      return n;
    };`;
  const version = await bench.fn({ files: { "index.mjs": code }, timeoutMs: 10_000 });
  const endings = ["block", "wait", "fail", "exit", "exit later"];
  const endingOf = (n: number) => (n < 300 || n % 40 !== 0 ? "answer" : endings[(n / 40) % endings.length]);
  const calls = 3_000;
  const PADDING = "x".repeat(20_000);
  let next = 0;
  const answers = new Map<number, Awaited<ReturnType<typeof bench.call>>>();
  const caller = async () => {
    for (let n = next++; n < calls; n = next++)
      answers.set(
        n,
        await bench.call(
          version,
          // Eight of the large ones are more than a bootstrap reads at once.
          { n, ending: endingOf(n), ms: 3 + (n % 17), padding: n % 3 === 0 ? "" : PADDING },
          // The invocation behind one with a tail begins only when that has been read.
          { wantLogTail: n % 11 === 0 },
        ),
      );
  };
  await Promise.all(Array.from({ length: 32 }, caller));
  const exits = [...answers.keys()].filter((n) => endingOf(n)?.startsWith("exit")).length;
  let exited = 0;
  for (const [n, { json }] of answers) {
    const ending = endingOf(n);
    // An exit a moment after an answer may meet the one behind it, as on AWS.
    if (json?.errorType === "Runtime.ExitError") {
      exited++;
      continue;
    }
    assert.notEqual(ending, "exit");
    if (ending === "fail") assert.equal(json.errorMessage, "on purpose");
    else assert.equal(json, n, `${n}: ${JSON.stringify(json)}`);
  }
  assert.ok(exited <= exits, `${exited} of ${exits} exits were met`);
  const runs = (await readFile(join(marks, "runs"), "utf8")).trim().split("\n").map(Number);
  assert.equal(new Set(runs).size, runs.length, "an invocation ran twice");
  const unmarked = [...answers.keys()].filter((n) => !runs.includes(n));
  for (const n of unmarked) assert.ok(answers.get(n)?.functionError, `${n} was answered and did not run`);
  // Each line stands between its invocation's START and END.
  await bench.invoker.retire(version.key);
  for (const stream of bench.streams()) {
    let open: string | undefined;
    for (const line of bench.linesOf(stream)) {
      const id = /^(?:START|END) RequestId: (\S+)/.exec(line)?.[1];
      if (line.startsWith("START")) open = id;
      else if (line.startsWith("END")) assert.equal(id, open);
      else if (line.includes("\tINFO\trun "))
        assert.ok(open !== undefined && line.includes(open), `${open}: ${line}`);
    }
  }
});
