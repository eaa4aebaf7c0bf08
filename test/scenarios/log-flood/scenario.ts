import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { filesBeside } from "../scenario.ts";
import type { Scenario } from "../scenario.ts";

/** How long it writes, in milliseconds. */
const FLOOD_MS = 1_500;
/** And how much, on a machine that is slow: far more than the burst. */
const FLOOD_BYTES = 4 * 1024 * 1024;
/** What one environment may have kept of it: the burst, and the rate for as long as a slow machine takes. */
const KEPT_BYTES_MAX = 64 * 1024 * 1024;

/** How long until they can be read, on a machine that is busy. */
const STORED_MS_MAX = 30_000;
const DROPPED = /^LOGS_DROPPED .*\tDropped Records: (\d+)\t/;

export const scenario: Scenario = {
  title: "a flood of log lines is kept in part, what is left out is told, and the invocation answers",
  functions: { flood: { files: filesBeside(import.meta.url), memoryMb: 512, timeoutSeconds: 60 } },
  dear: true,
  async run(stage) {
    const since = Date.now();
    const answer = await stage.invoke("flood", { ms: FLOOD_MS, bytesMin: FLOOD_BYTES });
    assert.equal(answer.functionError, undefined, JSON.stringify(answer.json));
    assert.ok(answer.tail.length <= 4_096, "the tail is its last 4 KB");
    const last = await stage.invoke("flood", { ms: 0, bytesMin: 0 });
    assert.equal(last.json.bytes, 0);
    const { bytes, lines, logStreamName } = answer.json;
    // Logs are stored off the path of the answer.
    for (const until = Date.now() + STORED_MS_MAX; ; await sleep(200)) {
      const own = ofInvocation(answer.requestId, await stage.logs("flood", { logStreamName, since }));
      const kept = own.filter((line) => /^x*\n$/.test(line));
      const keptBytes = kept.reduce((sum, line) => sum + line.length, 0);
      const dropped = own.reduce((sum, line) => sum + Number(DROPPED.exec(line)?.[1] ?? 0), 0);
      if (kept.length + dropped < lines && Date.now() < until) continue;
      assert.equal(kept.length + dropped, lines, "each line is kept, or counted as dropped");
      assert.ok(keptBytes < KEPT_BYTES_MAX && keptBytes < bytes, `${keptBytes} of ${bytes} bytes kept`);
      return;
    }
  },
};

/** The lines of one invocation: from its START to the next. */
function ofInvocation(requestId: string, stream: readonly string[]): string[] {
  const start = stream.findIndex((line) => line.startsWith(`START RequestId: ${requestId} `));
  const rest = stream.slice(start + 1);
  const next = rest.findIndex((line) => line.startsWith("START "));
  return next < 0 ? rest : rest.slice(0, next);
}
