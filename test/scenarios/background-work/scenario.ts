import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { filesBeside } from "../scenario.ts";
import type { Scenario } from "../scenario.ts";

/** Rest between two invocations, in milliseconds; it is frozen after about one second of it. */
const REST_MS = 3_000;

export const scenario: Scenario = {
  title: "work that goes on after the response is frozen, and resumed with the next invocation",
  functions: { busy: { files: filesBeside(import.meta.url) } },
  // Another run would wake the same environment.
  alone: true,
  async run(stage) {
    const before = await stage.invoke("busy");
    await sleep(REST_MS);
    const after = await stage.invoke("busy");
    const ticks = after.json - before.json;
    assert.ok(ticks > 0, "it is the same environment, and it went on");
    // Unfrozen, it would have ticked some 300 times.
    assert.ok(ticks < REST_MS / 10 - 50, `${ticks} ticks`);
    assert.doesNotMatch(after.tail, /Init Duration/);
  },
};
