/** What splits, merges and changes of the shard count make of shards. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { middleOf, toDecimal, uniformRanges } from "./hash-key.ts";
import { Resharding, newShard } from "./resharding.ts";
import { describeShard, parentsOf, readShardId, shardIdOf } from "./shard.ts";

const NOW = 1_764_453_600_000;
const KEYS = 2n ** 128n;

function streamOf(count: number): Resharding {
  const shards = uniformRanges(count).map((range, shardNo) => newShard(shardNo, range, [], NOW));
  return new Resharding(shards, count, NOW);
}

test("ranges cover all keys without a gap, whatever their number", () => {
  for (const count of [1, 2, 3, 7, 100]) {
    const ranges = uniformRanges(count).map(({ startHash, endHash }) => [
      BigInt(toDecimal(startHash)),
      BigInt(toDecimal(endHash)),
    ]);
    assert.equal(ranges[0]?.[0], 0n);
    assert.equal(ranges.at(-1)?.[1], KEYS - 1n);
    for (const [at, range] of ranges.slice(1).entries()) assert.equal(range[0], (ranges[at]?.[1] ?? 0n) + 1n);
  }
  assert.equal(
    toDecimal(middleOf({ startHash: "0".repeat(32), endHash: "f".repeat(32) })),
    String(KEYS / 2n),
  );
});

test("scaling ends with uniform shards, from any number to any other", () => {
  for (const [from, to] of [
    [1, 2],
    [2, 1],
    [3, 4],
    [4, 3],
    [5, 10],
    [10, 7],
    [7, 13],
  ] as const) {
    const resharding = streamOf(from);
    resharding.scale(to);
    assert.deepEqual(
      resharding.open.map(({ startHash, endHash }) => ({ startHash, endHash })),
      uniformRanges(to),
    );
    for (const shard of resharding.changed) {
      const parents = resharding.changed.filter(({ shardNo }) => parentsOf(shard).includes(shardNo));
      assert.ok(parents.every((parent) => parent.createdSeconds < shard.createdSeconds));
    }
  }
});

test("scaling to the same number changes nothing", () => {
  const resharding = streamOf(4);
  resharding.scale(4);
  assert.deepEqual(resharding.changed, []);
});

test("shards are named by twelve digits, and found by less", () => {
  assert.equal(shardIdOf(12), "shardId-000000000012");
  for (const id of ["shardId-000000000012", "shardId-12", "12"]) assert.equal(readShardId(id), 12);
  for (const id of ["", "shardId-", "x", "1.5", "99999999999"]) assert.equal(readShardId(id), undefined);
  const [shard] = streamOf(1).open;
  assert.ok(shard && !("ParentShardId" in describeShard(shard)));
});
