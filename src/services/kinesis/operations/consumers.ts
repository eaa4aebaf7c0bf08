/** RegisterStreamConsumer, DeregisterStreamConsumer, DescribeStreamConsumer and ListStreamConsumers. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, Kinesis } from "../deps.ts";
import { requireActive } from "../change.ts";
import { limitExceeded, noSuchStream, resourceInUse } from "../errors.ts";
import { CONSUMERS_MAX } from "../limits.ts";
import { consumerNamed, placeNamed, streamAt, streamNamed } from "../lookup.ts";
import { consumerArn, streamArn } from "../names.ts";
import { readStream } from "../streams.ts";
import {
  countConsumers,
  deleteConsumer,
  findConsumer,
  insertConsumer,
  listConsumers,
} from "../store-consumers.ts";
import type { ConsumerRow } from "../store-consumers.ts";
import type { StreamPlace } from "../store.ts";
import { withTags } from "../tags.ts";
import { readToken, writeToken } from "../tokens.ts";
import { shardTopic, streamTopic } from "../topics.ts";

const RESULTS_MAX = 100;

export async function registerStreamConsumer(
  kinesis: Kinesis,
  input: Input<Client, "RegisterStreamConsumer">,
  context: RequestContext,
): Promise<Output<Client, "RegisterStreamConsumer">> {
  const found = await streamNamed(kinesis, input, context);
  const row: ConsumerRow = {
    stream_id: found.stream_id,
    name: input.ConsumerName ?? "",
    created_at: kinesis.clock.now(),
    policy: null,
    tags: JSON.stringify(withTags({}, input.Tags)),
  };
  await kinesis.database.tx(async (tx) => {
    const stream = await readStream(tx, found);
    if (stream?.stream_id !== found.stream_id) throw noSuchStream(found);
    requireActive(stream);
    if (await findConsumer(tx, stream.stream_id, row.name))
      throw resourceInUse(
        `Consumer ${row.name} under stream ${streamArn(stream)} already exists for account ${stream.account}.`,
      );
    if ((await countConsumers(tx, stream.stream_id)) >= CONSUMERS_MAX)
      throw limitExceeded(
        `Stream ${stream.name} under account ${stream.account} already has ${CONSUMERS_MAX} registered consumers, the limit.`,
      );
    await insertConsumer(tx, row);
  });
  return { Consumer: describe(found, row) };
}

export async function deregisterStreamConsumer(
  kinesis: Kinesis,
  input: Input<Client, "DeregisterStreamConsumer">,
  context: RequestContext,
): Promise<object> {
  const { stream, consumer } = await consumerNamed(kinesis, input, context);
  await kinesis.database.tx(async (tx) => {
    await deleteConsumer(tx, stream.stream_id, consumer.name);
    // Its subscriptions end.
    for (const { shardNo } of stream.open) await kinesis.signals.send(tx, shardTopic(stream, shardNo));
    await kinesis.signals.send(tx, streamTopic(stream));
  });
  return {};
}

export async function describeStreamConsumer(
  kinesis: Kinesis,
  input: Input<Client, "DescribeStreamConsumer">,
  context: RequestContext,
): Promise<Output<Client, "DescribeStreamConsumer">> {
  const { stream, consumer } = await consumerNamed(kinesis, input, context);
  return { ConsumerDescription: { ...describe(stream, consumer), StreamARN: streamArn(stream) } };
}

interface Position {
  readonly streamId: number;
  readonly after: string;
}

const isPosition = (position: unknown): position is Position =>
  typeof position === "object" && position !== null && "streamId" in position && "after" in position;

export async function listStreamConsumers(
  kinesis: Kinesis,
  input: Input<Client, "ListStreamConsumers">,
  context: RequestContext,
): Promise<Output<Client, "ListStreamConsumers">> {
  const now = kinesis.clock.now();
  const stream = await streamAt(kinesis, placeNamed(input, context), context);
  const { NextToken, StreamCreationTimestamp: created } = input;
  const position =
    NextToken === undefined
      ? { streamId: stream.stream_id, after: "" }
      : readToken("consumers", NextToken, now, isPosition);
  const isOther =
    position.streamId !== stream.stream_id ||
    (created && Math.floor(created.getTime() / 1_000) !== Math.floor(stream.created_at / 1_000));
  if (isOther) throw noSuchStream(stream);
  const limit = Math.min(input.MaxResults ?? RESULTS_MAX, RESULTS_MAX);
  const rows = await listConsumers(kinesis.database, stream.stream_id, position.after, limit + 1);
  const page = rows.slice(0, limit);
  const next = { streamId: stream.stream_id, after: page.at(-1)?.name ?? "" };
  return {
    Consumers: page.map((row) => describe(stream, row)),
    ...(rows.length > limit && { NextToken: writeToken("consumers", next, now) }),
  };
}

function describe(stream: StreamPlace, row: ConsumerRow) {
  return {
    ConsumerName: row.name,
    ConsumerARN: consumerArn(stream, row),
    ConsumerStatus: "ACTIVE" as const,
    ConsumerCreationTimestamp: new Date(Math.floor(row.created_at / 1_000) * 1_000),
  };
}
