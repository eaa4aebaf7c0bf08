/** `awslambda` in the Node.js runtimes: responseStream, HttpResponseStream, and what a streaming handler may do wrong. On plain processes. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { openInvoker } from "./harness.ts";
import { taker } from "./taker.ts";

const bench = await openInvoker("process");
after(() => bench.close());

for (const runtime of ["nodejs20.x", "nodejs22.x", "nodejs24.x", "nodejs26.x"]) {
  const isModern = runtime !== "nodejs20.x" && runtime !== "nodejs22.x";

  const run = async (body: string, options = "", marker = "async ") => {
    const source = `import { Readable, PassThrough } from "node:stream"; import { pipeline } from "node:stream/promises";
      import { once } from "node:events";
      export const handler = awslambda.streamifyResponse(${marker}(event, stream, context) => {${body}}${options});`;
    const version = await bench.fn({ runtime, files: { "index.mjs": source }, timeoutMs: 5_000 });
    const sink = taker();
    const answer = await bench.call(version, {}, { sink, wantLogTail: true });
    return { ...answer, sink, text: sink.text() };
  };

  describe(`${runtime} streams`, () => {
    test("through pipeline, and what is neither text nor bytes as JSON", async () => {
      const piped = await run(
        `await pipeline(Readable.from(["a", "b", Buffer.from("ü")]), new PassThrough(), stream);`,
      );
      assert.equal(piped.text, "abü");
      assert.deepEqual(piped.sink.contentTypes, ["application/octet-stream"]);
      const json = await run(
        `stream.write({ a: 1 }); stream.write(new Uint8Array([33])); stream.write(null); stream.end();`,
      );
      assert.equal(json.text, '{"a":1}!null');
    });

    test("an HTTP answer with its metadata before the body", async () => {
      const answer = await run(
        `stream = awslambda.HttpResponseStream.from(stream, { statusCode: 418, headers: { "x-a": "b" }, cookies: ["c=d"] });
         stream.write("body"); stream.end();`,
      );
      assert.equal(
        answer.text,
        `{"statusCode":418,"headers":{"x-a":"b"},"cookies":["c=d"]}${"\0".repeat(8)}body`,
      );
      assert.deepEqual(answer.sink.contentTypes, ["application/vnd.awslambda.http-integration-response"]);
      const unwritten = await run(`awslambda.HttpResponseStream.from(stream, { statusCode: 204 }).end();`);
      assert.equal(unwritten.text, "");
    });

    test("nothing at all, when it is told to", async () => {
      const answer = await run(`stream.end();`);
      assert.deepEqual([answer.functionError, answer.text], [undefined, ""]);
      assert.deepEqual(answer.sink.contentTypes, ["application/octet-stream"]);
    });

    test("with the high-water mark of its handler", async () => {
      const source = `stream.end(String(stream.writableHighWaterMark));`;
      assert.equal((await run(source, ", { highWaterMark: 7 }")).text, "7");
      // As that Node.js has it.
      assert.equal((await run(source)).text, runtime === "nodejs20.x" ? "16384" : "65536");
    });

    test("no content type after the first write", async () => {
      const answer = await run(`stream.write("a"); stream.setContentType("text/html");`);
      assert.equal(answer.errorType, "Runtime.InvalidStreamingOperation");
      assert.equal(answer.json.errorMessage, "Cannot set content-type, too late.");
      assert.equal(answer.text, "a");
      assert.match(answer.tail, /ERROR\tInvoke Error \t\{"errorType":"Runtime\.InvalidStreamingOperation"/);
    });

    test("nothing after its end, by which the answer is whole", async () => {
      const early = await run(
        `stream.write("a"); stream.end(); stream.write("b"); await once(stream, "close");`,
      );
      assert.deepEqual([early.functionError, early.text], [undefined, "a"]);
      assert.match(early.tail, /Invoke Error .*write after end/);
      const later = await run(
        `stream.end("a"); await stream.finished(); stream.write("b"); await new Promise(setImmediate);`,
      );
      assert.deepEqual([later.functionError, later.text], [undefined, "a"]);
      const thrown = await run(`stream.write("x".repeat(2_000_000)); stream.end(); throw new Error("late");`);
      assert.deepEqual([thrown.functionError, thrown.text.length], [undefined, 2_000_000]);
      assert.match(thrown.tail, /Invoke Error .*"errorMessage":"late"/);
    });

    test("what was written before a failure", async () => {
      const answer = await run(`stream.write("x".repeat(2_000_000)); throw new Error("late");`);
      assert.deepEqual([answer.errorType, answer.text.length], ["Error", 2_000_000]);
      const destroyed = await run(`stream.write("a"); stream.destroy(); await once(stream, "close");`);
      assert.deepEqual([destroyed.errorType, destroyed.text], ["Error", "a"]);
    });

    test("the error of a source that breaks", async () => {
      const answer = await run(
        `await pipeline(async function* () { yield "a"; await new Promise(setImmediate); throw new TypeError("source"); }, stream);`,
      );
      assert.deepEqual([answer.errorType, answer.text], ["TypeError", "a"]);
    });

    test("for handlers that answer a promise, and ignores what they answer", async () => {
      const ignored = await run(`stream.end("a"); return 7;`);
      assert.equal(ignored.text, "a");
      assert.match(ignored.tail, /WARN\tStreaming handlers ignore return values\.\n/);
      const sync = await run(`stream.write("a");`, "", "");
      assert.equal(sync.errorType, isModern ? "Error" : "string");
      assert.equal(sync.json.errorMessage, "Streaming does not support non-async handlers.");
    });

    test("until the handler's process is gone", async () => {
      const answer = await run(
        `stream.write("a"); setImmediate(() => { throw new Error("top"); }); await new Promise(() => {});`,
      );
      assert.equal(answer.errorType, "Runtime.ExitError");
      assert.equal(answer.text, "a");
    });

    test("and goes on with what is left to do, as its runtime does", async () => {
      const source = (set: string) =>
        `${set} setTimeout(() => console.log("background"), 300); stream.end("a");`;
      const waits = await run(source(""));
      assert.equal(waits.text, "a");
      // Node 22 waits until nothing is left; later ones, and Node 22 when told so, come back at once.
      assert.equal(/background[^]*END/.test(waits.tail), !isModern);
      const asked = await run(source("context.callbackWaitsForEmptyEventLoop = false;"));
      assert.doesNotMatch(asked.tail, /background[^]*END/);
    });
  });
}

test("streamifyResponse is not there where the function does not want it", async () => {
  const version = await bench.fn({
    files: { "index.mjs": "export const handler = async () => typeof globalThis.awslambda;" },
    environment: { AWS_LAMBDA_NODEJS_NO_GLOBAL_AWSLAMBDA: "true" },
  });
  assert.equal((await bench.call(version)).json, "undefined");
});
