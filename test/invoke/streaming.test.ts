/** Streamed answers: while they are made, at the caller's pace, cut short, too large, and collected for callers that take them whole. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { INVOKE_LIMITS_DEFAULT } from "../../src/invoke/index.ts";
import { kinds, openInvoker } from "./harness.ts";
import { taker } from "./taker.ts";

/** Its body has `event`, `stream` and `context`. */
const streaming = (body: string) => ({
  files: {
    "index.mjs": `import fs from "node:fs"; import { setTimeout as sleep } from "node:timers/promises";
      export const handler = awslambda.streamifyResponse(async (event, stream, context) => {${body}});`,
  },
});
/** More than fits between the function and a caller that does not read. */
const MUCH = 40_000_000;

for (const kind of kinds) {
  describe(`streamed answers on ${kind}`, async () => {
    // Without the rate of AWS, which would make these tests slow.
    const bench = await openInvoker(kind, {
      streaming: { bytesMax: 209_715_200, burstBytes: 6_291_456, bytesPerSecond: 0 },
    });
    after(() => bench.close());

    test("come with their content type while the handler works", async () => {
      const version = await bench.fn(
        streaming(`stream.setContentType("text/plain");
          stream.write("before ");
          while (!fs.existsSync(process.env.LAMBDA_TASK_ROOT + "/go")) await sleep(5);
          stream.end("after");`),
      );
      const sink = taker();
      const running = bench.call(version, {}, { sink, wantLogTail: true });
      await sink.begun;
      assert.deepEqual([sink.contentTypes, sink.text()], [["text/plain"], "before "]);
      await writeFile(join(version.codeDir, "go"), "");
      const answer = await running;
      assert.equal(sink.text(), "before after");
      assert.deepEqual([answer.payload.length, answer.functionError], [0, undefined]);
      assert.match(answer.tail, /^START .*\nEND RequestId: \S+\nREPORT .*MB\tInit Duration: \S+ ms\t\n$/);
      const whole = await bench.call(version);
      assert.equal(whole.payload.toString(), "before after");
      assert.equal(whole.initDurationMs, undefined);
    });

    for (const runtime of ["nodejs22.x", "nodejs24.x"])
      test(`come from ${runtime} too, an HTTP answer and a failure`, async () => {
        const version = await bench.fn({
          ...streaming(`stream = awslambda.HttpResponseStream.from(stream, { statusCode: 200 });
            stream.write("part"); if (event.fail) throw new TypeError("no more"); stream.end();`),
          runtime,
        });
        const sink = taker();
        assert.equal((await bench.call(version, {}, { sink })).functionError, undefined);
        assert.equal(sink.text(), `{"statusCode":200}${"\0".repeat(8)}part`);
        const answer = await bench.call(version, { fail: true }, { sink: taker() });
        assert.deepEqual([answer.errorType, answer.json.errorMessage], ["TypeError", "no more"]);
      });

    test("wait for a caller that does not take them, and hold up neither the log nor the handler", async () => {
      const version = await bench.fn(
        streaming(`const piece = Buffer.alloc(50_000, "x");
          for (let made = 0; made < ${MUCH}; made += piece.length) {
            stream.write(piece);
            await new Promise(setImmediate);
          }
          console.log("waiting=" + stream.writableLength);
          stream.end();`),
      );
      const sink = taker(true);
      const running = bench.call(version, {}, { sink });
      let waiting;
      while (!(waiting = /waiting=(\d+)/.exec(bench.logged()))) await sleep(20);
      const sent = MUCH - Number(waiting[1]);
      assert.ok(sent < 1_048_576, `${sent} bytes left the function`);
      assert.ok(sink.bytes() <= 65_536, `${sink.bytes()} bytes were handed over`);
      sink.release();
      assert.equal((await running).functionError, undefined);
      assert.equal(sink.bytes(), MUCH);
    });

    test("that fail keep what came before, and the environment its next invocation", async () => {
      const version = await bench.fn(
        streaming(`if (event.write) stream.write("part"); await sleep(1); throw new RangeError("no more");`),
      );
      const late = taker();
      const failed = await bench.call(version, { write: true }, { sink: late });
      assert.deepEqual([failed.functionError, failed.errorType], ["Unhandled", "RangeError"]);
      assert.deepEqual([failed.json.errorType, failed.json.errorMessage], ["RangeError", "no more"]);
      assert.equal(late.text(), "part");
      const early = taker();
      const before = await bench.call(version, {}, { sink: early });
      assert.deepEqual([before.errorType, early.contentTypes, early.text()], ["RangeError", [], ""]);
      const whole = await bench.call(version, { write: true });
      assert.deepEqual([whole.functionError, whole.json.errorMessage], ["Unhandled", "no more"]);
      assert.equal(bench.streams().length >= 1, true);
      assert.equal(whole.initDurationMs, undefined);
    });

    test("end at the function's timeout, with what came before", async () => {
      const version = await bench.fn({ ...streaming(`stream.write("part");`), timeoutMs: 1_000 });
      const sink = taker();
      const answer = await bench.call(version, {}, { sink, wantLogTail: true });
      assert.equal(answer.errorType, "Sandbox.Timedout");
      assert.match(answer.json.errorMessage, /Task timed out after 1\.00 seconds$/);
      assert.equal(sink.text(), "part");
      assert.match(answer.tail, /\tStatus: timeout\n$/);
    });

    test("end at the timeout too when it is the caller who does not take them", async () => {
      const version = await bench.fn({
        ...streaming(`stream.write(Buffer.alloc(2_000_000)); stream.end();`),
        timeoutMs: 1_000,
      });
      const answer = await bench.call(version, {}, { sink: taker(true) });
      assert.equal(answer.errorType, "Sandbox.Timedout");
    });

    test("end with the process", async () => {
      const version = await bench.fn(streaming(`stream.write("part"); await sleep(10); process.exit(7);`));
      const sink = taker();
      const answer = await bench.call(version, {}, { sink });
      assert.equal(answer.errorType, "Runtime.ExitError");
      assert.match(answer.json.errorMessage, /exit status 7$/);
      assert.equal(sink.text(), "part");
    });

    const memory = kind === "process" ? "plain processes have no memory limit" : false;
    test("end when the function has no memory left", { skip: memory }, async () => {
      const version = await bench.fn({
        ...streaming(`stream.write("part"); await sleep(10);
          const hoard = []; for (;;) hoard.push(Buffer.alloc(10_000_000, 1));`),
        memoryMb: 128,
      });
      const sink = taker();
      const answer = await bench.call(version, {}, { sink });
      assert.deepEqual([answer.errorType, sink.text()], ["Runtime.OutOfMemory", "part"]);
    });

    test("collected for a caller that takes them whole may have 6,291,556 bytes", async () => {
      const version = await bench.fn(streaming(`stream.end(Buffer.alloc(event.size, "x"));`));
      assert.equal((await bench.call(version, { size: 6_291_556 })).payload.length, 6_291_556);
      const answer = await bench.call(version, { size: 6_291_557 });
      assert.deepEqual(answer.json, {
        errorType: "Function.ResponseSizeTooLarge",
        errorMessage: "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
      });
      assert.equal((await bench.call(version, { size: 3 })).payload.toString(), "xxx");
    });
  });
}

