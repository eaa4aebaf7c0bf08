import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import { test } from "node:test";
import { LOOK_MS, Turns } from "./turns.ts";

const width = availableParallelism() + 1;

/** Turns that have seen sixteen runs of so many milliseconds, the last of which ended at 100. */
function after(ms: number): Turns<object> {
  const turns = new Turns<object>();
  for (let run = 0; run < 16; run++) {
    const runner = {};
    turns.began(runner, 100 - ms);
    turns.ended(runner, ms, 100);
  }
  return turns;
}

function fill(turns: Turns<object>, count: number, now: number): object[] {
  const runners = Array.from({ length: count }, () => ({}));
  for (const runner of runners) turns.began(runner, now);
  return runners;
}

test("nobody waits before it is known what a function takes", () => {
  const turns = new Turns<object>();
  fill(turns, 1_000, 0);
  assert.equal(turns.isFull, false);
});

test("a quick function runs in a few environments at once, a slower one in as many as there are callers", () => {
  const quick = after(0.1);
  const runners = fill(quick, width - 1, 101);
  assert.equal(quick.isFull, false);
  runners.push(...fill(quick, 1, 101));
  assert.equal(quick.isFull, true);
  quick.ended(runners[0] as object, 0.1, 102);
  assert.equal(quick.isFull, false);

  const slower = after(2);
  fill(slower, 1_000, 101);
  assert.equal(slower.isFull, false);
});

test("what is still there at the second look makes place for others", () => {
  const turns = after(0.1);
  const slow = fill(turns, width, 101);
  turns.look(102);
  assert.equal(turns.isFull, true);
  turns.look(102 + LOOK_MS);
  assert.equal(turns.isFull, false);
  fill(turns, width, 104);
  assert.equal(turns.isFull, true);
  // Those that were slow do not count when they end.
  turns.ended(slow[0] as object, 5, 106);
  assert.equal(turns.isFull, true);
});

/** Looks at slow runs until nobody waits any more. Answers when that was. */
function lookUntilGivenUp(turns: Turns<object>, from: number): number {
  for (let now = from; ; now += LOOK_MS) {
    fill(turns, width, now);
    if (!turns.isFull) return now;
    assert.ok(now < from + 20 * LOOK_MS, "slow runs hold others back for ever");
    turns.look(now + 1);
  }
}

test("where runs stay slow nobody waits any more, and it is tried again ever more seldom", () => {
  const turns = after(0.1);
  let now = lookUntilGivenUp(turns, 101);
  let waitMs = 100;
  for (let times = 0; times < 3; times++) {
    for (const [after, isTried] of [
      [waitMs - 20, false],
      [waitMs + 20, true],
    ] as const) {
      for (let run = 0; run < 16; run++) {
        const [runner] = fill(turns, 1, now + after);
        turns.ended(runner as object, 0.1, now + after);
      }
      fill(turns, width, now + after);
      assert.equal(turns.isFull, isTried, `${after} ms after it was given up the ${times + 1}th time`);
    }
    now = lookUntilGivenUp(turns, now + waitMs + 21);
    waitMs *= 2;
  }
});
