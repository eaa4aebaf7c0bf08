/** The shape and order of sequence numbers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { INDEX_MAX, readSequenceNumber, sequenceNumber, sequenceNumbers } from "./sequence-number.ts";

const shard = { shardNo: 17, createdSeconds: 1_764_453_600 };

test("a number of AWS's is read", () => {
  // From the examples in the API's documentation.
  const number = "49546986683135544286507457936321625675700192471156785154";
  const parts = readSequenceNumber(number);
  assert.deepEqual(
    parts && [parts.shardNo, new Date(parts.shardCreatedSeconds * 1_000).getUTCFullYear()],
    [0, 2015],
  );
});

test("numbers have 56 digits, grow with the place, and say which shard they are of", () => {
  const numbers = sequenceNumbers(shard, 1_764_453_600_000_000, 100, 1_764_453_600);
  assert.deepEqual(numbers, numbers.toSorted());
  assert.ok(numbers.every((number) => /^\d{56}$/.test(number)));
  assert.equal(numbers[99], sequenceNumber(shard, 1_764_453_600_000_099, 1_764_453_600));
  assert.deepEqual(readSequenceNumber(numbers[7] ?? ""), {
    shardNo: 17,
    shardCreatedSeconds: 1_764_453_600,
    index: 1_764_453_600_000_007,
  });
});

test("a shard's end is after its records, and before its children's beginning", () => {
  const end = sequenceNumber(shard, INDEX_MAX, 1_800_000_000);
  assert.ok(end > sequenceNumber(shard, INDEX_MAX - 1, 1_900_000_000));
  const child = { shardNo: 18, createdSeconds: shard.createdSeconds + 1 };
  assert.ok(sequenceNumber(child, 0, 0) > end);
  assert.equal(readSequenceNumber(end)?.index, INDEX_MAX);
});

test("what is no sequence number is not read", () => {
  for (const text of ["", "0", "1".repeat(56), "9".repeat(56), "x".repeat(56), "4".repeat(55)])
    assert.equal(readSequenceNumber(text), undefined);
});
