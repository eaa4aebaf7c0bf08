/** Ranges: whole, first, last, past the end, and those that are ignored. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { contentRange, parseRange } from "./range.ts";

test("one range is cut to the object", () => {
  assert.deepEqual(parseRange("bytes=0-9", 100), { start: 0, end: 9 });
  assert.deepEqual(parseRange("bytes=90-200", 100), { start: 90, end: 99 });
  assert.deepEqual(parseRange("bytes=5-", 100), { start: 5, end: 99 });
  assert.deepEqual(parseRange("bytes=-10", 100), { start: 90, end: 99 });
  assert.deepEqual(parseRange("bytes=-1000", 100), { start: 0, end: 99 });
  assert.equal(contentRange({ start: 0, end: 9 }, 100), "bytes 0-9/100");
});

test("several ranges, other units, reversed and malformed ones are ignored", () => {
  for (const header of ["bytes=0-1,3-4", "items=0-1", "bytes=5-2", "bytes=-", "bytes=a-b", "0-5", undefined])
    assert.equal(parseRange(header, 100), undefined);
});

test("a range without a byte of the object is InvalidRange", () => {
  for (const [header, size] of [
    ["bytes=100-", 100],
    ["bytes=-0", 100],
    ["bytes=0-", 0],
    ["bytes=-5", 0],
  ] as const)
    assert.throws(() => parseRange(header, size), {
      code: "InvalidRange",
      members: { RangeRequested: header, ActualObjectSize: size },
    });
});
