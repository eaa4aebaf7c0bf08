/** How invocations end, on every provider: exact payloads, exact REPORT lines. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { kinds, openInvoker, runcMissing } from "./harness.ts";

for (const kind of kinds) {
  describe(`outcomes on ${kind}`, async () => {
    const bench = await openInvoker(kind);
    after(() => bench.close());

    test("an answer comes back as the bytes that the handler's value has in JSON", async () => {
      const version = await bench.fn({
        files: { "index.mjs": "export const handler = async (e) => ({ got: e });" },
      });
      const answer = await bench.call(version, { é: [1, null] });
      assert.equal(answer.payload.toString(), '{"got":{"é":[1,null]}}');
      assert.equal(answer.functionError, undefined);
      assert.ok(answer.initDurationMs !== undefined && answer.initDurationMs > 0);
      assert.ok(answer.maxMemoryUsedMb > 1 && answer.maxMemoryUsedMb <= 512);
      const warm = await bench.call(version);
      assert.equal(warm.initDurationMs, undefined);
    });

    test("a handler's error is Unhandled, and the REPORT line does not call it a failure", async () => {
      const code = `export const handler = async () => { throw new RangeError("too far"); };`;
      const version = await bench.fn({ files: { "index.mjs": code } });
      const answer = await bench.call(version, {}, { wantLogTail: true });
      assert.equal(answer.functionError, "Unhandled");
      assert.deepEqual(Object.keys(answer.json), ["errorType", "errorMessage", "trace"]);
      assert.equal(answer.json.errorType, "RangeError");
      assert.equal(answer.json.errorMessage, "too far");
      assert.match(answer.json.trace[1], /index\.mjs:1:\d+\)?$/);
      assert.match(answer.tail, /Max Memory Used: \d+ MB\tInit Duration: [\d.]+ ms\t\n$/);
    });

    test("a timeout answers Sandbox.Timedout, and the next invocation has a new process", async () => {
      const code = `let n = 0; export const handler = async (e) => e.hang ? new Promise((r) => setTimeout(r, 60_000)) : ++n;`;
      const version = await bench.fn({ files: { "index.mjs": code }, timeoutMs: 1_000 });
      assert.equal((await bench.call(version)).json, 1);
      const answer = await bench.call(version, { hang: true }, { wantLogTail: true });
      assert.deepEqual(answer.json, {
        errorType: "Sandbox.Timedout",
        errorMessage: `RequestId: ${answer.requestId} Error: Task timed out after 1.00 seconds`,
      });
      assert.equal(answer.durationMs, 1_000);
      assert.match(
        answer.tail,
        /^START RequestId: \S+ Version: \$LATEST\nEND RequestId: \S+\nREPORT RequestId: \S+\tDuration: 1000\.00 ms\tBilled Duration: 1000 ms\tMemory Size: 512 MB\tMax Memory Used: \d+ MB\tStatus: timeout\n$/,
      );
      // The next one begins with an init, under the same second, for which a busy machine may need another try.
      let next = await bench.call(version);
      while (next.json?.errorType === "Sandbox.Timedout") next = await bench.call(version);
      assert.equal(next.json, 1);
    });

    test("a busy loop is ended by the timeout too", async () => {
      const version = await bench.fn({
        files: { "index.mjs": "export const handler = async () => { for (;;); };" },
        timeoutMs: 1_000,
      });
      assert.equal((await bench.call(version)).json.errorType, "Sandbox.Timedout");
    });

    test("an exit inside the handler names its status", async () => {
      const version = await bench.fn({
        files: { "index.mjs": "export const handler = async (e) => process.exit(e.code);" },
      });
      const one = await bench.call(version, { code: 7 }, { wantLogTail: true });
      assert.deepEqual(one.json, {
        errorType: "Runtime.ExitError",
        errorMessage: `RequestId: ${one.requestId} Error: Runtime exited with error: exit status 7`,
      });
      assert.match(one.tail, /\tStatus: error\tError Type: Runtime\.ExitError\n$/);
      const zero = await bench.call(version, { code: 0 });
      assert.equal(
        zero.json.errorMessage,
        `RequestId: ${zero.requestId} Error: Runtime exited without providing a reason`,
      );
    });

    test("a process killed by a signal names the signal in Go's words", async () => {
      const code = `export const handler = async () => { process.kill(process.pid, "SIGKILL"); await new Promise(() => setTimeout(() => {}, 9e4)); };`;
      const version = await bench.fn({ files: { "index.mjs": code } });
      const answer = await bench.call(version);
      assert.equal(answer.json.errorType, "Runtime.ExitError");
      assert.match(answer.json.errorMessage, /Runtime exited with error: signal: killed$/);
    });

    test("an exit after the answer spoils only the environment", async () => {
      const code = `let n = 0; export const handler = async (e) => { if (e.exit) setTimeout(() => process.exit(3), 20); return ++n; };`;
      const version = await bench.fn({ files: { "index.mjs": code } });
      assert.equal((await bench.call(version, { exit: true })).json, 1);
      await new Promise((resolve) => setTimeout(resolve, 900));
      assert.equal((await bench.call(version)).json, 1);
    });

    test("a failing init is run again inside the first invocation and answers its error", async () => {
      const version = await bench.fn({ files: { "index.mjs": `throw new TypeError("not today");` } });
      const answer = await bench.call(version, {}, { wantLogTail: true });
      assert.equal(answer.functionError, "Unhandled");
      assert.equal(answer.json.errorType, "TypeError");
      assert.equal(answer.json.errorMessage, "not today");
      assert.match(
        answer.tail,
        /INIT_REPORT Init Duration: [\d.]+ ms\tPhase: invoke\tStatus: error\tError Type: Runtime\.Unknown\n/,
      );
      assert.match(answer.tail, /REPORT RequestId: .*\tStatus: error\tError Type: Runtime\.Unknown\n$/);
      await new Promise((resolve) => setTimeout(resolve, 150));
      assert.match(
        bench.logged(),
        /INIT_REPORT Init Duration: [\d.]+ ms\tPhase: init\tStatus: error\tError Type: Runtime\.Unknown\n/,
      );
    });

    test("an init that exits answers Runtime.ExitError", async () => {
      const version = await bench.fn({ files: { "index.mjs": "process.exit(5);" } });
      const answer = await bench.call(version);
      assert.deepEqual(answer.json, {
        errorType: "Runtime.ExitError",
        errorMessage: `RequestId: ${answer.requestId} Error: Runtime exited with error: exit status 5`,
      });
    });

    const needsDisk = kind !== "process" && "an isolated function cannot leave a mark for its second process";

    test(
      "an init that fails once and then works serves the invocation that waited",
      { skip: needsDisk },
      async () => {
        const code = `import { existsSync, writeFileSync } from "node:fs";
        const mark = process.env.LAMBDA_TASK_ROOT + "/mark";
        if (!existsSync(mark)) { writeFileSync(mark, ""); throw new Error("first"); }
        export const handler = async () => "second";`;
        const version = await bench.fn({ files: { "index.mjs": code } });
        const answer = await bench.call(version);
        assert.equal(answer.json, "second");
        assert.equal(answer.initDurationMs, undefined);
      },
    );

    test("the second init stands under the function's timeout", { skip: needsDisk }, async () => {
      const code = `import { existsSync, writeFileSync } from "node:fs";
        const mark = process.env.LAMBDA_TASK_ROOT + "/mark";
        if (!existsSync(mark)) { writeFileSync(mark, ""); throw new Error("first"); }
        await new Promise((resolve) => setTimeout(resolve, 60_000));
        export const handler = async () => "never";`;
      const version = await bench.fn({ files: { "index.mjs": code }, timeoutMs: 1_000 });
      const answer = await bench.call(version, {}, { wantLogTail: true });
      assert.equal(answer.json.errorType, "Sandbox.Timedout");
      assert.match(answer.tail, /INIT_REPORT Init Duration: [\d.]+ ms\tPhase: invoke\tStatus: timeout\n/);
    });

    test("a response of 6 MiB passes, one above the limit is Function.ResponseSizeTooLarge", async () => {
      const version = await bench.fn({
        files: { "index.mjs": `export const handler = async (e) => "x".repeat(e.size);` },
        memoryMb: 1_024,
      });
      const most = await bench.call(version, { size: 6_291_554 });
      assert.equal(most.payload.length, 6_291_556);
      assert.equal(most.functionError, undefined);
      for (const size of [6_291_555, 20_000_000]) {
        const over = await bench.call(version, { size });
        assert.deepEqual(over.json, {
          errorType: "Function.ResponseSizeTooLarge",
          errorMessage: `Response payload size (${size + 2} bytes) exceeded maximum allowed payload size (6291556 bytes).`,
        });
        assert.equal(over.functionError, "Unhandled");
      }
    });

    test("an event of 6 MB arrives whole", async () => {
      const version = await bench.fn({
        files: { "index.mjs": "export const handler = async (e) => [e.text.length, e.text.at(-1)];" },
      });
      const answer = await bench.call(version, { text: `${"x".repeat(6_000_000)}y` });
      assert.deepEqual(answer.json, [6_000_001, "y"]);
    });

    test("an error document is cut at 256 KB", async () => {
      const version = await bench.fn({
        files: {
          "index.mjs": `export const handler = async () => { throw new Error("x".repeat(400_000)); };`,
        },
      });
      const answer = await bench.call(version);
      assert.equal(answer.functionError, "Unhandled");
      assert.equal(answer.payload.length, 262_144);
    });

    test(
      "memory above the limit is Runtime.OutOfMemory",
      { skip: kind === "process" && "a plain process has no memory limit" },
      async () => {
        const code = `export const handler = async () => { const all = []; for (;;) all.push(Buffer.alloc(8_000_000, 1)); };`;
        const version = await bench.fn({ files: { "index.mjs": code }, memoryMb: 128 });
        const answer = await bench.call(version, {}, { wantLogTail: true });
        assert.deepEqual(answer.json, {
          errorType: "Runtime.OutOfMemory",
          errorMessage: `RequestId: ${answer.requestId} Error: Runtime exited with error: signal: killed`,
        });
        assert.match(
          answer.tail,
          /Max Memory Used: 128 MB\t(Init Duration: [\d.]+ ms\t)?Status: error\tError Type: Runtime\.OutOfMemory\n$/,
        );
      },
    );
  });
}

test("the data path on runc", { skip: runcMissing ?? false }, () => {
  assert.ok(kinds.includes("runc"));
});
