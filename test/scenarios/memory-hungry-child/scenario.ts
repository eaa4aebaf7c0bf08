import assert from "node:assert/strict";
import { filesBeside } from "../scenario.ts";
import type { Scenario } from "../scenario.ts";

const CHILD_MB = 120;
const GROWTH_MB = 20;

export const scenario: Scenario = {
  title: "Max Memory Used has what a child used that has ended, and not what the kernel caches",
  functions: { parent: { files: filesBeside(import.meta.url), memoryMb: 1_024 } },
  notOn: { runsc: "gVisor counts what a process maps in other ways than the host's kernel" },
  async run(stage) {
    const answer = await stage.invoke("parent");
    assert.equal(answer.functionError, undefined, JSON.stringify(answer.json));
    const own = answer.json / 1_048_576;
    const used = answer.maxMemoryUsedMb;
    // The parent has grown a little between its child's end and its own answer.
    assert.ok(
      used > own + CHILD_MB - GROWTH_MB && used < own + CHILD_MB + 110,
      `${used} MB, of which ${own} its own`,
    );
  },
};
