import assert from "node:assert/strict";
import { test } from "node:test";
import { billedMs, jsonLine, textLine } from "./log-lines.ts";
import type { ReportEvent } from "./log-lines.ts";

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
    textLine(report),
    "REPORT RequestId: r-1\tDuration: 133.61 ms\tBilled Duration: 214 ms\tMemory Size: 128 MB\tMax Memory Used: 31 MB\tInit Duration: 80.00 ms\t\n",
  );
  const { initDurationMs: _, ...warm } = report;
  assert.equal(
    textLine({ ...warm, status: "timeout" }),
    "REPORT RequestId: r-1\tDuration: 133.61 ms\tBilled Duration: 134 ms\tMemory Size: 128 MB\tMax Memory Used: 31 MB\tStatus: timeout\n",
  );
  assert.match(
    textLine({ ...warm, status: "error", errorType: "Runtime.ExitError" }) ?? "",
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
  } as const;
  assert.equal(jsonLine(done, 0, "INFO"), undefined);
  assert.equal(
    jsonLine(done, 0, "DEBUG"),
    '{"time":"1970-01-01T00:00:00.000Z","type":"platform.runtimeDone","record":{"requestId":"r","status":"success","metrics":{"durationMs":1,"producedBytes":2}}}\n',
  );
  assert.equal(jsonLine(report, 0, "WARN"), undefined);
  assert.ok(jsonLine({ ...report, status: "error" }, 0, "WARN"));
});
