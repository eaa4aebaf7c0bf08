import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { exited, filesBeside } from "../scenario.ts";
import type { Scenario } from "../scenario.ts";

export const scenario: Scenario = {
  title: "a function that signals every process hits nobody but itself",
  functions: {
    killer: { files: filesBeside(import.meta.url) },
    bystander: { files: { "index.mjs": "let n = 0; export const handler = async () => ++n;" } },
  },
  // Another run's invocation could boot a second bystander.
  alone: true,
  async run(stage) {
    const before = (await stage.invoke("bystander")).json;
    const killer = await stage.invoke("killer", { server: stage.server.pid });
    // What waits for it inside of its own sandbox may be hit, and then the whole sandbox ends.
    if (killer.functionError) assert.deepEqual(killer.json, exited(killer, "signal: killed"));
    else assert.ok(!killer.json.includes(stage.server.pid), "it cannot name the server");
    process.kill(stage.server.pid, 0);
    await sleep(100);
    assert.equal((await stage.invoke("bystander")).json, before + 1, "the bystander is the same process");
  },
};
