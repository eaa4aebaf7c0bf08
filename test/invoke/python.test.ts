/** The Python runtimes that this machine has: handlers, context, errors, print and logging. On plain processes. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { openInvoker, runtimes } from "./harness.ts";

const wanted = [
  "python3.8",
  "python3.9",
  "python3.10",
  "python3.11",
  "python3.12",
  "python3.13",
  "python3.14",
  "python3.15",
];
const here: string[] = [];
for (const identifier of wanted) {
  const found = await runtimes.find(identifier);
  if (found.status === "ready") here.push(identifier);
  else console.log(`# SKIPPED ${identifier}: ${found.status === "refused" ? found.reason : found.status}`);
}
const bench = await openInvoker("process");
after(() => bench.close());

async function answerOf(runtime: string, code: string, handler = "app.handler", event: unknown = {}) {
  const version = await bench.fn({ files: { "app.py": code }, runtime, handler });
  return bench.call(version, event, { wantLogTail: true });
}

for (const runtime of here) {
  describe(runtime, () => {
    test("runs the real version", async () => {
      const { json } = await answerOf(
        runtime,
        "import sys, os\ndef handler(e, c):\n  return ['python%d.%d' % sys.version_info[:2], os.environ['AWS_EXECUTION_ENV'], sys.path[0]]\n",
      );
      assert.deepEqual(json.slice(0, 2), [runtime, `AWS_Lambda_${runtime}`]);
      assert.match(json[2], /function-\d+$/);
    });

    test("answers in the JSON that AWS's runtime writes", async () => {
      const code =
        "from decimal import Decimal\ndef handler(e, c):\n  return {'e': e, 'd': Decimal('3.10000000000000000001'), 'n': None}\n";
      const answer = await answerOf(runtime, code, "app.handler", { ü: [1.5, true] });
      const escaped = Number(runtime.split(".")[1]) < 12 ? "\\u00fc" : "ü";
      assert.equal(
        answer.payload.toString(),
        `{"e": {"${escaped}": [1.5, true]}, "d": 3.10000000000000000001, "n": null}`,
      );
    });

    test("an exception is a document with AWS's members", async () => {
      const { json, tail, requestId, functionError } = await answerOf(
        runtime,
        "def handler(e, c):\n  raise KeyError('a')\n",
      );
      assert.equal(functionError, "Unhandled");
      assert.deepEqual(Object.keys(json), ["errorMessage", "errorType", "requestId", "stackTrace"]);
      assert.deepEqual([json.errorMessage, json.errorType, json.requestId], ["'a'", "KeyError", requestId]);
      assert.equal(json.stackTrace.length, 1);
      assert.match(
        json.stackTrace[0],
        /^ {2}File ".*app\.py", line 2, in handler\n {4}raise KeyError\('a'\)\n/,
      );
      assert.match(
        tail,
        /\[ERROR\] KeyError: 'a'\nTraceback \(most recent call last\):\n\u00a0\u00a0File ".*", line 2, in handler\n/,
      );
    });

    test("loading errors have AWS's names and come with each invocation", async () => {
      const CASES: [code: string, handler: string, type: string, message: RegExp][] = [
        [
          "",
          "missing.handler",
          "Runtime.ImportModuleError",
          /^Unable to import module 'missing': No module named 'missing'$/,
        ],
        [
          "import nothing_here",
          "app.handler",
          "Runtime.ImportModuleError",
          /^Unable to import module 'app': No module named 'nothing_here'$/,
        ],
        ["x = 1", "app.handler", "Runtime.HandlerNotFound", /^Handler 'handler' missing on module 'app'$/],
        [
          "",
          "handler",
          "Runtime.MalformedHandlerName",
          /^Bad handler 'handler': not enough values to unpack/,
        ],
        ["def (", "app.handler", "Runtime.UserCodeSyntaxError", /^Syntax error in module 'app': /],
        [
          "",
          "sys.exit",
          "Runtime.BuiltInModuleConflict",
          /^Cannot use built-in module sys as a handler module$/,
        ],
      ];
      for (const [code, handler, type, message] of CASES) {
        const { json, requestId } = await answerOf(runtime, code, handler);
        assert.equal(json.errorType, type);
        assert.match(json.errorMessage, message);
        assert.equal(json.requestId, requestId);
      }
    });

    test("an exception while loading is an init error", async () => {
      const { json, functionError } = await answerOf(runtime, "raise ValueError('early')\n");
      assert.deepEqual(
        [json.errorType, json.errorMessage, functionError],
        ["ValueError", "early", "Unhandled"],
      );
    });

    test("a result that is no JSON is Runtime.MarshalError; bytes pass as they are", async () => {
      const { json } = await answerOf(runtime, "def handler(e, c):\n  return {1, 2}\n");
      assert.equal(json.errorType, "Runtime.MarshalError");
      assert.equal(
        json.errorMessage,
        "Unable to marshal response: Object of type set is not JSON serializable",
      );
      const bytes = await answerOf(runtime, "def handler(e, c):\n  return b'[1,2]'\n");
      assert.equal(bytes.payload.toString(), "[1,2]");
    });

    test("sys.exit in the handler ends the runtime", async () => {
      const { json, requestId } = await answerOf(runtime, "import sys\ndef handler(e, c):\n  sys.exit(4)\n");
      assert.deepEqual(json, {
        errorType: "Runtime.ExitError",
        errorMessage: `RequestId: ${requestId} Error: Runtime exited with error: exit status 4`,
      });
    });

    test("folders, packages and layers are importable", async () => {
      const version = await bench.fn({
        files: {
          "pkg/mod.py": "from pkg import other\ndef handler(e, c):\n  return other.x\n",
          "pkg/other.py": "x = 9\n",
        },
        runtime,
        handler: "pkg/mod.handler",
      });
      assert.equal((await bench.call(version)).json, 9);
      const layer = await bench.fn({ files: { "python/layered.py": "y = 8\n" } });
      const user = await bench.fn({
        files: { "app.py": "import layered\ndef handler(e, c):\n  return layered.y\n" },
        runtime,
        handler: "app.handler",
        optDir: layer.codeDir,
      });
      assert.equal((await bench.call(user)).json, 8);
    });

    test("the context object is whole", async () => {
      const code = `def handler(e, c):
  return [c.function_name, c.function_version, c.memory_limit_in_mb, c.invoked_function_arn, c.aws_request_id, c.log_group_name,
    c.log_stream_name, c.get_remaining_time_in_millis(), c.client_context.custom, c.client_context.client.app_title,
    c.identity.cognito_identity_id, c.tenant_id, repr(c)[:15]]
`;
      const version = await bench.fn({
        files: { "app.py": code },
        runtime,
        handler: "app.handler",
        timeoutMs: 5_000,
        memoryMb: 256,
      });
      const clientContext = '{"client":{"app_title":"x"},"custom":{"a":"ü"},"env":{}}';
      const { json, requestId } = await bench.call(version, {}, { clientContext });
      assert.deepEqual(json.slice(0, 6), [
        version.functionName,
        "$LATEST",
        "256",
        version.functionArn,
        requestId,
        version.logGroup,
      ]);
      assert.match(json[6], /\[\$LATEST\][0-9a-f]{32}$/);
      assert.ok(json[7] > 3_000 && json[7] <= 5_000);
      assert.deepEqual(json.slice(8), [{ a: "ü" }, "x", null, null, "LambdaContext(["]);
    });

    test("print, logging and a child's output are logged between START and END", async () => {
      const code = `import logging, sys, subprocess
def handler(e, c):
  print("one"); print("two", file=sys.stderr)
  logging.getLogger().setLevel("INFO")
  logging.info("three\\nlines %s", 4)
  logging.getLogger("x").error("five")
  c.log("six\\n")
  sys.stdout.buffer.write(b"seven\\n")
  subprocess.check_call(["/bin/echo", "child"])
`;
      const { tail, requestId } = await answerOf(runtime, code);
      const lines = tail.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<time>").replaceAll(requestId, "<id>");
      const body =
        "one\ntwo\n[INFO]\t<time>\t<id>\tthree\nlines 4\n[ERROR]\t<time>\t<id>\tfive\nsix\nseven\n";
      assert.equal(
        lines.replace("child\n", "").replace(/END[\s\S]*/, ""),
        `START RequestId: <id> Version: $LATEST\n${body}`,
      );
      assert.ok(lines.indexOf("child\n") > 0 && lines.indexOf("child\n") < lines.indexOf("END RequestId"));
    });

    test("with LogFormat JSON, logging writes objects", async () => {
      const code = `import logging
def handler(e, c):
  logging.debug("no"); logging.info("hi %s", 1, extra={"more": [2]})
  try:
    1 / 0
  except ZeroDivisionError:
    logging.exception("bad")
  raise RuntimeError("end")
`;
      const version = await bench.fn({
        files: { "app.py": code },
        runtime,
        handler: "app.handler",
        logFormat: "JSON",
      });
      const { tail, requestId } = await bench.call(version, {}, { wantLogTail: true });
      const [start, info, bad, end, report] = tail
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      assert.deepEqual(
        [start.type, report.type, report.record.requestId],
        ["platform.start", "platform.report", requestId],
      );
      const { timestamp, ...rest } = info;
      assert.match(timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      assert.deepEqual(rest, { level: "INFO", message: "hi 1", logger: "root", requestId, more: [2] });
      assert.deepEqual(
        [bad.level, bad.errorType, bad.errorMessage],
        ["ERROR", "ZeroDivisionError", "division by zero"],
      );
      assert.match(bad.location, /app\.py:handler:\d+$/);
      assert.deepEqual([end.log_level, end.errorType, end.requestId], ["ERROR", "RuntimeError", requestId]);
    });

    test("the trace header is in the environment during its invocation", async () => {
      const code = "import os\ndef handler(e, c):\n  return os.environ.get('_X_AMZN_TRACE_ID')\n";
      const version = await bench.fn({ files: { "app.py": code }, runtime, handler: "app.handler" });
      assert.equal((await bench.call(version, {}, { traceHeader: "Root=1-a-b" })).json, "Root=1-a-b");
      assert.equal((await bench.call(version)).json, null);
    });

    test("a response above the limit is Function.ResponseSizeTooLarge", async () => {
      const { json } = await answerOf(runtime, "def handler(e, c):\n  return 'x' * 7000000\n");
      assert.equal(json.errorType, "Function.ResponseSizeTooLarge");
      assert.match(json.errorMessage, /^Response payload size \(7000002 bytes\)/);
    });

    test("boto3 is there", async () => {
      const { json } = await answerOf(
        runtime,
        "import boto3\ndef handler(e, c):\n  return boto3.client('s3').meta.endpoint_url\n",
      );
      assert.equal(json, "http://127.0.0.1:4999");
    });
  });
}

const missing = wanted.find((identifier) => !here.includes(identifier));
if (missing === undefined) console.log("# SKIPPED the refusal of a Python: all of them are here");
else
  test("a Python that this machine lacks is refused by name, with what to install", async () => {
    const found = await runtimes.find(missing);
    assert.equal(found.status, "refused");
    assert.ok(
      found.status === "refused" &&
        found.reason.includes(missing) &&
        /install Python 3\.\d+/.test(found.reason),
    );
  });
