import assert from "node:assert/strict";
import { test } from "node:test";
import { BackgroundWork } from "./background-work.ts";
import { MovableClock } from "./movable-clock.ts";

test("work runs once at a time, once more where it was asked for meanwhile, and again after a failure", async () => {
  const ends: (() => void)[] = [];
  const failures: unknown[] = [];
  let [runs, atOnce] = [0, 0];
  const work = new BackgroundWork({
    async work() {
      runs++;
      assert.equal(++atOnce, 1);
      await new Promise<void>((resolve) => ends.push(resolve));
      atOnce--;
      if (runs === 2) throw new Error("no");
    },
    failed: (error) => failures.push((error as Error).message),
  });
  work.soon();
  work.soon();
  const again = work.once();
  assert.equal(runs, 1);
  ends.shift()?.();
  await new Promise(setImmediate);
  assert.equal(runs, 2);
  ends.shift()?.();
  await again;
  assert.deepEqual([runs, failures], [2, ["no"]]);
  const last = work.once();
  ends.shift()?.();
  await last;
  assert.equal(runs, 3);
});

test("work in time ends when it is stopped, and what runs is waited for", async () => {
  const clock = new MovableClock();
  const signals: AbortSignal[] = [];
  let end: (() => void) | undefined;
  const work = new BackgroundWork({
    work: (signal) => new Promise<void>((resolve) => ((end = resolve), signals.push(signal))),
    failed: assert.fail,
  }).every(clock, 60_000);
  await clock.advance(59_000);
  assert.equal(signals.length, 0);
  await clock.advance(1_000);
  assert.equal(signals.length, 1);
  const stopped = work.stop();
  assert.equal(signals[0]?.aborted, true);
  end?.();
  await stopped;
  await clock.advance(600_000);
  work.soon();
  assert.equal(signals.length, 1);
});
