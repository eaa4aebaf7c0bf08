import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { exited, filesBeside } from "../scenario.ts";
import type { Scenario } from "../scenario.ts";

export const scenario: Scenario = {
  title:
    "an exit in init or in the handler is Runtime.ExitError; one after the response spoils nobody's answer",
  functions: {
    init: { files: filesBeside(import.meta.url, "in-init") },
    handler: { files: filesBeside(import.meta.url) },
  },
  // Another run's invocation would be the one that it spoils.
  alone: true,
  async run(stage) {
    const init = await stage.invoke("init");
    assert.deepEqual(init.json, exited(init, "exit status 5"));
    assert.match(
      init.tail,
      /INIT_REPORT Init Duration: [\d.]+ ms\tPhase: invoke\tStatus: error\tError Type: Runtime\.ExitError\n/,
    );
    const handler = await stage.invoke("handler", { when: "in the handler" });
    assert.deepEqual(handler.json, exited(handler, "exit status 7"));
    const after = await stage.invoke("handler", { when: "after the response" });
    assert.equal(after.functionError, undefined);
    await sleep(700);
    const next = await stage.invoke("handler", {});
    assert.equal(next.functionError, undefined, JSON.stringify(next.json));
  },
};
