/** The bounds of what one environment may log, on a clock that stands still until it is told otherwise. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { logBurstLines, logLinesPerSecond } from "./limits.ts";
import { LogStream } from "./log-stream.ts";
import type { LogStreamDeps } from "./log-stream.ts";
import type { FunctionVersion } from "./types.ts";

test("a flood of empty lines is cut by their number, and the log says how many were dropped", async () => {
  let now = 0;
  const messages: string[] = [];
  const stream = new LogStream({
    version: { functionName: "flood" } as FunctionVersion,
    ports: {
      writeLogs: (_version, _name, lines) => {
        for (const line of lines) messages.push(line.message);
      },
    } as LogStreamDeps["ports"],
    clock: { now: () => now } as LogStreamDeps["clock"],
    name: "stream",
    initializationType: "on-demand",
    memoryMb: () => Promise.resolve(0),
  });
  const output = stream.output();
  const flood = Buffer.from("\n".repeat(logBurstLines + 50_000));
  output.write(flood);
  await stream.flush();
  assert.equal(messages.filter((message) => message === "\n").length, logBurstLines);
  assert.match(messages.at(-1) ?? "", /^LOGS_DROPPED Dropped Bytes: 50000\tDropped Records: 50000\t/);
  now += 1_000;
  messages.length = 0;
  output.write(flood);
  await stream.flush();
  assert.equal(messages.filter((message) => message === "\n").length, logLinesPerSecond);
});
