import assert from "node:assert/strict";
import { test } from "node:test";
import { jsonLine, textLine } from "./log-lines.ts";
import { billedMs } from "./platform-events.ts";
import type { EventContext, ReportEvent } from "./platform-events.ts";

const context: EventContext = {
  initializationType: "on-demand",
  functionName: "f",
  functionVersion: "$LATEST",
  instanceId: "2026/01/01/[$LATEST]0",
  memoryMb: 128,
};

const report: ReportEvent = {
  type: "report",
  requestId: "r-1",
  durationMs: 133.606,
  initDurationMs: 80,
  memorySizeMb: 128,
  maxMemoryUsedMb: 31,
  status: "success",
};

test("a REPORT line has AWS's fields, tabs and rounding", () => {
  assert.equal(
    textLine(report, "on-demand"),
    "REPORT RequestId: r-1\tDuration: 133.61 ms\tBilled Duration: 214 ms\tMemory Size: 128 MB\tMax Memory Used: 31 MB\tInit Duration: 80.00 ms\t\n",
  );
  const { initDurationMs: _, ...warm } = report;
  assert.equal(
    textLine({ ...warm, status: "timeout" }, "on-demand"),
    "REPORT RequestId: r-1\tDuration: 133.61 ms\tBilled Duration: 134 ms\tMemory Size: 128 MB\tMax Memory Used: 31 MB\tStatus: timeout\n",
  );
  assert.match(
    textLine({ ...warm, status: "error", errorType: "Runtime.ExitError" }, "on-demand") ?? "",
    /MB\tStatus: error\tError Type: Runtime\.ExitError\n$/,
  );
});

test("a whole number of milliseconds is billed as it is", () => {
  assert.equal(billedMs({ durationMs: 1000 }), 1000);
  assert.equal(billedMs({ durationMs: 1000.004 }), 1000);
  assert.equal(billedMs({ durationMs: 1000.01 }), 1001);
});

test("JSON lines are left out below the system log level", () => {
  const done = {
    type: "runtimeDone",
    requestId: "r",
    status: "success",
    durationMs: 1,
    producedBytes: 2,
    startedAt: 0,
  } as const;
  assert.equal(jsonLine(done, 0, "INFO", context), undefined);
  assert.equal(
    jsonLine(done, 0, "DEBUG", context),
    '{"time":"1970-01-01T00:00:00.000Z","type":"platform.runtimeDone","record":{"requestId":"r","status":"success","metrics":{"durationMs":1,"producedBytes":2}}}\n',
  );
  assert.equal(jsonLine(report, 0, "WARN", context), undefined);
  assert.ok(jsonLine({ ...report, status: "error" }, 0, "WARN", context));
});

test("an init phase is reported in text when it failed, or was made ahead", () => {
  const done = { type: "initReport", phase: "init", durationMs: 12.345, status: "success" } as const;
  assert.equal(textLine(done, "on-demand"), undefined);
  assert.equal(
    textLine(done, "provisioned-concurrency"),
    "INIT_REPORT Init Duration: 12.35 ms\tPhase: init\t\n",
  );
  assert.equal(
    textLine({ ...done, phase: "invoke", status: "error", errorType: "Extension.Crash" }, "on-demand"),
    "INIT_REPORT Init Duration: 12.35 ms\tPhase: invoke\tStatus: error\tError Type: Extension.Crash\n",
  );
  assert.equal(jsonLine(done, 0, "INFO", context), undefined);
  assert.ok(jsonLine(done, 0, "INFO", { ...context, initializationType: "provisioned-concurrency" }));
});

test("extensions and subscriptions have lines of their own", () => {
  const extension = { type: "extension", name: "e", state: "Ready", events: ["INVOKE", "SHUTDOWN"] } as const;
  assert.equal(
    textLine(extension, "on-demand"),
    "EXTENSION\tName: e\tState: Ready\tEvents: [INVOKE, SHUTDOWN]\n",
  );
  const failed = { ...extension, state: "LaunchError", events: [], errorType: "PermissionDenied" };
  assert.equal(
    textLine(failed, "on-demand"),
    "EXTENSION\tName: e\tState: LaunchError\tEvents: []\tError Type: PermissionDenied\n",
  );
  assert.equal(jsonLine(extension, 0, "WARN", context), undefined);
  assert.ok(jsonLine(failed, 0, "WARN", context));
  const subscribed = { name: "e", state: "Subscribed", types: ["platform", "function"] } as const;
  assert.equal(
    textLine({ type: "telemetrySubscription", ...subscribed }, "on-demand"),
    "TELEMETRY\tName: e\tState: Subscribed\tTypes: [Platform, Function]\n",
  );
  assert.equal(
    textLine({ type: "logsSubscription", ...subscribed }, "on-demand"),
    "LOGS\tName: e\tState: Subscribed\tTypes: [Platform, Function]\n",
  );
});
