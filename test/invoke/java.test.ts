/** The Java runtimes that this machine has: handlers, POJOs, AWS's events, context, answers, errors, logs, class paths, layers. */
import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { kindsWithGvisor, openInvoker } from "./harness.ts";
import type { FunctionInput, TestInvoker } from "./harness.ts";
import { compiled, jarOf, javasHere, libraries } from "./java-code.ts";

const SOURCE = await readFile(new URL("java-handlers/Handlers.java", import.meta.url), "utf8");
const ALL = [
  "aws-lambda-java-core",
  "aws-lambda-java-events",
  "joda-time",
  "log4j-api",
  "log4j-core",
  "aws-lambda-java-log4j2",
];
/** As Maven's shade plugin would find it in AWS's library. */
const LOG4J = `<Configuration packages="com.amazonaws.services.lambda.runtime.log4j2"><Appenders>
  <Lambda name="Lambda"><LambdaTextFormat><PatternLayout><pattern>%-5p %X{AWSRequestId} %c{1} %m%n</pattern></PatternLayout></LambdaTextFormat></Lambda>
  </Appenders><Loggers><Root level="INFO"><AppenderRef ref="Lambda"/></Root></Loggers></Configuration>`;

const kinds = await kindsWithGvisor();

if (javasHere.length > 0) {
  const jars = await libraries(...ALL);
  const classes = await compiled({ "test/Handlers.java": SOURCE }, jars);
  const libs: Record<string, Buffer> = {};
  for (const jar of jars) libs[`lib/${basename(jar)}`] = await readFile(jar);
  const code = { ...classes, ...libs };
  // All of one version where functions usually run; what another JVM or another kernel might do otherwise of the others.
  const usual = kinds.includes("runc") ? "runc" : "process";
  for (const [at, runtime] of javasHere.entries())
    for (const kind of at === 0 ? kinds : (["process"] as const))
      describe(`${runtime} on ${kind}`, () => suite(kind, runtime, code, at === 0 && kind === usual));
}

