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

test("a restore has lines of its own, and stands in the REPORT of the first invocation", () => {
  const version = { runtimeVersion: "java:17.0.1", runtimeVersionArn: "arn:r" };
  assert.equal(
    textLine({ type: "restoreStart", ...version }, "snap-start"),
    "RESTORE_START Runtime Version: java:17.0.1\tRuntime Version ARN: arn:r\n",
  );
  const done = { type: "restoreReport", durationMs: 1236.044, status: "success" } as const;
  assert.equal(textLine(done, "snap-start"), "RESTORE_REPORT Restore Duration: 1236.04 ms\t\n");
  assert.equal(
    textLine({ ...done, status: "error", errorType: "Runtime.AfterRestoreError" }, "snap-start"),
    "RESTORE_REPORT Restore Duration: 1236.04 ms\tStatus: error\tError Type: Runtime.AfterRestoreError\n",
  );
  const { initDurationMs: _, ...warm } = report;
  const restored = { durationMs: 784.331, hooksMs: 41.2 };
  assert.match(
    textLine({ ...warm, restored }, "snap-start") ?? "",
    /\tMax Memory Used: 31 MB\tRestore Duration: 784\.33 ms\tBilled Restore Duration: 42 ms\t\n$/,
  );
  assert.equal(
    jsonLine(done, 0, "INFO", context),
    '{"time":"1970-01-01T00:00:00.000Z","type":"platform.restoreReport","record":{"status":"success","metrics":{"durationMs":1236.044}}}\n',
  );
  assert.equal(jsonLine({ type: "restoreRuntimeDone", status: "success" }, 0, "INFO", context), undefined);
  assert.match(
    jsonLine({ type: "restoreStart", ...version }, 0, "INFO", context) ?? "",
    /"record":\{"runtimeVersion":"java:17\.0\.1","runtimeVersionArn":"arn:r","functionName":"f","functionVersion":"\$LATEST","instanceId":"[^"]+","instanceMaxMemory":134217728\}/,
  );
});
