import assert from "node:assert/strict";
import { test } from "node:test";
import { gather } from "./batch.ts";

const limits = { size: 3, bytesMax: 100, windowMs: 0 };
const queue = (...bytes: number[]) => bytes.map((one, at) => ({ bytes: one, readAt: 1_000 + at }));

test("a batch goes at its size, at the largest event, or when its window is over", () => {
  for (const [what, bytes, change, now, expected] of [
    ["what is there goes at once without a window", [1], {}, 1_000, { count: 1, waitUntil: undefined }],
    ["no more than the batch size", [1, 1, 1, 1], {}, 1_000, { count: 3, waitUntil: undefined }],
    ["a window waits for more", [1, 1], { windowMs: 500 }, 1_100, { count: 2, waitUntil: 1_500 }],
    [
      "and ends that long after the first record",
      [1, 1],
      { windowMs: 500 },
      1_500,
      { count: 2, waitUntil: undefined },
    ],
    ["a full batch does not wait", [1, 1, 1], { windowMs: 500 }, 1_100, { count: 3, waitUntil: undefined }],
    [
      "nor one that the next record does not fit into",
      [60, 60],
      { windowMs: 500 },
      1_100,
      { count: 1, waitUntil: undefined },
    ],
    ["the comma counts", [50, 50], {}, 1_000, { count: 1, waitUntil: undefined }],
    ["just full", [50, 49], { windowMs: 500 }, 1_100, { count: 2, waitUntil: undefined }],
    [
      "what is larger than an event is alone",
      [500, 1],
      { windowMs: 500 },
      1_100,
      { count: 1, waitUntil: undefined },
    ],
  ] as const)
    assert.deepEqual(gather(queue(...bytes), { ...limits, ...change }, now), expected, what);
});
