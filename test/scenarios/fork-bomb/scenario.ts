import assert from "node:assert/strict";
import { exited, filesBeside, timedOut } from "../scenario.ts";
import type { Scenario } from "../scenario.ts";

export const scenario: Scenario = {
  title: "a fork bomb forks no more at 1,024 processes, and its timeout ends all of them",
  functions: { bomb: { files: filesBeside(import.meta.url), memoryMb: 1_024, timeoutSeconds: 2 } },
  async run(stage) {
    const answer = await stage.invoke("bomb");
    // One that is quick enough has as many of the host's tasks before as gVisor may have (docs/isolation.md).
    if (stage.kind === "runsc" && answer.json.errorType === "Runtime.ExitError") {
      assert.deepEqual(answer.json, exited(answer, "signal: killed"));
      return;
    }
    assert.deepEqual(answer.json, timedOut(answer, 2));
    assert.match(answer.tail, /\tStatus: timeout\n$/);
  },
};
