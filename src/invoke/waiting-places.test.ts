import assert from "node:assert/strict";
import { test } from "node:test";
import { waitingBytes } from "./limits.ts";
import { waitingPlaces } from "./waiting-places.ts";

const GIB = 2 ** 30;
const places = (availableBytes: number, totalBytes: number, waiting = 0) =>
  waitingPlaces({ stalledPercent: 0, availableBytes, totalBytes }, waiting);

test("as many wait as fit into what is free beyond a quarter of the machine's memory, and beyond 1 GiB", () => {
  assert.equal(places(5 * GIB, 16 * GIB), GIB / waitingBytes);
  assert.equal(places(4 * GIB + 3.5 * waitingBytes, 16 * GIB), 3);
  assert.equal(places(4 * GIB, 16 * GIB), 0);
  assert.equal(places(2 * GIB, 2 * GIB), GIB / waitingBytes);
  assert.equal(places(0.9 * GIB, 2 * GIB), 0);
});

test("those that wait are counted, so that they are as many when free memory is what they have left of it", () => {
  const free = 4 * GIB + 10.5 * waitingBytes;
  for (const waiting of [0, 4, 10])
    assert.equal(places(free - waiting * waitingBytes, 16 * GIB, waiting), 10);
  assert.equal(places(4 * GIB - 3 * waitingBytes, 16 * GIB, 10), 7, "functions took the rest");
  assert.equal(places(3 * GIB, 16 * GIB, 10), 0);
});

test("where nothing tells what is free, there is no bound", () => {
  const unknown = { stalledPercent: undefined, availableBytes: undefined, totalBytes: undefined };
  assert.equal(waitingPlaces(unknown, 3), Infinity);
});
