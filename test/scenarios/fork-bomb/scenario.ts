import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { exited, filesBeside, timedOut } from "../scenario.ts";
import type { Scenario } from "../scenario.ts";

/** Below these gVisor ends a sandbox before it has 1,024 processes (docs/isolation.md). */
const PROCESS_IDS_ENOUGH = 90_000;
const processIds = Number(readFileSync("/proc/sys/kernel/pid_max", "utf8"));

export const scenario: Scenario = {
  title: "a fork bomb forks no more at 1,024 processes, and its timeout ends all of them",
  functions: { bomb: { files: filesBeside(import.meta.url), memoryMb: 1_024, timeoutSeconds: 2 } },
  async run(stage) {
    const answer = await stage.invoke("bomb");
    const mayEnd = stage.kind === "runsc" && processIds < PROCESS_IDS_ENOUGH;
    if (mayEnd && answer.json.errorType === "Runtime.ExitError") {
      assert.deepEqual(answer.json, exited(answer, "signal: killed"));
      return;
    }
    assert.deepEqual(answer.json, timedOut(answer, 2));
    assert.match(answer.tail, /\tStatus: timeout\n$/);
  },
};
