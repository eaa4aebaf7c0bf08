import assert from "node:assert/strict";
import { test } from "node:test";
import { ProgressTracker, laneOf } from "./progress.ts";
import type { Progress } from "./progress.ts";

const START: Progress = { position: { at: "TRIM_HORIZON" }, ahead: [] };
const KEYS = ["a", "b", "c", "d", "e", "f", "g", "h"];
/** Keys of each of two lanes. */
const [LEFT, RIGHT] = [0, 1].map((lane) => KEYS.find((key) => laneOf(key, 2) === lane) ?? "");

test("a key stays in its lane, for good", () => {
  assert.deepEqual(
    KEYS.map((key) => laneOf(key, 10)),
    [7, 1, 5, 6, 4, 6, 8, 9],
  );
  assert.ok(KEYS.every((key) => laneOf(key, 1) === 0));
});

test("with one lane the checkpoint is the last record that is done", () => {
  const tracker = new ProgressTracker(START, 1);
  for (const one of ["1", "2", "3"]) tracker.add(one);
  tracker.readTo({ after: "3" });
  assert.deepEqual(tracker.progress(), START);
  tracker.done(0, ["1", "2"]);
  assert.deepEqual(tracker.progress(), { position: { after: "2" }, ahead: [] });
  tracker.done(0, ["3"]);
  tracker.readTo({ after: "5" });
  assert.deepEqual(tracker.progress(), { position: { after: "5" }, ahead: [] });
});

test("a lane that is ahead moves the checkpoint only when those before it are done", () => {
  const tracker = new ProgressTracker(START, 2);
  // 1 and 3 are of the left lane, 2 and 4 of the right one.
  for (const one of ["1", "2", "3", "4"]) tracker.add(one);
  tracker.readTo({ after: "4" });
  tracker.done(1, ["2", "4"]);
  assert.deepEqual(tracker.progress(), { ...START, ahead: [{ lanes: 2, done: [null, "4"] }] });
  tracker.done(0, ["1"]);
  assert.deepEqual(tracker.progress(), { position: { after: "2" }, ahead: [{ lanes: 2, done: ["1", "4"] }] });
  tracker.done(0, ["3"]);
  assert.deepEqual(tracker.progress(), { position: { after: "4" }, ahead: [] });
});

test("after a crash only what was not done comes again, under another ParallelizationFactor too", () => {
  const saved: Progress = { position: { after: "2" }, ahead: [{ lanes: 2, done: ["1", "6"] }] };
  for (const lanes of [1, 2, 3]) {
    const tracker = new ProgressTracker(saved, lanes);
    const records = [
      { number: "3", key: LEFT ?? "" },
      { number: "4", key: RIGHT ?? "" },
      { number: "6", key: RIGHT ?? "" },
      { number: "7", key: RIGHT ?? "" },
    ];
    const again = records.filter(({ number, key }) => {
      tracker.add(number);
      if (!tracker.wasDone(number, key)) return true;
      tracker.skip(number);
      return false;
    });
    assert.deepEqual(
      again.map(({ number }) => number),
      ["3", "7"],
      `${lanes} lanes`,
    );
    tracker.readTo({ after: "7" });
    // What the old lanes had done is kept until the checkpoint is past it.
    assert.deepEqual(
      tracker.progress().ahead.find(({ lanes: of }) => of === 2)?.done[1],
      "6",
      `${lanes} lanes`,
    );
    tracker.done(laneOf(LEFT ?? "", lanes), ["3"]);
    assert.deepEqual(tracker.progress().position, { after: "6" });
    assert.ok(lanes === 2 || !tracker.progress().ahead.some(({ lanes: of }) => of === 2));
  }
});

test("random orders of completion: the checkpoint is never past a record that is not done, and none is lost over restarts", () => {
  let seed = 7;
  const random = (below: number) => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) % below;
  for (let round = 0; round < 200; round++) {
    const records = Array.from({ length: 40 }, (_, at) => ({
      number: String(at + 1),
      key: KEYS[random(8)] ?? "",
    }));
    const doneTimes = new Map<string, number>();
    let saved = START;
    for (let life = 0; life < 50 && doneTimes.size < records.length; life++) {
      const lanes = 1 + random(4);
      const tracker = new ProgressTracker(saved, lanes);
      const from = "after" in saved.position ? Number(saved.position.after) : 0;
      const queues: string[][] = Array.from({ length: lanes }, () => []);
      for (const { number, key } of records.slice(from)) {
        tracker.add(number);
        if (tracker.wasDone(number, key)) tracker.skip(number);
        else queues[laneOf(key, lanes)]?.push(number);
      }
      tracker.readTo({ after: String(records.length) });
      for (let step = random(8); step >= 0; step--) {
        const lane = random(lanes);
        const batch = queues[lane]?.splice(0, 1 + random(3)) ?? [];
        if (batch.length === 0) continue;
        tracker.done(lane, batch);
        for (const one of batch) doneTimes.set(one, (doneTimes.get(one) ?? 0) + 1);
        saved = tracker.progress();
        const at = "after" in saved.position ? Number(saved.position.after) : 0;
        for (let before = 1; before <= at; before++)
          assert.ok(doneTimes.has(String(before)), `${before} was skipped`);
      }
    }
    assert.equal(doneTimes.size, records.length);
    assert.ok(
      [...doneTimes.values()].every((times) => times === 1),
      "what was made durable does not come again",
    );
  }
});
