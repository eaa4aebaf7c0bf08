import assert from "node:assert/strict";
import { filesBeside } from "../scenario.ts";
import type { Scenario } from "../scenario.ts";

export const scenario: Scenario = {
  title: "an init that fails is run again inside the invocation, which answers its error",
  functions: { failing: { files: filesBeside(import.meta.url) } },
  async run(stage) {
    const { json, functionError, tail } = await stage.invoke("failing");
    assert.equal(functionError, "Unhandled");
    assert.deepEqual([json.errorType, json.errorMessage], ["TypeError", "not today"]);
    assert.match(
      tail,
      /INIT_REPORT Init Duration: [\d.]+ ms\tPhase: invoke\tStatus: error\tError Type: Runtime\.Unknown\n/,
    );
    assert.match(tail, /REPORT RequestId: .*\tStatus: error\tError Type: Runtime\.Unknown\n$/);
  },
};
