/** Streams as other parts read them in this process, event source mappings above all: without HTTP, and without limits of rate. */
import type { Kinesis } from "./deps.ts";
import { HOUR_MS } from "./limits.ts";
import { readConsumerArn, readStreamArn } from "./names.ts";
import { BEFORE_ALL, placeOf, placeOfNumber } from "./records/position.ts";
import type { StoredRecord } from "./records/chunk.ts";
import { readRecords } from "./records/read.ts";
import { sequenceNumber } from "./shards/sequence-number.ts";
import { parentsOf, readShardId, shardIdOf, startingNumber } from "./shards/shard.ts";
import type { Shard } from "./shards/shard.ts";
import { livingShards } from "./streams.ts";
import type { Stream } from "./streams.ts";
import { findConsumer } from "./store-consumers.ts";
import type { ConsumerRow } from "./store-consumers.ts";
import { shardTopic, streamTopic } from "./topics.ts";

export type ShardPosition =
  | { readonly at: "TRIM_HORIZON" | "LATEST" }
  /** Epoch milliseconds. */
  | { readonly at: "AT_TIMESTAMP"; readonly timestampMs: number }
  /** A sequence number. */
  | { readonly after: string };

export interface KinesisRecord {
  readonly sequenceNumber: string;
  readonly partitionKey: string;
  readonly data: Buffer;
  /** Epoch milliseconds. */
  readonly arrivalMs: number;
  readonly encryptionType: string;
}

export interface ShardReader<R> {
  /** Undefined where there is no such stream or consumer. `consumer` is its name where the ARN is a consumer's (enhanced fan-out). */
  describe(streamArn: string): Promise<
    | {
        enabled: boolean;
        viewType?: string;
        consumer?: string;
        /** How long records are kept. */
        retentionMs: number;
      }
    | undefined
  >;
  /** The text of the policy of a stream or consumer; undefined where it has none. */
  policyOf(arn: string): Promise<string | undefined>;
  /** All shards that still have records or are open, parents before children. */
  shards(streamArn: string): Promise<
    readonly {
      shardId: string;
      parents: readonly string[];
      startingSequenceNumber: string;
      closed: boolean;
    }[]
  >;
  /**
   * Records in order from a position. `next` is where to go on: after the last one read. `ended` says that the shard is closed, and all
   * of it was read; so is a shard that is gone.
   */
  read(
    streamArn: string,
    shardId: string,
    from: ShardPosition,
    limits: { readonly records: number; readonly bytes: number },
  ): Promise<{ records: R[]; next: ShardPosition; ended: boolean; millisBehindLatest: number }>;
  /**
   * Resolves when the shard may have new records or have been closed (without a shard: when anything of the stream has changed), or the
   * signal aborts. Nothing that happens after the call is missed: call, look whether there is something, and only then await.
   */
  changed(streamArn: string, shardId: string | undefined, signal: AbortSignal): Promise<void>;
}

export function shardReader(kinesis: Kinesis): ShardReader<KinesisRecord> {
  const { clock, database, streams, signals, streamMetrics } = kinesis;

  /** By the ARN of a stream or of one of its consumers. */
  async function find(arn: string): Promise<{ stream: Stream; consumer?: ConsumerRow } | undefined> {
    const consumer = readConsumerArn(arn);
    const place = consumer?.stream ?? readStreamArn(arn);
    const stream = place && (await streams.current(place));
    if (stream?.status !== "ACTIVE") return undefined;
    if (!consumer) return { stream };
    const row = await findConsumer(database, stream.stream_id, consumer.name);
    const isIt = row !== undefined && Math.floor(row.created_at / 1_000) === consumer.createdSeconds;
    return isIt ? { stream, consumer: row } : undefined;
  }

  return {
    async describe(arn) {
      const found = await find(arn);
      if (!found) return undefined;
      const { consumer, stream } = found;
      const retentionMs = stream.retention_hours * HOUR_MS;
      return { enabled: true, retentionMs, ...(consumer && { consumer: consumer.name }) };
    },
    async policyOf(arn) {
      const found = await find(arn);
      return (found?.consumer ?? found?.stream)?.policy ?? undefined;
    },
    async shards(arn) {
      const found = await find(arn);
      if (!found) return [];
      const living = livingShards(found.stream, clock.now());
      const known = new Set(living.map(({ shardNo }) => shardNo));
      return living.map((shard) => ({
        shardId: shardIdOf(shard.shardNo),
        parents: parentsOf(shard)
          .filter((shardNo) => known.has(shardNo))
          .map(shardIdOf),
        startingSequenceNumber: startingNumber(shard),
        closed: shard.closedAt !== null,
      }));
    },
    async read(arn, shardId, from, limits) {
      const { stream, consumer } = (await find(arn)) ?? {};
      const shard = stream?.shards.find(({ shardNo }) => shardNo === readShardId(shardId));
      if (!stream || !shard) return { records: [], next: from, ended: true, millisBehindLatest: 0 };
      const after =
        "after" in from
          ? (placeOfNumber(shard, from.after) ?? BEFORE_ALL)
          : await placeOf(database, stream, shard, from);
      const since = performance.now();
      const read = await readRecords({ clock, database }, stream, shard, after, limits);
      if (consumer) streamMetrics.sent(stream, consumer.name, read);
      else streamMetrics.got(stream, shardIdOf(shard.shardNo), read, performance.now() - since);
      const arrivedAt = read.records.at(-1)?.arrivedAt;
      const seconds = arrivedAt === undefined ? shard.createdSeconds : Math.floor(arrivedAt / 1_000);
      return {
        records: read.records.map((record) => toRecord(shard, record)),
        next: { after: sequenceNumber(shard, read.last, seconds) },
        ended: read.isAtTip && shard.closedAt !== null,
        millisBehindLatest: read.millisBehindLatest,
      };
    },
    async changed(arn, shardId, signal) {
      const stream = readConsumerArn(arn)?.stream ?? readStreamArn(arn);
      if (!stream) return;
      const shardNo = shardId === undefined ? undefined : readShardId(shardId);
      await signals.wait(shardNo === undefined ? streamTopic(stream) : shardTopic(stream, shardNo), signal);
    },
  };
}

function toRecord(shard: Shard, record: StoredRecord): KinesisRecord {
  return {
    sequenceNumber: sequenceNumber(shard, record.index, Math.floor(record.arrivedAt / 1_000)),
    partitionKey: record.partitionKey ?? "",
    data: record.data,
    arrivalMs: record.arrivedAt,
    encryptionType: "NONE",
  };
}
