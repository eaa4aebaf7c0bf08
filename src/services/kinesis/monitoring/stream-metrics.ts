/**
 * AWS/Kinesis: what is put into streams and read from them, counted where it happens; of single shards too, where EnableEnhancedMonitoring asked.
 * https://docs.aws.amazon.com/streams/latest/dev/monitoring-with-cloudwatch.html
 */
import type { Metrics, Series } from "../../../telemetry/metrics.ts";
import type { StreamRow } from "../store.ts";
import { METRICS, SHARD_METRICS } from "./metric-names.ts";
import type { Metric, ShardMetric } from "./metric-names.ts";

type Of = Pick<StreamRow, "stream_id" | "name" | "account" | "region" | "shard_metrics">;

/** What a read gave. */
interface Given {
  readonly records: { readonly length: number };
  /** Keys and data. */
  readonly bytes: number;
  readonly millisBehindLatest: number;
}

/** Records of a request, and whether each was taken. */
interface Put {
  readonly records: readonly { readonly bytes: number }[];
  readonly results: readonly { readonly shardId: string; readonly sequenceNumber?: string }[];
  readonly tookMs: number;
}

/** Streams whose series are held; then all are forgotten, and found anew. */
const STREAMS_MAX = 10_000;

export class StreamMetrics {
  readonly #metrics: Metrics;
  /** By stream, and then by metric and shard or consumer. */
  readonly #held = new Map<number, Map<string, Series>>();

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  put(stream: Of, operation: "PutRecord" | "PutRecords", { records, results, tookMs }: Put): void {
    let [taken, bytes, all] = [0, 0, 0];
    for (let at = 0; at < records.length; at++) {
      const size = records[at]?.bytes ?? 0;
      all += size;
      if (results[at]?.sequenceNumber === undefined) continue;
      taken++;
      bytes += size;
    }
    const refused = records.length - taken;
    if (taken > 0) this.incoming(stream, bytes, taken);
    if (refused > 0) this.#add(stream, "WriteProvisionedThroughputExceeded", refused);
    this.#add(stream, `${operation}.Bytes`, all);
    this.#add(stream, `${operation}.Latency`, tookMs);
    this.#add(stream, `${operation}.Success`, taken > 0 ? 1 : 0);
    if (operation === "PutRecords") {
      this.#add(stream, "PutRecords.TotalRecords", records.length);
      this.#add(stream, "PutRecords.SuccessfulRecords", taken);
      this.#add(stream, "PutRecords.ThrottledRecords", refused);
    }
    if (stream.shard_metrics !== "[]") this.#putOfShards(stream, records, results);
  }

  /** Records that a stream has taken, by whatever way they came. */
  incoming(stream: Of, bytes: number, records: number, shardId?: string): void {
    this.#add(stream, "IncomingBytes", bytes);
    this.#add(stream, "IncomingRecords", records);
    if (shardId === undefined || stream.shard_metrics === "[]") return;
    this.#addOfShard(stream, "IncomingBytes", shardId, bytes);
    this.#addOfShard(stream, "IncomingRecords", shardId, records);
  }

  /** A shard has refused a record that came by another way than a request. */
  refused(stream: Of, shardId: string): void {
    this.#add(stream, "WriteProvisionedThroughputExceeded", 1);
    if (stream.shard_metrics !== "[]")
      this.#addOfShard(stream, "WriteProvisionedThroughputExceeded", shardId, 1);
  }

  /** A read by GetRecords, or as it. */
  got(stream: Of, shardId: string, read: Given, tookMs: number): void {
    const { records, bytes, millisBehindLatest } = read;
    this.#add(stream, "GetRecords.Bytes", bytes);
    this.#add(stream, "GetRecords.Records", records.length);
    this.#add(stream, "GetRecords.IteratorAgeMilliseconds", millisBehindLatest);
    this.#add(stream, "GetRecords.Latency", tookMs);
    this.#add(stream, "GetRecords.Success", 1);
    if (stream.shard_metrics === "[]") return;
    this.#addOfShard(stream, "OutgoingBytes", shardId, bytes);
    this.#addOfShard(stream, "OutgoingRecords", shardId, records.length);
    this.#addOfShard(stream, "IteratorAgeMilliseconds", shardId, millisBehindLatest);
  }

  /** A read that came too soon after others. */
  gotNothing(stream: Of, shardId: string): void {
    this.#add(stream, "ReadProvisionedThroughputExceeded", 1);
    this.#add(stream, "GetRecords.Success", 0);
    if (stream.shard_metrics !== "[]")
      this.#addOfShard(stream, "ReadProvisionedThroughputExceeded", shardId, 1);
  }

  subscribed(stream: Of, ConsumerName: string, isTaken: boolean): void {
    this.#add(stream, "SubscribeToShard.Success", isTaken ? 1 : 0, { ConsumerName });
    if (!isTaken) this.#add(stream, "SubscribeToShard.RateExceeded", 1, { ConsumerName });
  }

  /** An event of a subscription. */
  sent(stream: Of, ConsumerName: string, { records, bytes, millisBehindLatest }: Given): void {
    const of = { ConsumerName };
    this.#add(stream, "SubscribeToShardEvent.Bytes", bytes, of);
    this.#add(stream, "SubscribeToShardEvent.Records", records.length, of);
    this.#add(stream, "SubscribeToShardEvent.MillisBehindLatest", millisBehindLatest, of);
    this.#add(stream, "SubscribeToShardEvent.Success", 1, of);
  }

  #putOfShards(stream: Of, records: Put["records"], results: Put["results"]): void {
    for (const [at, { shardId, sequenceNumber }] of results.entries())
      if (sequenceNumber === undefined)
        this.#addOfShard(stream, "WriteProvisionedThroughputExceeded", shardId, 1);
      else {
        this.#addOfShard(stream, "IncomingBytes", shardId, records[at]?.bytes ?? 0);
        this.#addOfShard(stream, "IncomingRecords", shardId, 1);
      }
  }

  #addOfShard(stream: Of, metric: ShardMetric, ShardId: string, value: number): void {
    if (stream.shard_metrics.includes(`"${metric}"`))
      this.#count(stream, metric, SHARD_METRICS[metric], value, { ShardId });
  }

  #add(stream: Of, metric: Metric, value: number, more?: Readonly<Record<string, string>>): void {
    this.#count(stream, metric, METRICS[metric], value, more);
  }

  #count(
    { stream_id, name: StreamName, account, region }: Of,
    metric: string,
    [unit, kind]: (typeof METRICS)[Metric],
    value: number,
    more?: Readonly<Record<string, string>>,
  ): void {
    let ofStream = this.#held.get(stream_id);
    if (!ofStream) {
      if (this.#held.size >= STREAMS_MAX) this.#held.clear();
      this.#held.set(stream_id, (ofStream = new Map()));
    }
    const key = more === undefined ? metric : `${metric} ${Object.values(more).join()}`;
    let series = ofStream.get(key);
    if (!series) {
      const id = { namespace: "AWS/Kinesis", name: metric, unit, kind, account, region };
      series = this.#metrics.series({ ...id, dimensions: { StreamName, ...more } });
      ofStream.set(key, series);
    }
    series.add(value, this.#metrics.minute());
  }
}
