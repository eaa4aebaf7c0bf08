/** When a message group is noisy, by AWS's two measures. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { noisyGroups } from "./rule.ts";

const load = (inFlight: number, processingMs = 0) => ({ inFlight, processingMs });

test("a group is noisy with more than a tenth of what is in flight, and thirty of it", () => {
  const noisy = (own: number, all: number) => noisyGroups(new Map([["a", load(own)]]), load(all));
  assert.deepEqual(noisy(30, 299), ["a"]);
  assert.deepEqual(noisy(30, 300), []);
  assert.deepEqual(noisy(29, 29), []);
});

test("a group is noisy with more than a tenth of the recent processing time, once that says something", () => {
  const noisy = (own: number, all: number) => noisyGroups(new Map([["a", load(1, own)]]), load(5, all));
  assert.deepEqual(noisy(1_001, 10_000), ["a"]);
  assert.deepEqual(noisy(1_000, 10_000), []);
  assert.deepEqual(noisy(9_999, 9_999), []);
});

test("of several noisy groups the one with the fewest messages in flight is first", () => {
  const groups = new Map([
    ["a", load(60)],
    ["b", load(31)],
    ["c", load(40)],
    ["quiet", load(2)],
  ]);
  assert.deepEqual(noisyGroups(groups, load(133)), ["b", "c", "a"]);
});
