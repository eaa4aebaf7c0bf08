/** SubscribeToShard: a consumer is sent a shard's records as they come, for five minutes. */
import type { AwsError } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { sleep } from "../../../kit/clock.ts";
import type { Client, Kinesis } from "../deps.ts";
import { dryRun, noSuchStream, notFound, resourceInUse } from "../errors.ts";
import { ANSWER_RECORDS_MAX, SUBSCRIPTION_MS } from "../limits.ts";
import { consumerNamed, shardOf } from "../lookup.ts";
import type { FoundConsumer } from "../lookup.ts";
import { consumerArn } from "../names.ts";
import { readRecords } from "../records/read.ts";
import type { Read } from "../records/read.ts";
import { startPlace } from "../records/start.ts";
import { childrenOf, describeRecord } from "../records/tell.ts";
import { sequenceNumber } from "../shards/sequence-number.ts";
import { shardIdOf } from "../shards/shard.ts";
import type { Shard } from "../shards/shard.ts";
import type { Subscription } from "../subscriptions.ts";
import type { Stream } from "../streams.ts";
import { findConsumer } from "../store-consumers.ts";
import { shardTopic } from "../topics.ts";

type Events = NonNullable<Output<Client, "SubscribeToShard">["EventStream"]>;
type Event = Events extends AsyncIterable<infer E> ? E : never;

/** Without records, an event tells the place all the same. */
const SILENCE_MS = 5_000;
/** Of one event; one record is sent however large it is. */
const EVENT_BYTES_MAX = 2_097_152;

export async function subscribeToShard(
  kinesis: Kinesis,
  input: Input<Client, "SubscribeToShard">,
  context: RequestContext,
): Promise<Output<Client, "SubscribeToShard">> {
  const found = await consumerNamed(kinesis, input, context);
  const { stream, consumer } = found;
  if (stream.status !== "ACTIVE") throw noSuchStream(stream);
  const now = kinesis.clock.now();
  const shard = shardOf(stream, input.ShardId ?? "", now);
  const { Type = "LATEST", SequenceNumber, Timestamp } = input.StartingPosition ?? {};
  const after = await startPlace(kinesis, stream, shard, {
    type: Type,
    sequenceNumber: SequenceNumber,
    timestamp: Timestamp,
    operation: "SubscribeToShard",
  });
  if (input.DryRun === true) throw dryRun();
  const arn = consumerArn(stream, consumer);
  const subscription = kinesis.subscriptions.begin(arn, shard.shardNo, now);
  kinesis.streamMetrics.subscribed(stream, consumer.name, subscription !== undefined);
  if (!subscription) throw isSubscribed(found, shard);
  return { EventStream: events(kinesis, found, shard, after, subscription, context.signal) };
}

/** The events of one subscription. It ends after five minutes, with the shard, or when its caller has gone. */
async function* events(
  kinesis: Kinesis,
  found: FoundConsumer,
  shard: Shard,
  start: number,
  subscription: Subscription,
  caller: AbortSignal,
): AsyncGenerator<Event> {
  const { clock, database, signals, shardLimits, streamMetrics } = kinesis;
  const signal = AbortSignal.any([subscription.signal, caller]);
  const endsAt = clock.now() + SUBSCRIPTION_MS;
  const allowance = shardLimits.subscription(clock.now());
  let after = start;
  let spokeAt = clock.now();
  try {
    while (!signal.aborted && clock.now() < endsAt) {
      const silence = new AbortController();
      const wakeAt = Math.min(spokeAt + SILENCE_MS, endsAt);
      const cancel = clock.after(Math.max(0, wakeAt - clock.now()), () => silence.abort());
      // Listened for before looking, so that nothing is missed in between.
      const changed = signals.wait(
        shardTopic(found.stream, shard.shardNo),
        AbortSignal.any([signal, silence.signal]),
      );
      const stream = await present(kinesis, found);
      const current = shardOf(stream, shardIdOf(shard.shardNo), clock.now());
      const read = await readRecords({ clock, database }, stream, current, after, {
        records: ANSWER_RECORDS_MAX,
        bytes: EVENT_BYTES_MAX,
      });
      const hasEnded = read.isAtTip && current.closedAt !== null;
      if (read.records.length > 0 || hasEnded || clock.now() >= spokeAt + SILENCE_MS) {
        after = read.last;
        spokeAt = clock.now();
        streamMetrics.sent(stream, found.consumer.name, read);
        yield { SubscribeToShardEvent: describeEvent(stream, current, read, hasEnded, clock.now()) };
      }
      if (hasEnded) silence.abort();
      else if (read.isAtTip) await changed;
      cancel();
      silence.abort();
      if (hasEnded) return;
      allowance?.use(read.bytes);
      const waitMs = allowance?.waitMs(clock.now()) ?? 0;
      if (waitMs > 0) await sleep(clock, waitMs, signal);
    }
    if (subscription.isSuperseded) throw isSubscribed(found, shard);
  } finally {
    subscription.end();
  }
}

/** The stream as it is now. @throws AwsError where it or the consumer is gone */
async function present({ streams, database }: Kinesis, { stream, consumer }: FoundConsumer): Promise<Stream> {
  const now = await streams.current(stream);
  if (now?.status !== "ACTIVE" || now.stream_id !== stream.stream_id) throw noSuchStream(stream);
  const still = await findConsumer(database, stream.stream_id, consumer.name);
  if (still?.created_at !== consumer.created_at)
    throw notFound(
      `Consumer ${consumer.name} under stream: ${stream.name}, account ${stream.account} not found.`,
    );
  return now;
}

function describeEvent(stream: Stream, shard: Shard, read: Read, hasEnded: boolean, now: number) {
  const arrivedAt = read.records.at(-1)?.arrivedAt ?? now;
  return {
    Records: read.records.map((record) => describeRecord(shard, record)),
    // At the end of a shard there is nowhere to go on.
    ContinuationSequenceNumber: hasEnded
      ? undefined
      : sequenceNumber(shard, read.last, Math.floor(arrivedAt / 1_000)),
    MillisBehindLatest: read.millisBehindLatest,
    ...(hasEnded && { ChildShards: childrenOf(stream, shard) }),
  };
}

function isSubscribed({ stream, consumer }: FoundConsumer, shard: Shard): AwsError {
  const { account, name } = stream;
  return resourceInUse(
    `Another active subscription exists for this consumer: ${account}:${name}:${shardIdOf(shard.shardNo)}:${consumer.name}`,
  );
}
