/** Records in chunks: cut, written, and read from any place. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { joinChunks, recordsOf, toChunks } from "./chunk.ts";

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

test("chunks of one shard are joined, up to the size of one", () => {
  const chunk = (data: string) => toChunks(1, [{ partitionKey: data, data: Buffer.from(data) }]);
  const [joined, ...others] = joinChunks(["a", "b", "c"].flatMap(chunk));
  assert.ok(joined && others.length === 0);
  assert.deepEqual([joined.count, joined.bytes, joined.shardNo], [3, 6, 1]);
  assert.deepEqual(
    read(joined, 3, 1).map(([index, , data]) => [index, data]),
    [
      [2, "b"],
      [3, "c"],
    ],
  );
  const large = toChunks(0, [{ partitionKey: "k", data: Buffer.alloc(300_000) }]);
  assert.deepEqual(
    joinChunks([...chunk("a"), ...large, ...chunk("b"), ...chunk("c")]).map(({ count }) => count),
    [2, 2],
  );
  assert.deepEqual(joinChunks([]), []);
});
