/** SplitShard, MergeShards and UpdateShardCount: done when they are answered. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, Kinesis } from "../deps.ts";
import { requireActive } from "../change.ts";
import { invalidArgument, isOnDemand, limitExceeded, noSuchShard, resourceInUse } from "../errors.ts";
import { DAY_MS, SHARD_COUNT_CHANGES_MAX, STREAM_SHARDS_MAX } from "../limits.ts";
import { streamNamed } from "../lookup.ts";
import { streamArn } from "../names.ts";
import { newRowId } from "../row-id.ts";
import { keyAfter, readHashKey, toDecimal } from "../shards/hash-key.ts";
import { readShardId, shardIdOf } from "../shards/shard.ts";
import type { Shard } from "../shards/shard.ts";
import type { Stream } from "../streams.ts";
import { changesSince, noteChange } from "../store.ts";
import { requireRoom } from "./create-stream.ts";

export async function splitShard(
  kinesis: Kinesis,
  input: Input<Client, "SplitShard">,
  context: RequestContext,
): Promise<object> {
  const found = await provisioned(kinesis, input, context);
  const { ShardToSplit = "", NewStartingHashKey = "" } = input;
  await kinesis.scaling.reshard(found, async (tx, stream, resharding) => {
    const shard = openShard(stream, ShardToSplit);
    await requireRoom(tx, stream, stream.mode, 1);
    const key = readHashKey(NewStartingHashKey);
    // Neither half may be a single key at the lower end, as AWS has it.
    if (key === undefined || key <= keyAfter(shard.startHash) || key >= shard.endHash)
      throw invalidArgument(
        `NewStartingHashKey ${NewStartingHashKey} used in SplitShard() on shard ${shardIdOf(shard.shardNo)} in stream ${stream.name} ` +
          `under account ${stream.account} is not both greater than one plus the shard's StartingHashKey ` +
          `${toDecimal(shard.startHash)} and less than the shard's EndingHashKey ${toDecimal(shard.endHash)}.`,
      );
    resharding.split(shard.shardNo, key);
  });
  return {};
}

export async function mergeShards(
  kinesis: Kinesis,
  input: Input<Client, "MergeShards">,
  context: RequestContext,
): Promise<object> {
  const found = await provisioned(kinesis, input, context);
  const { ShardToMerge = "", AdjacentShardToMerge = "" } = input;
  await kinesis.scaling.reshard(found, async (_tx, stream, resharding) => {
    const shard = openShard(stream, ShardToMerge);
    const adjacent = openShard(stream, AdjacentShardToMerge);
    const [first, second] = shard.startHash < adjacent.startHash ? [shard, adjacent] : [adjacent, shard];
    if (first === second || keyAfter(first.endHash) !== second.startHash)
      throw invalidArgument(
        `Shards ${shardIdOf(shard.shardNo)} and ${shardIdOf(adjacent.shardNo)} in stream ${stream.name} under account ` +
          `${stream.account} are not an adjacent pair of shards eligible for merging`,
      );
    resharding.merge(shard.shardNo, adjacent.shardNo);
  });
  return {};
}

export async function updateShardCount(
  kinesis: Kinesis,
  input: Input<Client, "UpdateShardCount">,
  context: RequestContext,
): Promise<Output<Client, "UpdateShardCount">> {
  const found = await provisioned(kinesis, input, context);
  const target = input.TargetShardCount ?? 0;
  const current = await kinesis.scaling.reshard(found, async (tx, stream, resharding) => {
    const open = stream.open.length;
    requireReachable(open, target);
    if (target > open) await requireRoom(tx, stream, stream.mode, target - open);
    const now = kinesis.clock.now();
    const changes = await changesSince(tx, stream.stream_id, "shard-count", now - DAY_MS);
    if (changes >= SHARD_COUNT_CHANGES_MAX)
      throw limitExceeded(
        `UpdateShardCount can be used at most ${SHARD_COUNT_CHANGES_MAX} times in 24 hours for a stream, and ${stream.name} has been scaled ${changes} times.`,
      );
    await noteChange(tx, stream.stream_id, "shard-count", now, newRowId(kinesis.ids));
    resharding.scale(target);
    return open;
  });
  return {
    StreamName: found.name,
    StreamARN: streamArn(found),
    CurrentShardCount: current,
    TargetShardCount: target,
  };
}

/** @throws AwsError LimitExceededException */
function requireReachable(open: number, target: number): void {
  const counts = `Current open shard count: ${open} Target shard count: ${target}`;
  if (target > open * 2)
    throw limitExceeded(
      `UpdateShardCount cannot scale up over double your current open shard count. ${counts}`,
    );
  if (target < open / 2)
    throw limitExceeded(
      `UpdateShardCount cannot scale down below half your current open shard count. ${counts}`,
    );
  if (target > STREAM_SHARDS_MAX)
    throw limitExceeded(`UpdateShardCount cannot scale a stream over ${STREAM_SHARDS_MAX} shards. ${counts}`);
}

async function provisioned(
  kinesis: Kinesis,
  input: Parameters<typeof streamNamed>[1],
  context: RequestContext,
): Promise<Stream> {
  const stream = await streamNamed(kinesis, input, context);
  requireActive(stream);
  if (stream.mode === "ON_DEMAND") throw isOnDemand(stream);
  return stream;
}

/** @throws AwsError for a shard that is not there, or is closed */
function openShard(stream: Stream, shardId: string): Shard {
  const shardNo = readShardId(shardId);
  const shard = stream.shards.find((one) => one.shardNo === shardNo);
  if (!shard) throw noSuchShard(shardId, stream);
  if (shard.closedAt === null) return shard;
  throw resourceInUse(
    `Shard ${shardIdOf(shard.shardNo)} in stream ${stream.name} under account ${stream.account} is not open: it has been split or merged.`,
  );
}
