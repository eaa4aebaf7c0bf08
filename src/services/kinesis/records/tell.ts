/** Records and the children of closed shards, as answers tell them. */
import { sequenceNumber } from "../shards/sequence-number.ts";
import { describeRange, parentsOf, shardIdOf } from "../shards/shard.ts";
import type { Shard } from "../shards/shard.ts";
import type { Stream } from "../streams.ts";
import type { StoredRecord } from "./chunk.ts";

export function describeRecord(shard: Shard, { index, arrivedAt, data, partitionKey }: StoredRecord) {
  return {
    SequenceNumber: sequenceNumber(shard, index, Math.floor(arrivedAt / 1_000)),
    ApproximateArrivalTimestamp: new Date(arrivedAt),
    Data: data,
    PartitionKey: partitionKey,
  };
}

/** The shards that a closed shard was made into. */
export function childrenOf({ shards }: Stream, { shardNo }: Shard) {
  return shards
    .filter((shard) => parentsOf(shard).includes(shardNo))
    .map((shard) => ({
      ShardId: shardIdOf(shard.shardNo),
      ParentShards: parentsOf(shard).map(shardIdOf),
      HashKeyRange: describeRange(shard),
    }));
}
