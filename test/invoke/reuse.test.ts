/** Execution environments: reuse, concurrency, limits, freezing, retirement and the end. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { InvokerStopped, RuntimeUnavailable, ThrottledError } from "../../src/invoke/index.ts";
import { credentialsUntil, eventually, kinds, openInvoker } from "./harness.ts";

const COUNTER = `let n = 0; export const handler = async (e) => { if (e.ms) await new Promise((r) => setTimeout(r, e.ms)); return [process.env.AWS_LAMBDA_LOG_STREAM_NAME, ++n]; };`;

for (const kind of kinds) {
  describe(`reuse on ${kind}`, async () => {
    const bench = await openInvoker(kind, { environmentsMax: 3 });
    after(() => bench.close());

    test("an idle environment serves the next invocation, which starts at once", async () => {
      const version = await bench.fn({ files: { "index.mjs": COUNTER } });
      const [stream] = (await bench.call(version)).json;
      for (const n of [2, 3, 4]) assert.deepEqual((await bench.call(version)).json, [stream, n]);
      await bench.invoker.retire(version.key);
    });

    test("invocations at the same time have environments of their own; one too many is throttled", async () => {
      const version = await bench.fn({ files: { "index.mjs": COUNTER } });
      const running = [1, 2, 3].map(() => bench.call(version, { ms: 2_500 }));
      await assert.rejects(bench.call(version), (error: unknown) => {
        assert.ok(error instanceof ThrottledError);
        assert.equal(error.reason, "ConcurrentInvocationLimitExceeded");
        return true;
      });
      const streams = new Set((await Promise.all(running)).map((answer) => answer.json[0]));
      assert.equal(streams.size, 3);
    });

    test("a full house gives up the environment that has been idle longest", async () => {
      const other = await bench.fn({ files: { "index.mjs": COUNTER } });
      assert.equal((await bench.call(other)).json[1], 1);
      await bench.invoker.retire(other.key);
    });

    test("a retired version lets what runs finish and leaves nothing behind", async () => {
      const version = await bench.fn({ files: { "index.mjs": COUNTER } });
      const running = bench.call(version, { ms: 500 });
      await sleep(300);
      const retired = bench.invoker.retire(version.key);
      const first = await running;
      await retired;
      assert.equal(first.functionError, undefined);
      const again = await bench.call(version);
      assert.notEqual(again.json[0], first.json[0]);
      await bench.invoker.retire(version.key);
    });

    test("an environment is frozen when it rests and thawed when it is needed", async () => {
      const code = `let ticks = 0; setInterval(() => ticks++, 20).unref(); export const handler = async () => ticks;`;
      const version = await bench.fn({ files: { "index.mjs": code } });
      await bench.call(version);
      await sleep(3_200);
      const ticks = (await bench.call(version)).json;
      // Without a freezer the timer would have fired some 160 times.
      assert.ok(ticks < 120, `${ticks} ticks`);
      await sleep(2_000);
      // A frozen one can be ended.
      await bench.invoker.retire(version.key);
    });

    test("the runtime's own error is a rejection, not an answer of the function", async () => {
      const version = await bench.fn({ files: { "index.mjs": COUNTER }, runtime: "nodejs18.x" });
      await assert.rejects(bench.call(version), (error: unknown) => {
        assert.ok(error instanceof RuntimeUnavailable);
        assert.match(error.message, /nodejs18\.x/);
        return true;
      });
    });
  });

  test(`stop waits for what runs and refuses what comes, on ${kind}`, async (t) => {
    const bench = await openInvoker(kind);
    t.after(() => bench.close());
    const version = await bench.fn({ files: { "index.mjs": COUNTER } });
    const running = bench.call(version, { ms: 400 });
    await sleep(200);
    const stopped = bench.invoker.stop(5_000);
    await assert.rejects(bench.call(version), InvokerStopped);
    assert.equal((await running).json[1], 1);
    await stopped;
    assert.match(bench.logged(), /REPORT RequestId: /);
    await bench.close();
  });
}

test("an exit between two invocations is nobody's failure", async (t) => {
  const bench = await openInvoker("process");
  t.after(() => bench.close());
  const code = `export const handler = async (e) => { setTimeout(() => process.exit(1), e.ms); return process.pid; };`;
  const version = await bench.fn({ files: { "index.mjs": code } });
  const pids = new Set<number>();
  for (let n = 0; n < 6; n++) {
    const answer = await bench.call(version, { ms: 100 });
    assert.equal(answer.functionError, undefined, answer.payload.toString());
    pids.add(answer.json);
    while (isAlive(answer.json)) await sleep(20);
    await sleep(100);
  }
  assert.equal(pids.size, 6);
});

test("a hundred invocations at once, with errors and exits among them, each get their own answer", async (t) => {
  // Four at a time, and those that exit hold their place until nothing is left of them.
  const bench = await openInvoker("process", { environmentsMax: 30 });
  t.after(() => bench.close());
  const code = `export const handler = async (e) => {
    if (e.n % 10 === 3) throw new Error("n" + e.n);
    if (e.n % 10 === 7) process.exit(1);
    console.log("own " + e.n);
    return e.n;
  };`;
  const version = await bench.fn({ files: { "index.mjs": code } });
  let next = 0;
  const worker = async () => {
    while (next < 100) {
      const n = next++;
      const answer = await bench.call(version, { n }, { wantLogTail: true });
      if (n % 10 === 3) assert.equal(answer.json.errorMessage, `n${n}`);
      else if (n % 10 === 7) assert.equal(answer.json.errorType, "Runtime.ExitError");
      else {
        assert.equal(answer.json, n);
        assert.deepEqual(answer.tail.match(/own \d+/g), [`own ${n}`]);
      }
      assert.equal(answer.tail.match(/START/g)?.length, 1);
    }
  };
  await Promise.all([1, 2, 3, 4].map(worker));
  await bench.close();
  for (const stream of bench.logged().split("INIT_START").slice(1)) {
    const order = stream.match(/^(?:START|END|REPORT)/gm) ?? [];
    assert.equal(
      order.join(" "),
      Array.from({ length: order.length / 3 }, () => "START END REPORT").join(" "),
    );
  }
});

test("stop ends an environment that boots, whose invocation is rejected", async (t) => {
  const bench = await openInvoker("process");
  t.after(() => bench.close());
  const version = await bench.fn({
    files: { "index.mjs": "await new Promise((r) => setTimeout(r, 60_000));" },
  });
  const running = bench.call(version);
  const rejected = assert.rejects(running, InvokerStopped);
  await sleep(300);
  await bench.invoker.stop(100);
  await rejected;
});

test("stop ends what does not finish within its grace", async (t) => {
  const bench = await openInvoker("process");
  t.after(() => bench.close());
  const version = await bench.fn({ files: { "index.mjs": COUNTER } });
  const running = bench.call(version, { ms: 60_000 });
  await eventually(() => bench.logged().includes("START RequestId"));
  await bench.invoker.stop(100);
  assert.equal((await running).json.errorType, "Runtime.ExitError");
});

test("an environment is not reused when its credentials are about to expire", async (t) => {
  let life = 30_000;
  const bench = await openInvoker("process", {
    credentials: () => Promise.resolve(credentialsUntil(Date.now() + life)),
  });
  t.after(() => bench.close());
  const version = await bench.fn({ files: { "index.mjs": COUNTER } });
  const [first] = (await bench.call(version)).json;
  life = 3_600_000;
  const [second] = (await bench.call(version)).json;
  assert.notEqual(second, first);
  assert.deepEqual((await bench.call(version)).json, [second, 2]);
});

test("credentials that cannot be had reject the invocation and hold no place", async (t) => {
  let fails = true;
  const bench = await openInvoker("process", {
    environmentsMax: 1,
    credentials: () =>
      fails
        ? Promise.reject(new Error("no such role"))
        : Promise.resolve(credentialsUntil(Date.now() + 3_600_000)),
  });
  t.after(() => bench.close());
  const version = await bench.fn({ files: { "index.mjs": COUNTER } });
  await assert.rejects(bench.call(version), /no such role/);
  fails = false;
  assert.equal((await bench.call(version)).json[1], 1);
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test("a version that may be invoked soon has its role's session opened ahead, and a refusal is nobody's yet", async (t) => {
  let asked = 0;
  const bench = await openInvoker("process", {
    credentials: () => {
      asked++;
      return asked === 1
        ? Promise.reject(new Error("no such role"))
        : Promise.resolve(credentialsUntil(Date.now() + 3_600_000));
    },
  });
  t.after(() => bench.close());
  const version = await bench.fn({ files: { "index.mjs": "export const handler = async () => 1;" } });
  bench.invoker.prepare(version);
  assert.equal(asked, 0);
  bench.invoker.prepare({ ...version, session: version });
  assert.equal(asked, 1);
  assert.equal((await bench.call(version)).json, 1);
  assert.equal(asked, 2);
});