function suite(
  kind: (typeof kinds)[number],
  runtime: string,
  files: Record<string, Buffer | string>,
  isWhole: boolean,
): void {
  let bench: TestInvoker;
  before(async () => {
    bench = await openInvoker(kind);
  });
  after(() => bench.close());
  const fn = (handler: string, more: Partial<FunctionInput> = {}) =>
    bench.fn({
      runtime,
      memoryMb: 512,
      timeoutMs: 30_000,
      ...more,
      files: { ...files, ...more.files },
      handler: `test.Handlers${handler}`,
    });
  const major = Number(/^java(\d+)/.exec(runtime)?.[1]);

  test("a RequestHandler: the real version, AWS's variables, the context, one object for all invocations", async () => {
    const version = await fn("", { environment: { OWN: "ü" } });
    const environment = (await bench.call(version, { do: "environment" })).json;
    assert.match(environment.java, new RegExp(`^(1\\.)?${major}\\b`));
    const { AWS_EXECUTION_ENV, _HANDLER, TZ, LANG, AWS_ACCESS_KEY_ID, OWN } = environment;
    assert.deepEqual(
      [AWS_EXECUTION_ENV, _HANDLER, TZ, LANG, AWS_ACCESS_KEY_ID, OWN],
      [`AWS_Lambda_${runtime}`, "test.Handlers", ":UTC", "en_US.UTF-8", "ASIATEST", "ü"],
    );
    assert.equal(environment.directory, environment.LAMBDA_TASK_ROOT);
    // 85 % of the memory, of which the JVM does not count one survivor space.
    assert.ok(environment.heap > 0.8 * 512 * 2 ** 20 && environment.heap < 0.85 * 512 * 2 ** 20);

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
      // Of a map, AWS's serialization leaves out what is null: the tenant, the identity.
      client: "xü",
    });
    assert.match(stream, /\[\$LATEST\][0-9a-f]{32}$/);
    assert.ok(remaining > 20_000 && remaining <= 30_000, String(remaining));
    assert.equal(
      (await bench.call(version, { do: "trace" }, { traceHeader: "Root=1-a-b" })).json,
      "Root=1-a-b",
    );
    assert.equal((await bench.call(version, { do: "trace" })).json, null);
    assert.equal((await bench.call(version)).json, 5);
  });

  test("an error is a document with AWS's members and lines in the log, and the process goes on", async () => {
    const version = await fn("");
    assert.equal((await bench.call(version)).json, 1);
    const { json, functionError, tail } = await bench.call(version, { do: "fail" }, { wantLogTail: true });
    assert.equal(functionError, "Unhandled");
    assert.deepEqual(Object.keys(json), ["errorMessage", "errorType", "stackTrace"]);
    assert.deepEqual(
      [json.errorMessage, json.errorType],
      ["bad \u{2603}", "java.lang.IllegalStateException"],
    );
    assert.match(json.stackTrace[0], /^test\.Handlers\.handleRequest\(Handlers\.java:\d+\)$/);
    assert.match(
      tail,
      /START .*\nbad \u{2603}: java\.lang\.IllegalStateException\njava\.lang\.IllegalStateException: bad \u{2603}\n\tat test\.Handlers\.handleRequest.*Caused by: java\.lang\.RuntimeException: the cause\n.*\nEND/su,
    );
    assert.equal((await bench.call(version)).json, 3);
    const error = (await bench.call(version, { do: "error" })).json;
    assert.equal(error.errorType, "java.lang.StackOverflowError");
  });

  test("an event of 6 MB arrives whole, and a response above the limit is Function.ResponseSizeTooLarge", async () => {
    const version = await fn("", { memoryMb: 1_024 });
    const { json } = await bench.call(version, { do: "length", text: `${"x".repeat(6_000_000)}é` });
    assert.equal(json, 6_000_001);
    const most = await bench.call(version, { do: "size", size: 6_291_554 });
    assert.deepEqual([most.payload.length, most.functionError], [6_291_556, undefined]);
    for (const size of [6_291_555, 20_000_000]) {
      const over = await bench.call(version, { do: "size", size });
      assert.equal(over.json.errorType, "Function.ResponseSizeTooLarge");
    }
  });

  test("what is written and logged stands in its order; a LambdaLogger's message is one event", async () => {
    const version = await fn("");
    const { tail } = await bench.call(version, { do: "log" }, { wantLogTail: true });
    const said =
      "out line\nerr\nof two lines\none event\nof two lines\nbytes\n[WARN] at a levelof a thread\n";
    // AWS's client, by HTTP, writes to two pipes, of which nobody knows which was written to first.
    if (major >= 17) assert.ok(tail.includes(said), tail);
    else for (const line of said.split(/\n|(?=of a thread)/)) assert.ok(tail.includes(`${line}\n`), tail);
    const events = () => bench.streams().flatMap((stream) => bench.linesOf(stream));
    while (!events().some((event) => event.includes("of a thread\n"))) await sleep(20);
    for (const event of ["out line\n", "err\n"]) assert.ok(events().includes(event), event);
    assert.ok(events().includes("one event\nof two lines\n"));
    assert.ok(events().some((event) => /^\[WARN\] at a level\n?$/.test(event)));
    assert.equal((await bench.call(version, { do: "interrupt" })).json, true);
    assert.equal((await bench.call(version)).json, 3);
  });

  test("jars in lib/ come before those of layers, and exploded classes before both", async (t) => {
    const opt = await mkdtemp(join(tmpdir(), "lambent-opt-"));
    t.after(() => rm(opt, { recursive: true }));
    const source = (from: string) =>
      compiled({
        "library/InLibrary.java": `package library; public class InLibrary { public static final String FROM = new String("${from}"); }`,
        "layer/InLayer.java": `package layer; public class InLayer { public static final String FROM = new String("${from}"); }`,
        "library/Both.java": `package library; public class Both { public static final String FROM = new String("${from}"); }`,
      });
    const { "layer/InLayer.class": _, ...own } = await source("function");
    await mkdir(join(opt, "java/lib"), { recursive: true });
    await writeFile(join(opt, "java/lib/layer.jar"), await jarOf(await source("layer")));
    for (const folder of [opt, join(opt, "java"), join(opt, "java/lib")]) await chmod(folder, 0o755);
    const version = await fn("", {
      files: { "lib/own.jar": await jarOf(own), "data.txt": "x" },
      optDir: opt,
    });
    assert.deepEqual((await bench.call(version, { do: "loaded" })).json, [
      "function",
      // AWS's client looks below /opt itself, which is another place without a sandbox (docs/isolation.md).
      kind === "process" ? "java.lang.ClassNotFoundException: layer.InLayer" : "layer",
      "function",
      true,
    ]);
  });

  if (!isWhole) return;

  test("plain methods, static ones, stream handlers, POJOs and AWS's own events", async () => {
    for (const [handler, event, answer] of [
      ["$Plain::one", "Ada", "hello Ada"],
      ["$Plain::sum", [1, 2, 3], 6],
      ["$Plain::fixed", {}, "static"],
      ["$Plain::nothing", {}, null],
      [
        "$Plain::older",
        { firstName: "Ada", age: 36, tags: ["é"], unknown: 1 },
        { firstName: "Ada", age: 37, tags: ["é"] },
      ],
      [
        "$Events::s3",
        {
          Records: [
            {
              eventTime: "1970-01-01T00:00:00.000Z",
              s3: { bucket: { name: "b" }, object: { key: "a+b%C3%BC" } },
            },
          ],
        },
        "b/a bü 1970",
      ],
      [
        "$Events::sqs",
        {
          Records: [
            { body: "hi", messageAttributes: { a: { stringValue: "attribute", dataType: "String" } } },
          ],
        },
        "hi attribute",
      ],
    ] as const) {
      const { json } = await bench.call(await fn(handler), event);
      assert.deepEqual(json, answer, handler);
    }
    const stream = await bench.call(await fn("$Stream"), { a: "é" });
    assert.equal(stream.payload.toString(), '<{"a":"é"}>');
  });

  test("what cannot be found or fails while loading is told by AWS's names", async () => {
    for (const [handler, type, message] of [
      ["Missing", "java.lang.ClassNotFoundException", /^Class not found: test\.HandlersMissing$/],
      [
        "$Plain::missing",
        undefined,
        /^No public method named missing with appropriate method signature found/,
      ],
      ["$Fails", "java.lang.IllegalArgumentException", /^in the constructor$/],
      [
        "$FailsStatic",
        "java.lang.ExceptionInInitializerError",
        /^Error loading class test\.Handlers\$FailsStatic$/,
      ],
    ] as const) {
      const { json, functionError, tail } = await bench.call(await fn(handler), {}, { wantLogTail: true });
      assert.deepEqual([json.errorType, functionError], [type, "Unhandled"], handler);
      assert.match(json.errorMessage, message);
      assert.ok(tail.includes(json.errorMessage), tail);
    }
  });

  test("exits end the runtime with their status", async () => {
    const version = await fn("");
    const exit = await bench.call(version, { do: "exit" });
    assert.deepEqual(exit.json, {
      errorType: "Runtime.ExitError",
      errorMessage: `RequestId: ${exit.requestId} Error: Runtime exited with error: exit status 3`,
    });
    const halt = await bench.call(version, { do: "halt" });
    assert.match(halt.json.errorMessage, /Runtime exited without providing a reason$/);
    assert.equal((await bench.call(version)).json, 1);
  });

  test("a timeout ends a sleep and a busy loop, and the next invocation has a new process", async () => {
    const version = await fn("", { timeoutMs: 4_000 });
    for (const action of ["sleep", "spin"]) {
      const { json, requestId } = await bench.call(version, { do: action });
      assert.deepEqual(json, {
        errorType: "Sandbox.Timedout",
        errorMessage: `RequestId: ${requestId} Error: Task timed out after 4.00 seconds`,
      });
    }
    // The next one begins with an init, under the same limit, for which a busy machine may need another try.
    let next = await bench.call(version);
    while (next.json?.errorType === "Sandbox.Timedout") next = await bench.call(version);
    assert.equal(next.json, 1);
  });

  test("log4j writes by AWS's appender: one event with its trace", async () => {
    const version = await fn("$Logs", { files: { "log4j2.xml": LOG4J } });
    const { json, requestId, tail } = await bench.call(version, {}, { wantLogTail: true });
    assert.equal(json, null);
    assert.match(
      tail,
      new RegExp(`INFO {2}${requestId} Logs by log4j\\njava\\.lang\\.RuntimeException: with a trace\\n`),
    );
  });

  test("JAVA_TOOL_OPTIONS and AWS_LAMBDA_EXEC_WRAPPER reach the JVM", async () => {
    const wrapper = '#!/bin/sh\nexport OWN=wrapped\nexec "$@"\n';
    const version = await fn("", {
      files: { wrapper },
      environment: {
        JAVA_TOOL_OPTIONS: "-Dcom.amazonaws.xray.traceHeader=none",
        AWS_LAMBDA_EXEC_WRAPPER: "/var/task/wrapper",
      },
    });
    if (kind === "process") return;
    assert.equal((await bench.call(version, { do: "environment" })).json.OWN, "wrapped");
    assert.match(bench.logged(), /Picked up JAVA_TOOL_OPTIONS: -Dcom\.amazonaws\.xray\.traceHeader=none/);
  });
}
