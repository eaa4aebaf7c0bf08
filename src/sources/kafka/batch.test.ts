import assert from "node:assert/strict";
import { test } from "node:test";
import { BATCH_BYTES_MAX } from "../source.ts";
import { cut, isFull } from "./batch.ts";
import { payloadOf } from "./event.ts";
import type { KafkaEvent } from "./event.ts";
import { PartitionBuffer } from "./partition-buffer.ts";
import type { Read } from "./partition-buffer.ts";

const envelope = { clusterArn: undefined, bootstrapServers: ["host:9092"], topic: "topic" };

/** A buffer of records from offset 0 on: each so many bytes long, or kept away by filters. */
function buffer(partition: number, sizes: readonly (number | undefined)[], position = sizes.length) {
  const reads = sizes.map((size, index): Read => {
    const offset = BigInt(index);
    if (size === undefined) return { offset, event: undefined };
    const json = `"${"x".repeat(size - 2)}"`;
    const event: KafkaEvent = { partition, offset, timestampMs: 0, key: null, json, bytes: size };
    return { offset, event };
  });
  const made = new PartitionBuffer(partition, 0n);
  made.add(reads, BigInt(position));
  return made;
}

test("a batch is cut at its size, and commits what it passed", () => {
  const [first, second] = [buffer(0, [10, 10, 10]), buffer(1, [10, undefined, 10])];
  assert.ok(isFull([first, second], 5, envelope) && !isFull([first, second], 6, envelope));
  const batch = cut([first, second], 4, envelope);
  assert.deepEqual(
    batch.events.map(({ partition, offset }) => [partition, Number(offset)]),
    [
      [0, 0],
      [0, 1],
      [0, 2],
      [1, 0],
    ],
  );
  assert.deepEqual(
    [...batch.offsets],
    [
      [0, 3n],
      [1, 2n],
    ],
  );
  assert.deepEqual([...cut([first, second], 4, envelope).offsets], [[1, 3n]]);
  assert.deepEqual([...cut([first, second], 4, envelope).offsets], []);
});

test("offsets behind the last record, such as transactions' marks, are passed once it was taken", () => {
  assert.deepEqual([...cut([buffer(0, [10], 5)], 1, envelope).offsets], [[0, 5n]]);
});

test("a batch is cut at 6 MB, as its payload has it, and what fits in none is told", () => {
  const third = Math.floor(BATCH_BYTES_MAX / 3);
  const buffers = [buffer(0, [third, third, third, BATCH_BYTES_MAX, 10])];
  assert.ok(isFull(buffers, 100, envelope));
  const batch = cut(buffers, 100, envelope);
  assert.deepEqual([batch.events.length, batch.oversized.length], [2, 0]);
  assert.ok(payloadOf(envelope, batch.events).length <= BATCH_BYTES_MAX);
  const rest = cut(buffers, 100, envelope);
  assert.deepEqual([rest.events.length, rest.oversized.length, [...rest.offsets]], [2, 1, [[0, 5n]]]);
});
