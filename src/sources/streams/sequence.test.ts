import assert from "node:assert/strict";
import { test } from "node:test";
import { compareSequence } from "./sequence.ts";

test("sequence numbers are ordered as numbers, however long and padded", () => {
  for (const [a, b, order] of [
    ["9", "10", -1],
    ["10", "9", 1],
    [
      "49590338271490256608559692538361571095921575989136588898",
      "49590338271490256608559692538361571095921575989136588899",
      -1,
    ],
    ["000111", "111", 0],
    ["000000000000000000001", "2", -1],
    ["0", "00", 0],
  ] as const)
    assert.equal(Math.sign(compareSequence(a, b)), order, `${a} ${b}`);
});
