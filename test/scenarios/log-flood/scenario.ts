import assert from "node:assert/strict";
import { filesBeside } from "../scenario.ts";
import type { Scenario } from "../scenario.ts";

/** How long it writes, in milliseconds. */
const FLOOD_MS = 1_500;
/** And how much, on a machine that is slow: far more than the burst. */
const FLOOD_BYTES = 4 * 1024 * 1024;
/** What one environment may have kept of it: the burst, and the rate for as long as a slow machine takes. */
const KEPT_BYTES_MAX = 64 * 1024 * 1024;

export const scenario: Scenario = {
  title: "a flood of log lines is kept in part, what is left out is told, and the invocation answers",
  functions: { flood: { files: filesBeside(import.meta.url), memoryMb: 512, timeoutSeconds: 60 } },
  dear: true,
  async run(stage) {
    const answer = await stage.invoke("flood", { ms: FLOOD_MS, bytesMin: FLOOD_BYTES });
    assert.equal(answer.functionError, undefined, JSON.stringify(answer.json));
    assert.ok(answer.tail.length <= 4_096, "the tail is its last 4 KB");
    const lines = await stage.logs("flood");
    const kept = lines.reduce((sum, line) => sum + line.length, 0);
    assert.ok(kept < KEPT_BYTES_MAX && kept < answer.json, `${kept} of ${answer.json} bytes kept`);
    assert.ok(
      lines.some((line) => line.startsWith("LOGS_DROPPED")),
      "what was dropped is told",
    );
    const last = await stage.invoke("flood", { ms: 0, bytesMin: 0 });
    assert.equal(last.json, 0);
  },
};
