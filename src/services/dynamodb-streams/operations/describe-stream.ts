/** DescribeStream: a stream and its shards. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, DynamoDbStreamsDeps } from "../deps.ts";
import { checkLimit, invalid } from "../errors.ts";
import { streamToRead } from "../lookup.ts";
import type { StreamShard } from "../ports.ts";

const SHARDS_MAX = 100;

export async function describeStream(
  deps: DynamoDbStreamsDeps,
  input: Input<Client, "DescribeStream">,
  context: RequestContext,
): Promise<Output<Client, "DescribeStream">> {
  const limit = checkLimit(input.Limit, SHARDS_MAX);
  const stream = await streamToRead(deps, input.StreamArn as string, context);
  const all = filtered(await deps.streams.shards(stream.arn), input);
  const shards = all.slice(firstAfter(all, input.ExclusiveStartShardId));
  const shown = shards.slice(0, limit);
  return {
    StreamDescription: {
      StreamArn: stream.arn,
      StreamLabel: stream.label,
      StreamStatus: stream.isEnabled ? "ENABLED" : "DISABLED",
      StreamViewType: stream.viewType,
      CreationRequestDateTime: new Date(stream.createdAt),
      TableName: stream.table,
      KeySchema: stream.keySchema,
      Shards: shown.map((shard) => ({
        ShardId: shard.shardId,
        SequenceNumberRange: {
          StartingSequenceNumber: shard.startingSequenceNumber,
          EndingSequenceNumber: shard.endingSequenceNumber,
        },
        ParentShardId: shard.parents[0],
      })),
      LastEvaluatedShardId: shards.length > limit ? shown.at(-1)?.shardId : undefined,
    },
  };
}

/** The shards that a ShardFilter lets through: those whose parent is named. */
function filtered(
  shards: readonly StreamShard[],
  { ShardFilter: filter }: Input<Client, "DescribeStream">,
): readonly StreamShard[] {
  if (!filter) return shards;
  const { Type: type, ShardId: parent } = filter;
  if (type === undefined || parent === undefined)
    throw invalid("ShardFilter must have a Type, which is CHILD_SHARDS, and the ShardId of the parent");
  return shards.filter(({ parents }) => parents.includes(parent));
}

/** Where the shards after one begin; of one that is gone or unknown, after all. */
function firstAfter(shards: readonly StreamShard[], shardId: string | undefined): number {
  if (shardId === undefined) return 0;
  const at = shards.findIndex((shard) => shard.shardId === shardId);
  return at === -1 ? shards.length : at + 1;
}
