/** Extensions that live in the runtime's process: they register from the function's own code, on a managed runtime. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { INTERNAL_EXTENSION } from "./extension-programs.ts";
import { eventually, kindsWithGvisor, openInvoker } from "./harness.ts";

for (const kind of await kindsWithGvisor())
  describe(`internal extensions on ${kind}`, async () => {
    const bench = await openInvoker(kind);
    after(() => bench.close());
    const node = (script: string) => bench.fn({ files: { "index.mjs": INTERNAL_EXTENSION + script } });

    test("registers, hears of each invocation, and is in the log", async () => {
      const version = await node(`
        const { id, json } = await register("inside", ["INVOKE"], { "Lambda-Extension-Accept-Feature": "accountId" });
        const events = [];
        void (async () => { for (;;) events.push((await next(id)).json); })();
        export const handler = async (event, context) => {
          while (events.length < event.n) await new Promise((resolve) => setTimeout(resolve, 5));
          return { json, id, event: events.at(-1) };
        };`);
      const first = await bench.call(version, { n: 1 }, { traceHeader: "Root=1-a-b" });
      assert.deepEqual(first.json.json, {
        functionName: version.functionName,
        functionVersion: "$LATEST",
        handler: "index.handler",
        accountId: version.account,
      });
      const { deadlineMs, ...event } = first.json.event;
      assert.ok(Math.abs(deadlineMs - Date.now() - version.timeoutMs) < 5_000);
      assert.deepEqual(event, {
        eventType: "INVOKE",
        requestId: first.requestId,
        invokedFunctionArn: version.functionArn,
        tracing: { type: "X-Amzn-Trace-Id", value: "Root=1-a-b" },
      });
      const second = await bench.call(version, { n: 2 }, { wantLogTail: true });
      assert.equal(second.json.event.requestId, second.requestId);
      assert.equal(second.initDurationMs, undefined);
      assert.match(second.tail, /END RequestId: \S+\nREPORT /);
      await eventually(() => bench.logged().includes("REPORT"));
      assert.match(bench.logged(), /\nEXTENSION\tName: inside\tState: Ready\tEvents: \[INVOKE\]\nSTART /);
    });

    test("hears telemetry: the platform's records and the function's lines", async () => {
      const version = await node(`
        const { id } = await register("listener", ["INVOKE"]);
        const answer = await subscribe(id, await listen());
        void (async () => { for (;;) await next(id); })();
        export const handler = async (event) => {
          console.log("hello");
          while (!told.some((each) => each.type === event.until)) await new Promise((resolve) => setTimeout(resolve, 5));
          return { answer: [answer.status, answer.json], told: told.splice(0) };
        };`);
      const first = await bench.call(version, { until: "function" });
      assert.deepEqual(first.json.answer, [200, "OK"]);
      const second = await bench.call(version, { until: "platform.report" });
      const told: { type: string; time: string; record: Record<string, unknown> }[] = [
        ...first.json.told,
        ...second.json.told,
      ];
      const types = told.map((each) => each.type);
      for (const type of [
        "platform.initStart",
        "platform.telemetrySubscription",
        "platform.initRuntimeDone",
        "platform.extension",
        "platform.initReport",
        "platform.start",
        "function",
        "platform.runtimeDone",
        "platform.report",
      ])
        assert.ok(types.includes(type), `${type} in ${types.join(" ")}`);
      const record = (type: string) => told.find((each) => each.type === type)?.record ?? {};
      const { instanceId, runtimeVersion, runtimeVersionArn, ...start } = record("platform.initStart");
      assert.deepEqual(start, {
        initializationType: "on-demand",
        phase: "init",
        functionName: version.functionName,
        functionVersion: "$LATEST",
        instanceMaxMemory: 536_870_912,
      });
      assert.ok(bench.streams().includes(String(instanceId)));
      assert.match(String(runtimeVersion), /^nodejs:/);
      assert.match(String(runtimeVersionArn), /^arn:aws:lambda:us-east-1::runtime:/);
      assert.deepEqual(record("platform.telemetrySubscription"), {
        name: "listener",
        state: "Subscribed",
        types: ["platform", "function"],
      });
      assert.deepEqual(record("platform.extension"), {
        name: "listener",
        state: "Ready",
        events: ["INVOKE"],
      });
      assert.deepEqual(record("platform.start"), { requestId: first.requestId, version: "$LATEST" });
      const done = record("platform.runtimeDone");
      assert.equal(done["status"], "success");
      assert.deepEqual(
        (done["spans"] as { name: string }[]).map(({ name }) => name),
        ["responseLatency", "responseDuration", "runtimeOverhead"],
      );
      const report = record("platform.report");
      assert.equal(report["requestId"], first.requestId);
      const { maxMemoryUsedMB, memorySizeMB, initDurationMs } = report["metrics"] as Record<string, number>;
      assert.ok(maxMemoryUsedMB && maxMemoryUsedMB > 1);
      assert.ok(initDurationMs && initDurationMs > 1);
      assert.equal(memorySizeMB, 512);
      await eventually(() => bench.logged().includes("TELEMETRY"));
      assert.match(
        bench.logged(),
        /\nTELEMETRY\tName: listener\tState: Subscribed\tTypes: \[Platform, Function\]\n/,
      );
    });

    test("what AWS refuses is refused, in its words", async () => {
      const version = await node(`
        const answers = {};
        const note = (name, { status, json, text }) => (answers[name] = [status, json?.errorType ?? text]);
        note("noName", await register("", []));
        note("shutdown", await register("a", ["SHUTDOWN"]));
        note("event", await register("a", ["OTHER"]));
        note("body", await call("POST", "/2020-01-01/extension/register", { headers: { "Lambda-Extension-Name": "a" }, body: "{" }));
        note("missing", await call("GET", "/2020-01-01/extension/event/next"));
        note("invalid", await next("nonsense"));
        note("unknown", await next("00000000-0000-4000-8000-000000000000"));
        note("method", await call("GET", "/2020-01-01/extension/register"));
        note("path", await call("GET", "/2020-01-01/extension/other"));
        const ids = [];
        for (let i = 0; i < 10; i++) ids.push((await register("x" + i, [])).id);
        note("eleventh", await register("x10", []));
        note("twice", await register("x0", []));
        note("noType", await call("POST", "/2020-01-01/extension/init/error", { id: ids[0] }));
        const at = (uri, more) => subscribe(ids[0], 1, { destination: { protocol: "HTTP", URI: uri }, ...more });
        for (const uri of ["http://169.254.169.254:80/", "http://localhost:80/", "http://sandbox.localdomain@evil:80/", "https://sandbox.localdomain:443", "http://sandbox.localdomain.evil:80/", "file:///etc/passwd"])
          note(uri, await at(uri));
        const invalid = await at("http://sandbox.localdomain", { types: [], buffering: { maxItems: 1, timeoutMs: 24 } });
        note("logsSchema", await call("PUT", "/2020-08-15/logs", { id: ids[0], body: { schemaVersion: "2022-07-01", types: ["platform"], destination: { protocol: "TCP", port: 70000 } } }));
        note("subscribed", await subscribe(ids[1], await listen()));
        note("otherApi", await call("PUT", "/2020-08-15/logs", { id: ids[1], body: { types: ["platform"], destination: { protocol: "TCP", port: 7000 } } }));
        for (const id of ids) void next(id);
        export const handler = async () => {
          note("late", await register("late", []));
          note("lateTelemetry", await subscribe(ids[2], 1));
          return { answers, invalid: invalid.json };
        };`);
      const { answers, invalid } = (await bench.call(version)).json;
      assert.deepEqual(answers, {
        noName: [403, "Extension.InvalidExtensionName"],
        shutdown: [403, "Extension.InvalidEventType"],
        event: [403, "Extension.InvalidEventType"],
        body: [403, "InvalidRequestFormat"],
        missing: [403, "Extension.MissingExtensionIdentifier"],
        invalid: [403, "Extension.InvalidExtensionIdentifier"],
        unknown: [403, "Extension.UnknownExtensionIdentifier"],
        method: [405, ""],
        path: [404, "404 page not found\n"],
        eleventh: [403, "Extension.TooManyExtensions"],
        twice: [403, "Extension.InvalidExtensionState"],
        noType: [403, "Extension.MissingHeader"],
        "http://169.254.169.254:80/": [400, "ValidationError"],
        "http://localhost:80/": [400, "ValidationError"],
        "http://sandbox.localdomain@evil:80/": [400, "ValidationError"],
        "https://sandbox.localdomain:443": [400, "ValidationError"],
        "http://sandbox.localdomain.evil:80/": [400, "ValidationError"],
        "file:///etc/passwd": [400, "ValidationError"],
        logsSchema: [400, "Logs.ValidationError"],
        subscribed: [200, '"OK"'],
        otherApi: [400, "Logs.ValidationError"],
        late: [403, "Extension.RegistrationClosed"],
        lateTelemetry: [403, "Telemetry.SubscriptionClosed"],
      });
      assert.deepEqual(invalid, {
        errorType: "ValidationError",
        errorMessage:
          "types should not be empty; URI port is not provided; buffering.maxItems should be a number from 1000 to 10000; buffering.timeoutMs should be a number from 25 to 30000",
      });
    });
  });
