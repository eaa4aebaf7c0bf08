import assert from "node:assert/strict";
import { test } from "node:test";
import { firstLanes, nextLanes, pollersOf, share } from "./pollers.ts";

const load = { partitions: 12, lag: 10_000, batchSize: 100, wasThrottled: false };

test("one lane at first, twice as many while it is behind, never more than partitions, and back without lag", () => {
  assert.equal(firstLanes({}, 12), 1);
  assert.deepEqual(
    [1, 2, 8, 12].map((lanes) => nextLanes({}, lanes, load)),
    [2, 4, 12, 12],
  );
  assert.equal(nextLanes({}, 4, { ...load, lag: 300 }), 4);
  assert.equal(nextLanes({}, 5, { ...load, lag: 0 }), 3);
  assert.equal(nextLanes({}, 8, { ...load, wasThrottled: true }), 4);
  assert.equal(nextLanes({}, 1, { ...load, partitions: 0 }), 1);
});

test("provisioned mode keeps within its pollers, of five invocations each", () => {
  const settings = { ProvisionedPollerConfig: { MinimumPollers: 1, MaximumPollers: 2 } };
  assert.equal(firstLanes(settings, 30), 5);
  assert.equal(firstLanes(settings, 3), 3);
  assert.equal(nextLanes(settings, 5, { ...load, partitions: 30 }), 10);
  assert.equal(nextLanes(settings, 10, { ...load, partitions: 30 }), 10);
  assert.equal(nextLanes(settings, 10, { ...load, partitions: 30, lag: 0 }), 5);
  assert.deepEqual([1, 5, 6].map(pollersOf), [1, 1, 2]);
});

test("partitions are shared out evenly, and no lane is empty", () => {
  assert.deepEqual(share([0, 1, 2, 3, 4], 2), [
    [0, 2, 4],
    [1, 3],
  ]);
  assert.deepEqual(share([0], 5), [[0]]);
  assert.deepEqual(share([], 5), []);
});
