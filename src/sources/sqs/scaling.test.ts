import assert from "node:assert/strict";
import { test } from "node:test";
import { Scaling, boundsOf } from "./scaling.ts";

/** A queue that always has more than can be run, looked at ten times a second. @returns the limit at the end. */
function press(scaling: Scaling, from: number, seconds: number): number {
  for (let tick = 0; tick < seconds * 10; tick++) scaling.saturated(from + tick * 100);
  return scaling.limit(from + seconds * 1_000);
}

test("a standard queue begins with 5 batches, adds 300 a minute, and ends at 1,250", () => {
  const scaling = new Scaling(boundsOf({}, false));
  assert.equal(scaling.limit(0), 5);
  assert.equal(press(scaling, 0, 1), 5);
  assert.equal(press(scaling, 1_000, 60), 305);
  assert.equal(press(scaling, 61_000, 400), 1_250);
});

test("after a minute without more than it could take it begins anew", () => {
  const scaling = new Scaling(boundsOf({}, false));
  const limit = press(scaling, 0, 30);
  assert.ok(limit > 100);
  assert.equal(scaling.limit(30_000 + 59_000), limit);
  assert.equal(scaling.limit(30_000 + 61_000), 5);
});

test("MaximumConcurrency is the most", () => {
  assert.equal(press(new Scaling(boundsOf({ ScalingConfig: { MaximumConcurrency: 2 } }, false)), 0, 60), 2);
  assert.equal(press(new Scaling(boundsOf({ ScalingConfig: { MaximumConcurrency: 20 } }, false)), 0, 60), 20);
});

test("a FIFO queue is bound by its message groups, and by MaximumConcurrency", () => {
  assert.equal(new Scaling(boundsOf({}, true)).limit(0), 1_250);
  assert.equal(new Scaling(boundsOf({ ScalingConfig: { MaximumConcurrency: 3 } }, true)).limit(0), 3);
});

test("a provisioned poller has 10 batches, and they grow by 1,000 a minute up to the most pollers", () => {
  const scaling = new Scaling(
    boundsOf({ ProvisionedPollerConfig: { MinimumPollers: 3, MaximumPollers: 50 } }, false),
  );
  assert.equal(scaling.limit(0), 30);
  assert.ok(press(scaling, 0, 11) >= 30 + 160);
  assert.equal(press(scaling, 11_000, 60), 500);
  assert.equal(new Scaling(boundsOf({ ProvisionedPollerConfig: {} }, false)).limit(0), 20);
});

test("a throttle lowers the limit to what runs; where nothing does it pauses, longer each time; nothing is raised for a while", () => {
  const scaling = new Scaling(boundsOf({}, false));
  press(scaling, 0, 30);
  assert.equal(scaling.throttled(30_000, 7), 0);
  assert.equal(scaling.limit(30_000), 7);
  assert.equal(scaling.throttled(30_100, 0), 50);
  assert.equal(scaling.limit(30_100), 1);
  assert.equal(press(scaling, 30_200, 9), 1);
  assert.ok(press(scaling, 41_000, 5) > 1);
  for (let times = 0; times < 20; times++) scaling.throttled(50_000, 0);
  assert.equal(scaling.throttled(50_000, 0), 10_000);
  scaling.ran(100);
  assert.equal(scaling.throttled(50_000, 0), 50);
});

/** The same of a function whose batches take so long, of which so many a second can be run at most, however many are at it. */
function pressQuick(scaling: Scaling, from: number, seconds: number, ms: number, most: number): number {
  for (let tick = 0; tick < seconds * 10; tick++) {
    const now = from + tick * 100;
    const perTick = Math.min(most, (scaling.limit(now) * 1_000) / ms) / 10;
    for (let done = 0; done < Math.round(perTick); done++) scaling.ran(ms);
    scaling.saturated(now);
  }
  return scaling.limit(from + seconds * 1_000);
}

test("a quick function gets more at once as long as that brings more", () => {
  const bound = new Scaling(boundsOf({}, false));
  assert.ok(pressQuick(bound, 0, 60, 2, 500) <= 10, "processors were all busy from the start");
  assert.ok(bound.isQuick);
  const waiting = new Scaling(boundsOf({}, false));
  assert.ok(pressQuick(waiting, 0, 9, 40, 100_000) > 25, "it waits for others");
  const slow = new Scaling(boundsOf({}, false));
  assert.equal(pressQuick(slow, 0, 61, 1_000, 10), 305);
  assert.ok(!slow.isQuick);
});
