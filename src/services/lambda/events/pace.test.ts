import assert from "node:assert/strict";
import { test } from "node:test";
import { Pace, allowance } from "./pace.ts";

test("events begin as they may where few come, or the server has time", () => {
  assert.equal(allowance(0, 1, 50), Infinity);
  assert.equal(allowance(49, 1, 50), Infinity);
  assert.equal(allowance(10_000, 0.5, 50), Infinity);
});

test("while a flood of events keeps the server busy, a share of them begins, and never none", () => {
  assert.equal(allowance(1_600, 1, 50), 100);
  assert.equal(allowance(50, 0.95, 50), 10);
});

test("what is a flood is told by the CPU time that the server had", () => {
  assert.equal(allowance(20, 1, 50), Infinity);
  assert.equal(allowance(20, 1, 20), 4);
  assert.equal(allowance(3, 1, 2), 1);
});

test("a flood bounds what begins until it is over", async () => {
  const pace = new Pace();
  let taken = 0;
  const windows = await new Promise<number>((resolve) => {
    let seen = 0;
    pace.onMore = () => {
      while (taken < 1_000_000 && pace.take()) taken++;
      seen++;
      if (taken === 1_000_000) resolve(seen);
    };
    // Three windows without a pause, and nothing after them.
    const floodUntil = performance.now() + 150;
    const flood = () => {
      for (const until = performance.now() + 10; performance.now() < until;) pace.accepted();
      if (performance.now() < floodUntil) setImmediate(flood);
    };
    flood();
  });
  assert.ok(windows > 1, "the first window was bounded");
});
