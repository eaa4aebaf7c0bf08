/** Records in chunks: cut, written, and read from any place. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { recordsOf, toChunks } from "./chunk.ts";

const read = (chunk: { count: number; content: Buffer }, lastIndex: number, after: number) =>
  [...recordsOf({ lastIndex, count: chunk.count, arrivedAt: 5, content: chunk.content }, after)].map(
    ({ index, partitionKey, data }) => [index, partitionKey, data.toString()],
  );

test("records come out as they went in, from a place on", () => {
  const [chunk] = toChunks(0, [
    { partitionKey: "a", data: Buffer.from("one") },
    { partitionKey: undefined, data: Buffer.from("two") },
    { partitionKey: "ü".repeat(256), data: Buffer.alloc(0) },
  ]);
  assert.ok(chunk);
  assert.deepEqual([chunk.count, chunk.bytes], [3, 4 + 3 + 512]);
  const all = [
    [8, "a", "one"],
    [9, undefined, "two"],
    [10, "ü".repeat(256), ""],
  ];
  assert.deepEqual(read(chunk, 10, 0), all);
  assert.deepEqual(read(chunk, 10, 8), all.slice(1));
  assert.deepEqual(read(chunk, 10, 10), []);
});

test("a chunk takes no more from a quarter of a MiB on", () => {
  const records = Array.from({ length: 10 }, () => ({ partitionKey: "k", data: Buffer.alloc(100_000) }));
  assert.deepEqual(
    toChunks(3, records).map(({ count, shardNo }) => [count, shardNo]),
    [
      [3, 3],
      [3, 3],
      [3, 3],
      [1, 3],
    ],
  );
  assert.deepEqual(toChunks(0, []), []);
});
