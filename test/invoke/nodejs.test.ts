/** The Node.js runtimes: handler forms, context, errors, console, module resolution. On plain processes; isolation changes none of it. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { openInvoker, region } from "./harness.ts";

const RUNTIMES = ["nodejs20.x", "nodejs22.x", "nodejs24.x", "nodejs26.x"];
const bench = await openInvoker("process");
after(() => bench.close());

async function answerOf(
  runtime: string,
  files: Record<string, string>,
  handler = "index.handler",
  event: unknown = {},
) {
  const version = await bench.fn({ files, runtime, handler });
  return bench.call(version, event, { wantLogTail: true });
}

for (const runtime of RUNTIMES) {
  const major = Number(runtime.slice("nodejs".length, -2));
  const isModern = major >= 24;

  describe(runtime, () => {
    test("runs the real version and says so", async () => {
      const answer = await answerOf(runtime, {
        "index.mjs": "export const handler = async () => [process.version, process.env.AWS_EXECUTION_ENV];",
      });
      assert.match(answer.json[0], new RegExp(`^v${major}\\.`));
      assert.equal(answer.json[1], `AWS_Lambda_${runtime}`);
    });

    test("shows a function the runtime's module as AWS's: an ES module that nobody required", async () => {
      const answer = await answerOf(runtime, {
        "index.cjs": `const seen = [require("node:path").basename(process.argv[1]), typeof require.main, typeof process.mainModule,
          Object.keys(require.cache).map((each) => require("node:path").basename(each)), (function () { return typeof this; })()];
          exports.handler = async () => seen;`,
      });
      assert.deepEqual(answer.json, ["index.mjs", "undefined", "undefined", ["index.cjs"], "object"]);
      const [parent] = (
        await answerOf(runtime, {
          "index.cjs": `exports.handler = async () => [module.parent?.filename];`,
        })
      ).json;
      assert.match(parent, /\/index\.mjs$/);
    });

    const answers = `"ok"`;
    const FORMS: Record<string, [files: Record<string, string>, handler: string]> = {
      "CommonJS in .js": [{ "index.js": `exports.handler = async () => ${answers};` }, "index.handler"],
      "CommonJS in .cjs": [{ "index.cjs": `exports.handler = async () => ${answers};` }, "index.handler"],
      "an ES module in .mjs": [
        { "index.mjs": `export const handler = async () => ${answers};` },
        "index.handler",
      ],
      "an ES module by package.json": [
        { "index.js": `export const handler = async () => ${answers};`, "package.json": '{"type":"module"}' },
        "index.handler",
      ],
      "an ES module by its syntax": [
        { "index.js": `export const handler = async () => ${answers};` },
        "index.handler",
      ],
      "top-level await": [
        { "index.mjs": `const a = await Promise.resolve(${answers}); export const handler = async () => a;` },
        "index.handler",
      ],
      "top-level await in a .js without a type": [
        { "index.js": `const a = await Promise.resolve(${answers}); export const handler = async () => a;` },
        "index.handler",
      ],
      "a folder and a nested export": [
        { "src/app/main.js": `exports.api = { users: { get: async () => ${answers} } };` },
        "src/app/main.api.users.get",
      ],
      "an installed module": [
        {
          "node_modules/lib/index.js": `exports.handler = async () => ${answers};`,
          "node_modules/lib/package.json": "{}",
        },
        "lib.handler",
      ],
      "a handler that is no async function": [
        { "index.js": `exports.handler = () => Promise.resolve(${answers});` },
        "index.handler",
      ],
    };
    for (const [form, [files, handler]] of Object.entries(FORMS))
      test(`loads ${form}`, async () => {
        const answer = await answerOf(runtime, files, handler);
        assert.equal(answer.payload.toString(), '"ok"');
      });

    test("undefined is null, and what JSON cannot hold is an error", async () => {
      const nothing = await answerOf(runtime, { "index.mjs": "export const handler = async () => {};" });
      assert.equal(nothing.payload.toString(), "null");
      const big = await answerOf(runtime, { "index.mjs": "export const handler = async () => 1n;" });
      assert.equal(big.json.errorType, "Runtime.JSONStringifyError");
      assert.equal(big.json.errorMessage, "Unable to stringify response body");
    });

    test("loading errors have AWS's names", async () => {
      const CASES: [files: Record<string, string>, handler: string, type: string, message: RegExp][] = [
        [
          {},
          "index.handler",
          "Runtime.ImportModuleError",
          /^Error: Cannot find module 'index'\nRequire stack:\n- .*index\.mjs$/,
        ],
        [
          { "index.js": "exports.a = 1;" },
          "index.handler",
          "Runtime.HandlerNotFound",
          /^index\.handler is undefined or not exported$/,
        ],
        [
          { "index.js": "exports.handler = 1;" },
          "index.handler",
          "Runtime.HandlerNotFound",
          /^index\.handler is not a function$/,
        ],
        [
          { "index.js": "exports.handler = " },
          "index.handler",
          "Runtime.UserCodeSyntaxError",
          /^SyntaxError: Unexpected end of input/,
        ],
        [{ "index.js": "" }, "index", "Runtime.MalformedHandlerName", /^Bad handler$/],
        [
          { "index.js": "" },
          "../index.handler",
          "Runtime.MalformedHandlerName",
          /is not a valid handler name/,
        ],
        [
          {
            "index.js":
              'exports.handler = async () => {}; exports.handler[Symbol.for("aws.lambda.runtime.handler.streaming")] = "request";',
          },
          "index.handler",
          "Runtime.MalformedStreamingHandler",
          /^Only response streaming is supported\.$/,
        ],
      ];
      for (const [files, handler, type, message] of CASES) {
        const answer = await answerOf(runtime, { "x.txt": "", ...files }, handler);
        assert.equal(answer.json.errorType, type);
        assert.match(answer.json.errorMessage, message);
        assert.equal(answer.functionError, "Unhandled");
      }
    });

    test("the context object is whole", async () => {
      const code = `export const handler = async (e, c) => ({
        ...c, keys: Object.keys(c).filter((k) => typeof c[k] === "function").sort(), remaining: c.getRemainingTimeInMillis() });`;
      const version = await bench.fn({
        files: { "index.mjs": code },
        runtime,
        memoryMb: 256,
        timeoutMs: 5_000,
      });
      const clientContext = '{"client":{"app_title":"x"},"custom":{"a":"ü"},"env":{}}';
      const { json, requestId } = await bench.call(version, {}, { clientContext });
      assert.equal(json.functionName, version.functionName);
      assert.equal(json.functionVersion, "$LATEST");
      assert.equal(json.memoryLimitInMB, "256");
      assert.equal(json.invokedFunctionArn, version.functionArn);
      assert.equal(json.awsRequestId, requestId);
      assert.equal(json.logGroupName, version.logGroup);
      assert.match(json.logStreamName, /^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][0-9a-f]{32}$/);
      assert.deepEqual(json.clientContext, JSON.parse(clientContext));
      assert.ok(json.remaining > 3_000 && json.remaining <= 5_000);
      assert.deepEqual(json.keys, [
        ...(isModern ? [] : ["done", "fail"]),
        "getRemainingTimeInMillis",
        ...(isModern ? [] : ["succeed"]),
      ]);
      assert.equal(json.callbackWaitsForEmptyEventLoop, isModern ? undefined : true);
    });

    test("the trace header is in the environment during its invocation", async () => {
      const version = await bench.fn({
        files: { "index.mjs": "export const handler = async () => process.env._X_AMZN_TRACE_ID ?? null;" },
        runtime,
      });
      const traceHeader = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1";
      assert.equal((await bench.call(version, {}, { traceHeader })).json, traceHeader);
      assert.equal((await bench.call(version)).json, null);
    });

    test("console and the standard streams are logged in order, in AWS's format", async () => {
      const code = `import { execFileSync } from "node:child_process";
        export const handler = async () => {
          console.log("one\\ntwo", { a: 1 }); console.warn("w"); console.error(new Error("bad").message); console.debug("d"); console.trace("t");
          process.stdout.write("raw "); process.stdout.write("line\\n"); process.stderr.write("err\\n");
          execFileSync("/bin/echo", ["child"], { stdio: "inherit" });
        };`;
      const { tail, requestId } = await answerOf(runtime, { "index.mjs": code });
      const lines = tail.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<time>").replaceAll(requestId, "<id>");
      const start = "START RequestId: <id> Version: $LATEST\n";
      const body = ["INFO\tone\ntwo { a: 1 }", "WARN\tw", "ERROR\tbad", "DEBUG\td", "TRACE\tt"];
      assert.ok(
        lines.startsWith(start + body.map((line) => `<time>\t<id>\t${line}\n`).join("") + "raw line\nerr\n"),
        lines,
      );
      // A child's own writes take another way: between START and END, at a place of their own.
      assert.ok(lines.indexOf("child\n") < lines.indexOf("END RequestId"), lines);
    });

    test("what is logged right before an exit is not lost", async () => {
      const code = `export const handler = async () => { for (let i = 0; i < 2000; i++) console.log(i + "x".repeat(500)); process.exit(1); };`;
      const { tail } = await answerOf(runtime, { "index.mjs": code });
      assert.match(tail, /\tINFO\t1999x+\nEND /);
    });

    test("with LogFormat JSON, console writes objects from its level on", async () => {
      const code = `export const handler = async () => { console.debug("no"); console.log("hi", 1); console.error(new RangeError("r")); console.info({ a: 1 }); };`;
      const version = await bench.fn({
        files: { "index.mjs": code },
        runtime,
        logFormat: "JSON",
        applicationLogLevel: "INFO",
      });
      const { tail, requestId } = await bench.call(version, {}, { wantLogTail: true });
      const lines = tail
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      assert.deepEqual(
        lines.map((line) => line.type ?? line.level),
        ["platform.start", "INFO", "ERROR", "INFO", "platform.report"],
      );
      assert.deepEqual(Object.keys(lines[1]), ["timestamp", "level", "requestId", "message"]);
      assert.deepEqual([lines[1].message, lines[1].requestId], ["hi 1", requestId]);
      assert.equal(lines[2].message.errorType, "RangeError");
      assert.deepEqual(lines[3].message, { a: 1 });
    });

    test("the AWS SDK is there for CommonJS and ES modules, and the function's own copy wins", async () => {
      const commonJs = await answerOf(runtime, {
        "index.js": `exports.handler = async () => require("@aws-sdk/client-s3").S3Client.name;`,
      });
      assert.equal(commonJs.json, "S3Client");
      const esm = await answerOf(runtime, {
        "index.mjs": `import { S3Client } from "@aws-sdk/client-s3"; export const handler = async () => S3Client.name;`,
      });
      assert.equal(esm.json, "S3Client");
      const own = await answerOf(runtime, {
        "index.mjs": `import { S3Client } from "@aws-sdk/client-s3"; export const handler = async () => S3Client;`,
        "node_modules/@aws-sdk/client-s3/index.js": `exports.S3Client = "mine";`,
        "node_modules/@aws-sdk/client-s3/package.json": "{}",
      });
      assert.equal(own.json, "mine");
    });

    test("the SDK is told where Lambent is", async () => {
      const code = `import { S3Client } from "@aws-sdk/client-s3";
        export const handler = async () => { const c = new S3Client({}); const e = await c.config.endpoint?.() ?? null;
          return [process.env.AWS_ENDPOINT_URL, await c.config.region(), (await c.config.credentials()).sessionToken, e?.port ?? null]; };`;
      const { json } = await answerOf(runtime, { "index.mjs": code });
      assert.deepEqual(json.slice(0, 3), ["http://127.0.0.1:4999", region, "token"]);
    });

    test("an uncaught exception and an unhandled rejection end as on AWS", async () => {
      const thrown = `export const handler = async () => { setTimeout(() => { throw new TypeError("late"); }, 1); await new Promise((r) => setTimeout(r, 5_000)); };`;
      const rejected = `export const handler = async () => { Promise.reject(new TypeError("late")); await new Promise((r) => setTimeout(r, 5_000)); };`;
      const one = await answerOf(runtime, { "index.mjs": thrown });
      const two = await answerOf(runtime, { "index.mjs": rejected });
      if (isModern) {
        for (const answer of [one, two])
          assert.equal(
            answer.json.errorMessage,
            `RequestId: ${answer.requestId} Error: Runtime exited with error: exit status 1`,
          );
        assert.match(one.tail, /TypeError: late/);
      } else {
        assert.deepEqual([one.json.errorType, one.json.errorMessage], ["TypeError", "late"]);
        assert.match(
          one.tail,
          /\tERROR\tUncaught Exception \t\{"errorType":"TypeError","errorMessage":"late","stack":\[/,
        );
        assert.deepEqual(
          [two.json.errorType, two.json.errorMessage],
          ["Runtime.UnhandledPromiseRejection", "TypeError: late"],
        );
        assert.match(two.tail, /Unhandled Promise Rejection/);
      }
    });

    if (isModern) {
      test("callback handlers are refused", async () => {
        const { json } = await answerOf(runtime, {
          "index.js": "exports.handler = (e, c, cb) => cb(null, 1);",
        });
        assert.equal(json.errorType, "Runtime.CallbackHandlerDeprecated");
        assert.match(
          json.errorMessage,
          /^ERROR: AWS Lambda has removed support for callback-based function handlers/,
        );
      });

      test("a plain value is an answer; a promise that never settles ends the process", async () => {
        const plain = await answerOf(runtime, { "index.js": "exports.handler = () => 5;" });
        assert.equal(plain.json, 5);
        const never = await answerOf(runtime, {
          "index.js": "exports.handler = () => new Promise(() => {});",
        });
        assert.match(never.json.errorMessage, /Error: Runtime exited without providing a reason$/);
      });
    } else legacyTests(runtime);
  });
}

function legacyTests(runtime: string): void {
  test("callback, done, succeed and fail answer", async () => {
    const BODIES: [body: string, payload: string | RegExp][] = [
      ["(e, c, cb) => cb(null, 1)", "1"],
      ["(e, c, cb) => { setTimeout(() => cb(null, 2), 5); }", "2"],
      ["(e, c) => c.succeed(3)", "3"],
      ["(e, c) => c.done(null, 4)", "4"],
      [
        "(e, c) => c.fail(new RangeError('no'))",
        /^\{"errorType":"RangeError","errorMessage":"no","trace":\[/,
      ],
      ["(e, c) => c.fail()", /^\{"errorType":"string","errorMessage":"handled","trace":\[\]\}$/],
      ["(e, c, cb) => cb('text')", /^\{"errorType":"string","errorMessage":"text","trace":\[\]\}$/],
      ["(e, c, cb) => { cb(null, 1); cb(null, 2); }", /^[12]$/],
      ["() => {}", "null"],
      ["() => new Promise(() => {})", "null"],
      ["() => 5", "null"],
      ["(e, c, cb) => { throw new Error('sync'); }", /"errorMessage":"sync"/],
    ];
    for (const [body, payload] of BODIES) {
      const answer = await answerOf(runtime, { "index.js": `exports.handler = ${body};` });
      if (typeof payload === "string") assert.equal(answer.payload.toString(), payload, body);
      else assert.match(answer.payload.toString(), payload);
    }
  });

  test("a callback waits for the event loop to empty, unless it is told not to", async () => {
    const code = `exports.handler = (e, c, cb) => { c.callbackWaitsForEmptyEventLoop = e.wait; setTimeout(() => {}, e.ms); cb(null, "done"); };`;
    const version = await bench.fn({ files: { "index.js": code }, runtime });
    const waited = await bench.call(version, { wait: true, ms: 300 });
    assert.ok(waited.durationMs >= 295, `${waited.durationMs} ms`);
    const quick = await bench.call(version, { wait: false, ms: 4_000 });
    assert.ok(quick.durationMs < 3_500, `${quick.durationMs} ms`);
    assert.deepEqual([waited.json, quick.json], ["done", "done"]);
  });
}
