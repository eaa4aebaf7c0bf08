/** What a failed invocation leaves to the next: the environment with its /tmp and its log, and nothing that ran. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ThrottledError } from "../../src/invoke/index.ts";
import { createLog } from "../../src/telemetry/log.ts";
import { eventually, kindsWithGvisor, openInvoker } from "./harness.ts";
import type { Answer, TestInvoker } from "./harness.ts";

/** Counts its own starts in /tmp, leaves a process behind when it is told to fail, and says who else runs. */
const CODE = `
import { spawn, spawnSync } from "node:child_process";
import { appendFileSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
const file = tmpdir() + "/starts";
appendFileSync(file, "x");
let calls = 0;
export const handler = async (event) => {
  calls += 1;
  if (event.fail) {
    spawn("/bin/sh", ["-c", "trap '' TERM HUP; echo left > " + tmpdir() + "/left; while sleep 0.05; do date +%N > " + tmpdir() + "/pulse; done"], { stdio: "ignore" }).unref();
    while (spawnSync("test", ["-e", tmpdir() + "/pulse"]).status) await new Promise((resolve) => setTimeout(resolve, 10));
    if (event.fail === "exit") process.exit(9);
    await new Promise(() => setTimeout(() => {}, 60_000));
  }
  const before = spawnSync("cat", [tmpdir() + "/pulse"]).stdout.toString();
  await new Promise((resolve) => setTimeout(resolve, 200));
  const after = spawnSync("cat", [tmpdir() + "/pulse"]).stdout.toString();
  return { starts: readFileSync(file, "utf8").length, calls, alive: before !== after };
};`;

for (const kind of await kindsWithGvisor())
  describe(`after a failure on ${kind}`, () => {
    for (const [fail, errorType] of [
      ["exit", "Runtime.ExitError"],
      ["timeout", "Sandbox.Timedout"],
    ] as const)
      test(`${fail}: the next invocation has the same environment, /tmp included, and a process of its own`, async (t) => {
        // There is place for one environment, so that none is booted while it is reset.
        const bench = await openInvoker(kind, { environmentsMax: 1 });
        t.after(() => bench.close());
        const version = await bench.fn({ files: { "index.mjs": CODE }, timeoutMs: 5_000 });
        assert.deepEqual((await bench.call(version)).json, { starts: 1, calls: 1, alive: false });
        assert.equal((await bench.call(version, { fail })).json.errorType, errorType);
        const next = await onceFree(() => bench.call(version, {}, { wantLogTail: true }));
        const { starts, ...rest } = next.json;
        assert.ok(starts >= 2, "/tmp was not kept");
        assert.deepEqual(rest, { calls: 1, alive: false });
        // AWS tells of this init phase in the duration alone.
        assert.equal(next.initDurationMs, undefined);
        assert.match(next.tail, /^START RequestId: /);
        assert.deepEqual((await bench.call(version)).json, { starts, calls: 2, alive: false });
        await eventually(() => bench.logged().includes(`REPORT RequestId: ${next.requestId}`));
        assert.equal(bench.streams().length, 1);
      });

    test("an environment that failed and that nobody calls any more can be ended", async (t) => {
      const bench = await openInvoker(kind);
      t.after(() => bench.close());
      const version = await bench.fn({ files: { "index.mjs": "process.exit(1);" } });
      assert.equal((await bench.call(version)).json.errorType, "Runtime.ExitError");
      await bench.invoker.retire(version.key);
    });

    test("an invocation whose environment's sandbox has died since the reset runs in another one", async (t) => {
      const warned: string[] = [];
      const log = createLog("warn", (line) => void warned.push(line));
      const bench = await openInvoker(kind, { environmentsMax: 1, log });
      t.after(() => bench.close());
      const resets = followResets(bench);
      const version = await bench.fn({ files: { "index.mjs": CODE }, timeoutMs: 5_000 });
      assert.equal((await bench.call(version, { fail: "exit" })).json.errorType, "Runtime.ExitError");
      await eventually(() => resets.length === 1);
      await resets[0]?.stop(0);
      assert.deepEqual((await onceFree(() => bench.call(version))).json, {
        starts: 1,
        calls: 1,
        alive: false,
      });
      await bench.close();
      assert.deepEqual(warned, []);
    });

    test(
      "a function that kills its own sandbox fails as any other, in its init phase too, and nothing is wrong with the server",
      { skip: kind === "process" && "there is no sandbox" },
      async (t) => {
        const warned: string[] = [];
        const log = createLog("warn", (line) => void warned.push(line));
        const bench = await openInvoker(kind, { log });
        t.after(() => bench.close());
        const kill = "process.kill(-1, 'SIGKILL'); await new Promise(() => setInterval(() => {}, 1_000));";
        for (const code of [kill, `export const handler = async () => { ${kill} };`]) {
          const version = await bench.fn({ files: { "index.mjs": code } });
          assert.equal((await bench.call(version)).json.errorType, "Runtime.ExitError");
          assert.equal((await bench.call(version)).json.errorType, "Runtime.ExitError");
        }
        await bench.close();
        assert.deepEqual(warned, []);
      },
    );
  });

/** The sandboxes of a bench that were reset, in order. */
function followResets(bench: TestInvoker): { stop(graceMs: number): Promise<void> }[] {
  const resets: { stop(graceMs: number): Promise<void> }[] = [];
  const create = bench.sandboxes.create.bind(bench.sandboxes);
  bench.sandboxes.create = async (spec) => {
    const sandbox = await create(spec);
    const reset = sandbox.reset.bind(sandbox);
    sandbox.reset = () => reset().finally(() => resets.push(sandbox));
    return sandbox;
  };
  return resets;
}

/** Calls again while the only environment is not free, and when a busy machine did not initialize it in time. */
async function onceFree(call: () => Promise<Answer>): Promise<Answer> {
  for (;;)
    try {
      const answer = await call();
      if (answer.json.errorType !== "Sandbox.Timedout") return answer;
    } catch (error) {
      if (!(error instanceof ThrottledError)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
}
