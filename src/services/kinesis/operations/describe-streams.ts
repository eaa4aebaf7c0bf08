/** DescribeStream, DescribeStreamSummary, ListStreams, DescribeLimits and DescribeAccountSettings. */
import { notImplemented } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, Kinesis } from "../deps.ts";
import { ON_DEMAND_STREAMS_MAX, SHARDS_MAX } from "../limits.ts";
import { streamNamed } from "../lookup.ts";
import { readShardMetrics } from "../monitoring/metric-names.ts";
import { streamArn } from "../names.ts";
import { describeShard, readShardId } from "../shards/shard.ts";
import { livingShards } from "../streams.ts";
import { countConsumers } from "../store-consumers.ts";
import { countOpen, listStreams as listStreamRows } from "../store.ts";
import type { StreamRow } from "../store.ts";
import { readToken, writeToken } from "../tokens.ts";

const SHARDS_PER_ANSWER_MAX = 100;
const STREAMS_PER_ANSWER_MAX = 100;

export async function describeStream(
  kinesis: Kinesis,
  input: Input<Client, "DescribeStream">,
  context: RequestContext,
): Promise<Output<Client, "DescribeStream">> {
  const stream = await streamNamed(kinesis, input, context);
  const after = input.ExclusiveStartShardId === undefined ? -1 : readShardId(input.ExclusiveStartShardId);
  const limit = Math.min(input.Limit ?? SHARDS_PER_ANSWER_MAX, SHARDS_PER_ANSWER_MAX);
  const shards = livingShards(stream, kinesis.clock.now()).filter(({ shardNo }) => shardNo > (after ?? -1));
  return {
    StreamDescription: {
      ...common(stream),
      Shards: shards.slice(0, limit).map(describeShard),
      HasMoreShards: shards.length > limit,
    },
  };
}

export async function describeStreamSummary(
  kinesis: Kinesis,
  input: Input<Client, "DescribeStreamSummary">,
  context: RequestContext,
): Promise<Output<Client, "DescribeStreamSummary">> {
  const stream = await streamNamed(kinesis, input, context);
  return {
    StreamDescriptionSummary: {
      ...common(stream),
      OpenShardCount: stream.open.length,
      ConsumerCount: await countConsumers(kinesis.database, stream.stream_id),
      MaxRecordSizeInKiB: stream.record_kib_max,
      ...(stream.mode === "ON_DEMAND" && { RecordDistributionStrategy: stream.distribution }),
    },
  };
}

function common(stream: StreamRow) {
  return {
    ...summary(stream),
    RetentionPeriodHours: stream.retention_hours,
    EnhancedMonitoring: [{ ShardLevelMetrics: readShardMetrics(stream.shard_metrics) }],
    EncryptionType: "NONE" as const,
  };
}

function summary(stream: StreamRow) {
  return {
    StreamName: stream.name,
    StreamARN: streamArn(stream),
    StreamStatus: stream.status,
    StreamModeDetails: { StreamMode: stream.mode },
    StreamCreationTimestamp: new Date(Math.floor(stream.created_at / 1_000) * 1_000),
  };
}

const isName = (position: unknown): position is string => typeof position === "string";

export async function listStreams(
  { database, clock }: Kinesis,
  { Limit, ExclusiveStartStreamName, NextToken }: Input<Client, "ListStreams">,
  context: RequestContext,
): Promise<Output<Client, "ListStreams">> {
  const now = clock.now();
  const after =
    NextToken === undefined ? (ExclusiveStartStreamName ?? "") : readToken("streams", NextToken, now, isName);
  const limit = Math.min(Limit ?? STREAMS_PER_ANSWER_MAX, STREAMS_PER_ANSWER_MAX);
  const rows = await listStreamRows(database, context, after, limit + 1);
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    StreamNames: page.map(({ name }) => name),
    HasMoreStreams: rows.length > limit,
    StreamSummaries: page.map(summary),
    ...(rows.length > limit && last && { NextToken: writeToken("streams", last.name, now) }),
  };
}

export async function describeLimits(
  { database }: Kinesis,
  _input: object,
  context: RequestContext,
): Promise<Output<Client, "DescribeLimits">> {
  const provisioned = await countOpen(database, context, "PROVISIONED");
  const onDemand = await countOpen(database, context, "ON_DEMAND");
  return {
    ShardLimit: SHARDS_MAX,
    OpenShardCount: provisioned.shards,
    OnDemandStreamCount: onDemand.streams,
    OnDemandStreamCountLimit: ON_DEMAND_STREAMS_MAX,
  };
}

export function describeAccountSettings(): Output<Client, "DescribeAccountSettings"> {
  return { MinimumThroughputBillingCommitment: { Status: "DISABLED" } };
}

/** There is nothing to be paid here, so there is no commitment to be entered. */
export function updateAccountSettings(
  _kinesis: Kinesis,
  input: Input<Client, "UpdateAccountSettings">,
): Output<Client, "UpdateAccountSettings"> {
  const status = input.MinimumThroughputBillingCommitment?.Status;
  if (status !== "DISABLED") throw notImplemented(`MinimumThroughputBillingCommitment.Status ${status}`);
  return describeAccountSettings();
}
