/** The .NET runtimes that this machine has: class libraries and executables, context, answers, errors, logs, layers, wrappers. */
import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { dotnetsHere, published } from "./dotnet-code.ts";
import { eventually, kindsWithGvisor, openInvoker } from "./harness.ts";
import type { FunctionInput, TestInvoker } from "./harness.ts";

const HANDLERS = new URL("dotnet-handlers/Handlers.cs", import.meta.url);
const PROGRAM = new URL("dotnet-handlers/Program.cs", import.meta.url);

if (dotnetsHere.length > 0) {
  const kinds = await kindsWithGvisor();
  // All of one version where functions usually run; what another .NET or another kernel might do otherwise of the others.
  const usual = kinds.includes("runc") ? "runc" : "process";
  for (const [at, runtime] of dotnetsHere.entries()) {
    const library = await published(runtime, "Handlers", "library", [HANDLERS]);
    const program = await published(runtime, "Program", "exe", [PROGRAM]);
    for (const kind of at === 0 ? kinds : (["process"] as const))
      describe(`${runtime} on ${kind}`, () =>
        suite(kind, runtime, { library, program }, at === 0 && kind === usual));
  }
}

type Files = Record<string, Buffer | string>;

function suite(
  kind: "process" | "runc" | "runsc",
  runtime: string,
  { library, program }: { readonly library: Files; readonly program: Files },
  isWhole: boolean,
): void {
  let bench: TestInvoker;
  before(async () => {
    bench = await openInvoker(kind);
  });
  after(() => bench.close());
  const fn = (method = "Handlers::Handle", more: Partial<FunctionInput> = {}) =>
    bench.fn({
      runtime,
      memoryMb: 512,
      timeoutMs: 30_000,
      ...more,
      files: { ...library, ...more.files },
      handler: `Handlers::Test.${method}`,
    });

  test("a class library: the real version, AWS's variables, the context, one object for all invocations", async () => {
    const version = await fn(undefined, { environment: { OWN: "ü" } });
    const environment = (await bench.call(version, { do: "environment" })).json;
    assert.match(environment.version, /^\d+\.\d+\.\d+$/);
    const { AWS_EXECUTION_ENV, _HANDLER, TZ, LANG, AWS_ACCESS_KEY_ID, OWN } = environment;
    assert.deepEqual(
      [AWS_EXECUTION_ENV, _HANDLER, TZ, LANG, AWS_ACCESS_KEY_ID, OWN],
      [`AWS_Lambda_${runtime}`, "Handlers::Test.Handlers::Handle", ":UTC", "en_US.UTF-8", "ASIATEST", "ü"],
    );
    assert.equal(environment.directory, environment.LAMBDA_TASK_ROOT);
    assert.equal(environment.DOTNET_VERSION.split(".")[0], /\d+$/.exec(runtime)?.[0]);
    if (kind !== "process") assert.equal(environment.DOTNET_ROOT, "/var/lang/bin");
    // AWS's client tells the collector how much there is.
    assert.ok(Number(environment.heap) <= 512 * 2 ** 20, environment.heap);

    const clientContext = '{"client":{"app_title":"x"},"custom":{"a":"ü"},"env":{}}';
    const { json, requestId } = await bench.call(version, { do: "context" }, { clientContext });
    const { stream, remaining, ...told } = json;
    assert.deepEqual(told, {
      name: version.functionName,
      version: "$LATEST",
      memory: 512,
      arn: version.functionArn,
      id: requestId,
      group: version.logGroup,
      client: "xü",
    });
    assert.match(stream, /\[\$LATEST\][0-9a-f]{32}$/);
    assert.ok(remaining > 20_000 && remaining <= 30_000, String(remaining));
    const traced = await bench.call(version, { do: "trace" }, { traceHeader: "Root=1-a-b" });
    assert.equal(traced.json, "Root=1-a-b");
    if (kind !== "process") assert.equal((await bench.call(version, { do: "write", text: "é" })).json, "é");
    else await bench.call(version);
    assert.equal((await bench.call(version)).json, 5);
  });

  test("an error is a document with AWS's members and lines in the log, and the process goes on", async () => {
    const version = await fn();
    assert.equal((await bench.call(version)).json, 1);
    const { json, functionError, tail } = await bench.call(version, { do: "fail" }, { wantLogTail: true });
    assert.equal(functionError, "Unhandled");
    assert.deepEqual(Object.keys(json), ["errorType", "errorMessage", "stackTrace", "cause"]);
    assert.deepEqual([json.errorType, json.errorMessage], ["InvalidOperationException", "bad \u{2603}"]);
    assert.match(json.stackTrace[0], /^at Test\.Handlers\.Handle\(Request request, ILambdaContext context\)/);
    assert.deepEqual([json.cause.errorType, json.cause.errorMessage], ["ArgumentException", "the cause"]);
    assert.match(
      tail,
      /START .*\n\S+Z\t\S+\tfail\tSystem\.InvalidOperationException: bad \u{2603}\n.*\nEND/su,
    );
    // Message and trace are one event.
    const traced = /\tfail\tSystem\.InvalidOperationException: bad \u{2603}\n.*at Test\.Handlers\.Handle/su;
    await eventually(() =>
      bench.streams().some((one) => bench.linesOf(one).some((line) => traced.test(line))),
    );
    assert.equal((await bench.call(version)).json, 3);
  });

  test("an executable brings AWS's client, and needs nothing of ours", async () => {
    const version = await bench.fn({ runtime, handler: "Program", files: program, timeoutMs: 30_000 });
    const { json } = await bench.call(version, "Ada");
    assert.equal(json, `hello Ada from ${version.functionName}`);
  });

  if (!isWhole) return;

  test("an event of 6 MB arrives whole, and a response above the limit is Function.ResponseSizeTooLarge", async () => {
    const version = await fn(undefined, { memoryMb: 1_024 });
    const { json } = await bench.call(version, { do: "length", text: `${"x".repeat(6_000_000)}é` });
    assert.equal(json, 6_000_001);
    const most = await bench.call(version, { do: "size", size: 6_291_554 });
    assert.deepEqual([most.payload.length, most.functionError], [6_291_556, undefined]);
    const over = await bench.call(version, { do: "size", size: 6_291_555 });
    assert.equal(over.json.errorType, "Function.ResponseSizeTooLarge");
  });

  test("lines have their time, request and level; as JSON they are objects, from the function's level on", async () => {
    const { tail, requestId } = await bench.call(await fn(), { do: "log" }, { wantLogTail: true });
    const lines = tail
      .split("\n")
      .filter((line) => line.includes("\t") && !line.startsWith("REPORT"))
      .map((line) => line.replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z\t/, ""));
    // Standard error is another pipe, whose lines may come sooner or later.
    assert.deepEqual(lines.sort(), [
      `${requestId}\tfail\terr line`,
      `${requestId}\tinfo\tinformed`,
      `${requestId}\tinfo\tout line`,
      `${requestId}\twarn\twarned`,
    ]);
    assert.ok(tail.includes("\nbytes\n"), tail);

    const json = await fn(undefined, { logFormat: "JSON", applicationLogLevel: "ERROR" });
    const answer = await bench.call(json, { do: "log" });
    await eventually(() => bench.logged().includes('"err line"'));
    const objects = bench
      .logged()
      .split("\n")
      .filter((line) => line.startsWith("{") && line.includes(answer.requestId) && line.includes('"message"'))
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      objects.map(({ level, message }) => `${level} ${message}`),
      ["Error err line"],
    );
  });

  test("128 MB are enough", async () => {
    const version = await fn(undefined, { memoryMb: 128 });
    const { json, maxMemoryUsedMb } = await bench.call(version, { do: "length", text: "abc" });
    assert.equal(json, 3);
    assert.ok(maxMemoryUsedMb < 100, `${maxMemoryUsedMb} MB`);
  });

  test("static, void and asynchronous methods, streams, objects", async () => {
    for (const [method, event, answer] of [
      ["Handlers::Fixed", {}, '"static"'],
      ["Handlers::Older", { firstName: "Ada", age: 36 }, '{"firstName":"Ada","age":37}'],
      ["Handlers::Raw", { a: "é" }, '<{"a":"é"}>'],
    ] as const) {
      const { payload } = await bench.call(await fn(method), event);
      assert.equal(payload.toString(), answer, method);
    }
    const { payload, functionError } = await bench.call(await fn("Handlers::Nothing"));
    assert.equal(functionError, undefined);
    assert.match(payload.toString(), /^(null)?$/);
  });

  test("what cannot be found or fails while loading is told", async () => {
    for (const [method, message] of [
      ["Missing::Handle", /Test\.Missing/],
      ["Fails::Handle", /in the constructor/],
    ] as const) {
      const { json, functionError } = await bench.call(await fn(method));
      assert.equal(functionError, "Unhandled", method);
      // An exception of a constructor is the cause of another.
      assert.match(JSON.stringify(json), message);
    }
    const files = { "note.txt": "no code" };
    for (const [handler, status] of [
      ["Handlers::Test.Handlers::Handle", 105],
      ["Program", 104],
    ] as const) {
      const { json, tail } = await bench.call(
        await bench.fn({ runtime, handler, files }),
        {},
        { wantLogTail: true },
      );
      assert.match(json.errorMessage, new RegExp(`Runtime exited with error: exit status ${status}$`));
      assert.match(tail, /Error: the (function's code has no Handlers\.deps\.json|handler Program names)/);
    }
  });

  test("an exit ends the runtime with its status, and too much memory is an exception", async () => {
    const version = await fn();
    const exit = await bench.call(version, { do: "exit" });
    assert.deepEqual(exit.json, {
      errorType: "Runtime.ExitError",
      errorMessage: `RequestId: ${exit.requestId} Error: Runtime exited with error: exit status 3`,
    });
    assert.equal((await bench.call(version)).json, 1);
    const { json } = await bench.call(version, { do: "allocate" });
    assert.match(json.errorType, /^(OutOfMemoryException|Runtime\.OutOfMemory|Runtime\.ExitError)$/);
  });

  test("a timeout ends a sleep and a busy loop, and the next invocation has a new process", async () => {
    const version = await fn(undefined, { timeoutMs: 2_000 });
    for (const action of ["sleep", "spin"]) {
      const { json, requestId } = await bench.call(version, { do: action });
      assert.deepEqual(json, {
        errorType: "Sandbox.Timedout",
        errorMessage: `RequestId: ${requestId} Error: Task timed out after 2.00 seconds`,
      });
    }
    // The next one begins with an init, under the same limit, for which a busy machine may need another try.
    let next = await bench.call(version);
    while (next.json?.errorType === "Sandbox.Timedout") next = await bench.call(version);
    assert.equal(next.json, 1);
  });

  test("layers, DOTNET_ variables and AWS_LAMBDA_EXEC_WRAPPER, which is handed the dotnet program", async (t) => {
    const optDir = await mkdtemp(join(tmpdir(), "lambent-opt-"));
    t.after(() => rm(optDir, { recursive: true }));
    await writeFile(join(optDir, "data.txt"), "from a layer");
    await chmod(optDir, 0o755);
    const version = await fn(undefined, {
      files: { wrapper: '#!/bin/sh\nexport OWN="$1 $2"\nexec "$@"\n' },
      optDir,
      environment: {
        DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: "1",
        AWS_LAMBDA_EXEC_WRAPPER: "/var/task/wrapper",
      },
    });
    if (kind === "process") return;
    const environment = (await bench.call(version, { do: "environment" })).json;
    assert.equal(environment.OWN, "/var/lang/bin/dotnet exec");
    assert.equal(environment.DOTNET_SYSTEM_GLOBALIZATION_INVARIANT, "1");
    assert.equal((await bench.call(version, { do: "file", text: "/opt/data.txt" })).json, "from a layer");
  });
}
