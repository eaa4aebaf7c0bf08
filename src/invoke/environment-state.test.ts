import assert from "node:assert/strict";
import { test } from "node:test";
import { enter } from "./environment-state.ts";

test("an environment goes through its life and nowhere else", () => {
  const life = [
    "booting",
    "init",
    "resetting",
    "failed",
    "init",
    "idle",
    "busy",
    "idle",
    "busy",
    "resetting",
    "failed",
    "stopping",
    "gone",
  ] as const;
  for (const [at, state] of life.entries()) {
    const next = life[at + 1];
    if (next) assert.equal(enter(state, next), next);
  }
  for (const [from, to] of [
    ["gone", "idle"],
    ["stopping", "busy"],
    ["busy", "busy"],
    ["booting", "busy"],
    ["busy", "init"],
    ["idle", "init"],
    ["failed", "busy"],
    ["resetting", "idle"],
  ] as const)
    assert.throws(() => enter(from, to), /cannot go from/);
});
