import assert from "node:assert/strict";
import { filesBeside, timedOut } from "../scenario.ts";
import type { Scenario } from "../scenario.ts";

export const scenario: Scenario = {
  title: "an init of more than 10 s is ended and run again under the function's timeout",
  functions: { slow: { files: filesBeside(import.meta.url), timeoutSeconds: 1 } },
  async run(stage) {
    const answer = await stage.invoke("slow");
    assert.deepEqual(answer.json, timedOut(answer, 1));
    assert.match(answer.tail, /INIT_REPORT Init Duration: [\d.]+ ms\tPhase: invoke\tStatus: timeout\n/);
    assert.match(answer.tail, /\tDuration: 1000\.00 ms\tBilled Duration: 1000 ms\t.*Status: timeout\n$/);
    const phases = (await stage.logs("slow")).filter((line) => line.startsWith("INIT_REPORT"));
    const [, first] =
      /^INIT_REPORT Init Duration: (\d+)\.\d\d ms\tPhase: init\tStatus: timeout/.exec(phases[0] ?? "") ?? [];
    // A timer of Node's may be a millisecond early.
    assert.ok(Number(first) >= 9_998, `the first init was given ${first} ms`);
  },
};
