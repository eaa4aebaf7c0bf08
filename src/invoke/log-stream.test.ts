/** The bounds of what one environment may log, on a clock that stands still until it is told otherwise. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { logBurstLines, logBytesWaitingMax, logLinesPerSecond } from "./limits.ts";
import { LogStream } from "./log-stream.ts";
import type { LogStreamDeps } from "./log-stream.ts";
import type { FunctionVersion } from "./types.ts";

/** A stream that stands at a time, with so much of all functions' waiting to be kept; and what it handed over. */
function openStream(state: { now: number; waiting: number }): { stream: LogStream; messages: string[] } {
  const messages: string[] = [];
  const stream = new LogStream({
    version: { functionName: "flood" } as FunctionVersion,
    ports: {
      writeLogs: (_version, _name, lines) => {
        for (const line of lines) messages.push(line.message);
      },
      logBytesWaiting: () => state.waiting,
    } as LogStreamDeps["ports"],
    clock: { now: () => state.now } as LogStreamDeps["clock"],
    name: "stream",
    initializationType: "on-demand",
    memoryMb: () => Promise.resolve(0),
  });
  return { stream, messages };
}

test("a flood of empty lines is cut by their number, and the log says how many were dropped", async () => {
  const state = { now: 0, waiting: 0 };
  const { stream, messages } = openStream(state);
  const output = stream.output();
  const flood = Buffer.from("\n".repeat(logBurstLines + 50_000));
  output.write(flood);
  await stream.flush();
  assert.equal(messages.filter((message) => message === "\n").length, logBurstLines);
  assert.match(messages.at(-1) ?? "", /^LOGS_DROPPED Dropped Bytes: 50000\tDropped Records: 50000\t/);
  state.now += 1_000;
  messages.length = 0;
  output.write(flood);
  await stream.flush();
  assert.equal(messages.filter((message) => message === "\n").length, logLinesPerSecond);
});

test("what was dropped is told before the END of the invocation that wrote it", async () => {
  const { stream, messages } = openStream({ now: 0, waiting: 0 });
  stream.output().write(Buffer.from("\n".repeat(logBurstLines + 1)));
  stream.platform({ type: "end", requestId: "one" });
  await stream.flush();
  assert.match(messages.at(-2) ?? "", /^LOGS_DROPPED Dropped Bytes: 1\tDropped Records: 1\t/);
  assert.equal(messages.at(-1), "END RequestId: one\n");
});

test("lines are dropped, and counted, while too many wait to be kept", async () => {
  const state = { now: 0, waiting: logBytesWaitingMax };
  const { stream, messages } = openStream(state);
  const output = stream.output();
  output.write(Buffer.from("lost\n"));
  state.waiting -= 1;
  output.write(Buffer.from("kept\n"));
  await stream.flush();
  assert.match(messages[0] ?? "", /^LOGS_DROPPED Dropped Bytes: 5\tDropped Records: 1\t/);
  assert.deepEqual(messages.slice(1), ["kept\n"]);
});
