import assert from "node:assert/strict";
import { exited, filesBeside } from "../scenario.ts";
import type { Scenario } from "../scenario.ts";

export const scenario: Scenario = {
  title: "a segmentation fault is Runtime.ExitError with the signal's name",
  functions: { faulty: { files: filesBeside(import.meta.url), language: "python" } },
  async run(stage) {
    const answer = await stage.invoke("faulty");
    assert.deepEqual(answer.json, exited(answer, "signal: segmentation fault"));
    assert.match(answer.tail, /\tStatus: error\tError Type: Runtime\.ExitError\n$/);
  },
};
