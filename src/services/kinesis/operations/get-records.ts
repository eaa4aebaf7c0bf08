/** GetShardIterator and GetRecords. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, Kinesis } from "../deps.ts";
import { dryRun, invalidArgument, rateExceeded, shardIsNotThere } from "../errors.ts";
import { ANSWER_BYTES_MAX, ANSWER_RECORDS_MAX } from "../limits.ts";
import { activeStream, placeNamed, shardOf } from "../lookup.ts";
import { readIterator, writeIterator } from "../records/iterator.ts";
import { startPlace } from "../records/start.ts";
import { readRecords } from "../records/read.ts";
import { childrenOf, describeRecord } from "../records/tell.ts";
import { shardIdOf } from "../shards/shard.ts";

export async function getShardIterator(
  kinesis: Kinesis,
  input: Input<Client, "GetShardIterator">,
  context: RequestContext,
): Promise<Output<Client, "GetShardIterator">> {
  const { clock, shardLimits } = kinesis;
  const stream = await activeStream(kinesis, placeNamed(input, context), context);
  const now = clock.now();
  const shard = shardOf(stream, input.ShardId ?? "", now);
  const after = await startPlace(kinesis, stream, shard, {
    type: input.ShardIteratorType ?? "LATEST",
    sequenceNumber: input.StartingSequenceNumber,
    timestamp: input.Timestamp,
    operation: "GetShardIterator",
  });
  if (input.DryRun === true) throw dryRun();
  if (!shardLimits.givesIterator(stream.stream_id, shard.shardNo, now))
    throw rateExceeded(shardIdOf(shard.shardNo), stream);
  const { stream_id: streamId, account, region, name } = stream;
  const iterator = { stream: { account, region, name }, streamId, shardNo: shard.shardNo, after };
  return { ShardIterator: writeIterator(iterator, now) };
}

export async function getRecords(
  kinesis: Kinesis,
  input: Input<Client, "GetRecords">,
  context: RequestContext,
): Promise<Output<Client, "GetRecords">> {
  const { clock, shardLimits, streamMetrics } = kinesis;
  const now = clock.now();
  const iterator = readIterator(input.ShardIterator ?? "", now);
  if (input.StreamARN !== undefined && placeNamed(input, context).name !== iterator.stream.name)
    throw invalidArgument(`The ShardIterator is of another stream than ${input.StreamARN}.`);
  const stream = await activeStream(kinesis, iterator.stream, context);
  const shardId = shardIdOf(iterator.shardNo);
  if (stream.stream_id !== iterator.streamId) throw shardIsNotThere(shardId, stream);
  const shard = shardOf(stream, shardId, now);
  if (input.DryRun === true) throw dryRun();
  if (!shardLimits.givesRecords(stream.stream_id, shard.shardNo, now)) {
    streamMetrics.gotNothing(stream, shardId);
    throw rateExceeded(shardId, stream);
  }
  const since = performance.now();
  const read = await readRecords(kinesis, stream, shard, iterator.after, {
    records: input.Limit ?? ANSWER_RECORDS_MAX,
    bytes: ANSWER_BYTES_MAX,
  });
  streamMetrics.got(stream, shardId, read, performance.now() - since);
  shardLimits.gave(stream.stream_id, shard.shardNo, read.bytes, now);
  const hasEnded = read.isAtTip && shard.closedAt !== null;
  return {
    Records: read.records.map((record) => describeRecord(shard, record)),
    MillisBehindLatest: read.millisBehindLatest,
    ...(hasEnded
      ? { ChildShards: childrenOf(stream, shard) }
      : { NextShardIterator: writeIterator({ ...iterator, after: read.last }, clock.now()) }),
  };
}
