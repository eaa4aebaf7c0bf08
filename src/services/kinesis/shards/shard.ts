/** A shard: a range of hash keys, and the records that came while it was open. Pure. */
import { toDecimal } from "./hash-key.ts";
import type { HashRange } from "./hash-key.ts";
import { INDEX_MAX, sequenceNumber } from "./sequence-number.ts";
import type { NumberedShard } from "./sequence-number.ts";

export interface Shard extends HashRange, NumberedShard {
  readonly shardNo: number;
  /** The shard that was split, or the one that was merged. */
  readonly parentNo: number | null;
  /** The other one that was merged. */
  readonly adjacentNo: number | null;
  /** As sequence numbers have it, in epoch seconds: later than its parents'. */
  readonly createdSeconds: number;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  /** Null while it is open. */
  readonly closedAt: number | null;
}

const SECOND_MS = 1_000;
const SHARD_NO_MAX = 2 ** 31 - 1;

export function shardIdOf(shardNo: number): string {
  return `shardId-${String(shardNo).padStart(12, "0")}`;
}

/** AWS takes an id in short forms too: `shardId-3`, `3`. Undefined for what is no id. */
export function readShardId(shardId: string): number | undefined {
  const [, digits] = /^(?:[^-]*-)?(\d+)$/.exec(shardId) ?? [];
  const shardNo = Number(digits);
  return digits !== undefined && shardNo <= SHARD_NO_MAX ? shardNo : undefined;
}

export function parentsOf({ parentNo, adjacentNo }: Shard): number[] {
  return [parentNo, adjacentNo].filter((one) => one !== null);
}

/** Before the shard's first record. */
export function startingNumber(shard: Shard): string {
  return sequenceNumber(shard, 0, shard.createdSeconds);
}

export function describeRange({ startHash, endHash }: HashRange) {
  return { StartingHashKey: toDecimal(startHash), EndingHashKey: toDecimal(endHash) };
}

/** As ListShards and DescribeStream tell it. */
export function describeShard(shard: Shard) {
  const { shardNo, parentNo, adjacentNo, closedAt } = shard;
  const ending =
    closedAt === null ? undefined : sequenceNumber(shard, INDEX_MAX, Math.floor(closedAt / SECOND_MS));
  return {
    ShardId: shardIdOf(shardNo),
    ...(parentNo !== null && { ParentShardId: shardIdOf(parentNo) }),
    ...(adjacentNo !== null && { AdjacentParentShardId: shardIdOf(adjacentNo) }),
    HashKeyRange: describeRange(shard),
    SequenceNumberRange: {
      StartingSequenceNumber: startingNumber(shard),
      ...(ending !== undefined && { EndingSequenceNumber: ending }),
    },
  };
}