describe("AWS's own limits of streamed answers", async () => {
  const { bytesMax, burstBytes } = INVOKE_LIMITS_DEFAULT.streaming;
  const bench = await openInvoker("process", { streaming: { bytesMax, burstBytes, bytesPerSecond: 0 } });
  after(() => bench.close());

  test("200 MB and not a byte more", async () => {
    assert.equal(bytesMax, 200 * 1_048_576);
    const version = await bench.fn({
      ...streaming(`const piece = Buffer.alloc(1_048_576);
        for (let made = 0; made < 200; made++)
          if (!stream.write(piece)) await new Promise((resolve) => stream.once("drain", resolve));
        stream.end("x");`),
      timeoutMs: 120_000,
    });
    let bytes = 0;
    const sink = { start() {}, write: (more: Buffer) => void (bytes += more.length) };
    const answer = await bench.call(version, {}, { sink });
    assert.equal(bytes, bytesMax);
    assert.deepEqual(answer.json, {
      errorType: "Function.ResponseSizeTooLarge",
      errorMessage: "Response payload size exceeded maximum allowed payload size (209715200 bytes).",
    });
  });
});

describe("limits of streamed answers", async () => {
  const streamLimits = { bytesMax: 1_000_000, burstBytes: 100_000, bytesPerSecond: 2_000_000 };
  const bench = await openInvoker("process", { streaming: streamLimits });
  after(() => bench.close());
  const sized = await bench.fn(
    streaming(`for (let left = event.size; left > 0; left -= 50_000)
        if (!stream.write(Buffer.alloc(Math.min(left, 50_000)))) await new Promise((resolve) => stream.once("drain", resolve));
      stream.end();`),
  );

  test("an answer above the largest size is cut there, and told to be too large", async () => {
    const exact = taker();
    assert.equal((await bench.call(sized, { size: 1_000_000 }, { sink: exact })).functionError, undefined);
    assert.equal(exact.bytes(), 1_000_000);
    const above = taker();
    const answer = await bench.call(sized, { size: 1_000_001 }, { sink: above, wantLogTail: true });
    assert.equal(above.bytes(), 1_000_000);
    assert.equal(answer.errorType, "Function.ResponseSizeTooLarge");
    assert.match(answer.json.errorMessage, /\(1000000 bytes\)\.$/);
    assert.match(answer.tail, /Status: error\tError Type: Function\.ResponseSizeTooLarge\n$/);
  });

  test("what is above the burst goes out at the rate", async () => {
    const sink = taker();
    const answer = await bench.call(sized, { size: 900_000 }, { sink });
    assert.equal(sink.bytes(), 900_000);
    // 800,000 bytes take 400 ms, less the last write, which may overdraw. A loaded machine only makes it longer.
    assert.ok(answer.durationMs > 350, `${answer.durationMs} ms`);
  });

  test("the log tells how much was made", async () => {
    const version = await bench.fn({
      ...streaming(`stream.write("12345"); stream.end("678");`),
      logFormat: "JSON",
      systemLogLevel: "DEBUG",
    });
    const answer = await bench.call(version, {}, { sink: taker(), wantLogTail: true });
    assert.match(
      answer.tail,
      /"type":"platform\.runtimeDone".*"name":"responseLatency".*"name":"responseDuration".*"producedBytes":8/,
    );
  });
});
