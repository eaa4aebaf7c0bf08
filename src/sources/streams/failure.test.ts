import assert from "node:assert/strict";
import { test } from "node:test";
import { decide, tooOld } from "./failure.ts";
import type { Attempts, Decision, Result } from "./failure.ts";

const NONE = { retries: Infinity, bisects: false };
const fresh = (size: number): Attempts => ({ size, failures: 0, delays: 0 });

/** What is left to compare when waits do not matter. */
function kindOf(decision: Decision): unknown {
  if (decision.kind !== "again") return decision;
  return { kind: decision.kind, done: decision.done, rest: decision.rest };
}

const failed: Result = { kind: "failed" };
const until = (at: number): Result => ({ kind: "done until", at });

test("what follows from an attempt", () => {
  const rest = (size: number, failures: number, delays = 0) => ({ size, failures, delays });
  for (const [what, attempts, result, policy, expected] of [
    ["success", fresh(4), { kind: "done" }, {}, { kind: "advance", done: 4 }],
    [
      "an error without limits is retried whole",
      fresh(4),
      failed,
      {},
      { kind: "again", done: 0, rest: rest(4, 1) },
    ],
    ["no retries", fresh(4), failed, { retries: 0 }, { kind: "discard", done: 0 }],
    ["retries left", rest(4, 1), failed, { retries: 2 }, { kind: "again", done: 0, rest: rest(4, 2) }],
    ["retries used up", rest(4, 2), failed, { retries: 2 }, { kind: "discard", done: 0 }],
    [
      "bisect splits, and uses no retry",
      rest(5, 0),
      failed,
      { retries: 0, bisects: true },
      { kind: "split", at: 3 },
    ],
    [
      "one record cannot be split",
      fresh(1),
      failed,
      { retries: 0, bisects: true },
      { kind: "discard", done: 0 },
    ],
    [
      "one record is retried",
      fresh(1),
      failed,
      { retries: 1, bisects: true },
      { kind: "again", done: 0, rest: rest(1, 1) },
    ],
    [
      "a throttle uses no retry",
      rest(4, 2),
      { kind: "not run" },
      { retries: 2 },
      { kind: "again", done: 0, rest: rest(4, 2, 1) },
    ],
    [
      "nor a second one",
      rest(4, 2, 1),
      { kind: "not run" },
      { retries: 2 },
      { kind: "again", done: 0, rest: rest(4, 2, 2) },
    ],
    [
      "a throttle does not split",
      fresh(4),
      { kind: "not run" },
      { bisects: true },
      { kind: "again", done: 0, rest: rest(4, 0, 1) },
    ],
    [
      "the checkpoint moves to the failed record",
      rest(4, 2),
      until(3),
      { retries: 2 },
      { kind: "again", done: 3, rest: rest(1, 1) },
    ],
    ["which has no retry to spend", fresh(4), until(1), { retries: 0 }, { kind: "discard", done: 1 }],
    [
      "a first record that failed is an error of all",
      rest(4, 2),
      until(0),
      { retries: 2 },
      { kind: "discard", done: 0 },
    ],
    [
      "bisect cuts there, and uses no retry",
      fresh(4),
      until(1),
      { retries: 0, bisects: true },
      { kind: "again", done: 1, rest: rest(3, 0) },
    ],
    [
      "then splits what failed at its first",
      fresh(3),
      until(0),
      { retries: 0, bisects: true },
      { kind: "split", at: 2 },
    ],
    [
      "a last record that failed is alone",
      fresh(4),
      until(3),
      { retries: 0, bisects: true },
      { kind: "discard", done: 3 },
    ],
    ["too large together", fresh(4), { kind: "too large" }, {}, { kind: "split", at: 2 }],
    ["too large alone", fresh(1), { kind: "too large" }, {}, { kind: "discard", done: 0 }],
  ] as const)
    assert.deepEqual(kindOf(decide(attempts, result, { ...NONE, ...policy })), expected, what);
});

test("retries wait a tenth of a second, doubling to a minute; after a throttle the waits begin anew", () => {
  const waits = [];
  let attempts = fresh(1);
  for (let at = 0; at < 12; at++) {
    const decision = decide(attempts, failed, NONE);
    assert.ok(decision.kind === "again");
    waits.push(decision.waitMs);
    attempts = decision.rest;
  }
  assert.deepEqual(waits, [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 51_200, 60_000, 60_000]);
  const throttled = decide(attempts, { kind: "not run" }, NONE);
  assert.ok(throttled.kind === "again" && throttled.waitMs === 200);
});

test("a poison record among a thousand is found by halving without a retry spent", () => {
  const poison = 617;
  const stack = [{ from: 0, size: 1_000, failures: 0, delays: 0 }];
  const taken: number[] = [];
  const discarded: number[] = [];
  let attempts = 0;
  for (let work = stack.pop(); work; work = stack.pop()) {
    attempts++;
    const isPoisoned = poison >= work.from && poison < work.from + work.size;
    const decision = decide(work, isPoisoned ? failed : { kind: "done" }, { retries: 0, bisects: true });
    if (decision.kind === "split") {
      stack.push({ ...work, from: work.from + decision.at, size: work.size - decision.at });
      stack.push({ ...work, size: decision.at });
    } else for (let at = 0; at < work.size; at++) (isPoisoned ? discarded : taken).push(work.from + at);
  }
  assert.deepEqual(discarded, [poison]);
  assert.equal(taken.length, 999);
  assert.deepEqual(
    taken,
    taken.toSorted((a, b) => a - b),
  );
  assert.ok(attempts <= 22, `${attempts} attempts`);
});

test("records at the head that are too old", () => {
  assert.equal(tooOld([1_000, 2_000, 3_000], Infinity, 9_000), 0);
  assert.equal(tooOld([1_000, 2_000, 3_000], 7_000, 9_000), 1);
  assert.equal(tooOld([1_000, 2_000, 3_000], 1_000, 9_000), 3);
});
