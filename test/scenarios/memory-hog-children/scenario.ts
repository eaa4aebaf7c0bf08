import assert from "node:assert/strict";
import { exited, filesBeside, outOfMemory } from "../scenario.ts";
import type { Scenario } from "../scenario.ts";

const SIGKILL = 9;

/** The kernel takes the largest process: a child as a rule, and the function lives to tell of it; or the function itself. */
export const scenario: Scenario = {
  title: "children cannot take more memory than the function has: together they stand under its limit",
  functions: {
    hog: { files: filesBeside(import.meta.url), language: "python", memoryMb: 256, timeoutSeconds: 60 },
  },
  async run(stage) {
    const answer = await stage.invoke("hog");
    if (answer.functionError) assert.deepEqual(answer.json, outOfMemory(answer));
    else assert.deepEqual(answer.json, [SIGKILL, SIGKILL]);
    assert.equal(answer.maxMemoryUsedMb, 256);
    // An exit of its own is no matter of memory, whatever became of its children before.
    const exit = await stage.invoke("hog", { exit: true });
    if (exit.json.errorType !== "Runtime.OutOfMemory")
      assert.deepEqual(exit.json, exited(exit, "exit status 1"));
  },
};
