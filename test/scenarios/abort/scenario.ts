import assert from "node:assert/strict";
import { exited, filesBeside } from "../scenario.ts";
import type { Scenario } from "../scenario.ts";

export const scenario: Scenario = {
  title: "an abort is Runtime.ExitError with the signal's name, and leaves no core dump",
  functions: { faulty: { files: filesBeside(import.meta.url) } },
  async run(stage) {
    const answer = await stage.invoke("faulty");
    assert.deepEqual(answer.json, exited(answer, "signal: aborted"));
    assert.match(answer.tail, /\tStatus: error\tError Type: Runtime\.ExitError\n$/);
  },
};
