/** The metrics of streams and shards: their units, and what their values mean together. */
import type { SeriesId } from "../../../telemetry/metrics.ts";

type Kinds = Readonly<Record<string, readonly [SeriesId["unit"], SeriesId["kind"]]>>;

const BYTES = ["Bytes", "sum"] as const;
const COUNT = ["Count", "sum"] as const;
const MILLISECONDS = ["Milliseconds", "distribution"] as const;
/** 1 or 0 for each request: of how many, how many succeeded. */
const SHARE = ["Count", "distribution"] as const;

export const METRICS = {
  IncomingBytes: BYTES,
  IncomingRecords: COUNT,
  "PutRecord.Bytes": BYTES,
  "PutRecord.Latency": MILLISECONDS,
  "PutRecord.Success": SHARE,
  "PutRecords.Bytes": BYTES,
  "PutRecords.Latency": MILLISECONDS,
  "PutRecords.Success": SHARE,
  "PutRecords.TotalRecords": COUNT,
  "PutRecords.SuccessfulRecords": COUNT,
  "PutRecords.ThrottledRecords": COUNT,
  WriteProvisionedThroughputExceeded: COUNT,
  "GetRecords.Bytes": BYTES,
  "GetRecords.Records": COUNT,
  "GetRecords.IteratorAgeMilliseconds": MILLISECONDS,
  "GetRecords.Latency": MILLISECONDS,
  "GetRecords.Success": SHARE,
  ReadProvisionedThroughputExceeded: COUNT,
  "SubscribeToShard.Success": SHARE,
  "SubscribeToShard.RateExceeded": COUNT,
  "SubscribeToShardEvent.Bytes": BYTES,
  "SubscribeToShardEvent.Records": COUNT,
  "SubscribeToShardEvent.MillisBehindLatest": MILLISECONDS,
  "SubscribeToShardEvent.Success": SHARE,
} as const satisfies Kinds;

export type Metric = keyof typeof METRICS;

/** Those that EnableEnhancedMonitoring names. */
export const SHARD_METRICS = {
  IncomingBytes: BYTES,
  IncomingRecords: COUNT,
  OutgoingBytes: BYTES,
  OutgoingRecords: COUNT,
  WriteProvisionedThroughputExceeded: COUNT,
  ReadProvisionedThroughputExceeded: COUNT,
  IteratorAgeMilliseconds: MILLISECONDS,
} as const satisfies Kinds;

export type ShardMetric = keyof typeof SHARD_METRICS;

/** All of them, in the order in which they are listed. */
export const ALL_SHARD_METRICS = Object.keys(SHARD_METRICS) as ShardMetric[];

/** As they are kept with a stream. */
export function readShardMetrics(text: string): ShardMetric[] {
  return JSON.parse(text) as ShardMetric[];
}
