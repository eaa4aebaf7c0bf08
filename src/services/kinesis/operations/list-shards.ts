/** ListShards, with its filters and tokens. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, Kinesis } from "../deps.ts";
import { invalidArgument, noSuchStream } from "../errors.ts";
import { placeNamed, streamAt } from "../lookup.ts";
import { describeShard, readShardId } from "../shards/shard.ts";
import type { Shard } from "../shards/shard.ts";
import { horizonOf, livingShards } from "../streams.ts";
import type { Stream } from "../streams.ts";
import type { StreamPlace } from "../store.ts";
import { readToken, writeToken } from "../tokens.ts";

type ListShardsInput = Input<Client, "ListShards">;

const RESULTS_MAX = 1_000;

/** Which shards are wanted, as it stands in tokens. */
interface Selection {
  readonly place: StreamPlace;
  /** Tells a stream from a later one of the same name; 0 while it is not known. */
  readonly streamId: number;
  readonly after: number;
  readonly filter: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

const isSelection = (position: unknown): position is Selection =>
  typeof position === "object" && position !== null && "place" in position && "filter" in position;

export async function listShards(
  kinesis: Kinesis,
  input: ListShardsInput,
  context: RequestContext,
): Promise<Output<Client, "ListShards">> {
  const now = kinesis.clock.now();
  const wanted = selection(input, context, now);
  const stream = await streamAt(kinesis, wanted.place, context);
  const created = input.StreamCreationTimestamp;
  const isOther =
    (wanted.streamId !== 0 && wanted.streamId !== stream.stream_id) ||
    (created && Math.floor(created.getTime() / 1_000) !== Math.floor(stream.created_at / 1_000));
  if (isOther) throw noSuchStream(stream);
  const limit = Math.min(input.MaxResults ?? RESULTS_MAX, RESULTS_MAX);
  const shards = livingShards(stream, now).filter(
    (shard) => shard.shardNo > wanted.after && matches(shard, wanted, stream, now),
  );
  const page = shards.slice(0, limit);
  const last = page.at(-1);
  const next = { ...wanted, streamId: stream.stream_id, after: last?.shardNo ?? -1 };
  return {
    Shards: page.map(describeShard),
    ...(shards.length > limit && { NextToken: writeToken("shards", next, now) }),
  };
}

/** The stream that a token is for; undefined for a text that is none, or has expired. */
export function streamOfToken(token: string, now: number): StreamPlace | undefined {
  try {
    return readToken("shards", token, now, isSelection).place;
  } catch {
    return undefined;
  }
}

/** @throws AwsError for parameters that do not go together */
function selection(input: ListShardsInput, context: RequestContext, now: number): Selection {
  const { NextToken, StreamName, StreamARN, ExclusiveStartShardId, StreamCreationTimestamp } = input;
  if (NextToken !== undefined) {
    if (
      StreamName !== undefined ||
      ExclusiveStartShardId !== undefined ||
      StreamCreationTimestamp !== undefined
    )
      throw invalidArgument("NextToken and StreamName cannot be provided together.");
    const position = readToken("shards", NextToken, now, isSelection);
    if (StreamARN === undefined || placeNamed({ StreamARN }, context).name === position.place.name)
      return position;
    throw invalidArgument(`The NextToken is of another stream than ${StreamARN}.`);
  }
  if (StreamName === undefined && StreamARN === undefined)
    throw invalidArgument("Either NextToken or StreamName should be provided.");
  const { filter, shardId, at } = readFilter(input.ShardFilter);
  const start = shardId ?? ExclusiveStartShardId;
  return {
    place: placeNamed(input, context),
    streamId: 0,
    after: start === undefined ? -1 : (readShardId(start) ?? -1),
    filter,
    at,
  };
}

function readFilter(given: ListShardsInput["ShardFilter"]): {
  readonly filter: string;
  readonly shardId?: string;
  readonly at: number;
} {
  const { Type: filter = "FROM_TRIM_HORIZON", ShardId, Timestamp } = given ?? {};
  const needsShard = filter === "AFTER_SHARD_ID";
  const needsTime = filter === "AT_TIMESTAMP" || filter === "FROM_TIMESTAMP";
  if (needsShard !== (ShardId !== undefined))
    throw invalidArgument(
      `ShardFilter.ShardId ${needsShard ? "is required" : "cannot be given"} with the type ${filter}.`,
    );
  if (needsTime !== (Timestamp !== undefined))
    throw invalidArgument(
      `ShardFilter.Timestamp ${needsTime ? "is required" : "cannot be given"} with the type ${filter}.`,
    );
  return { filter, at: Timestamp?.getTime() ?? 0, ...(ShardId !== undefined && { shardId: ShardId }) };
}

function matches(shard: Shard, { filter, at }: Selection, stream: Stream, now: number): boolean {
  const { createdAt, closedAt } = shard;
  const horizon = Math.max(horizonOf(stream, now), stream.created_at);
  switch (filter) {
    case "AT_LATEST":
      return closedAt === null;
    case "AT_TRIM_HORIZON":
      return createdAt <= horizon && (closedAt === null || closedAt >= horizon);
    case "AT_TIMESTAMP":
      return createdAt <= at && (closedAt === null || closedAt >= at);
    case "FROM_TIMESTAMP":
      return closedAt === null || closedAt >= at;
    default:
      return true;
  }
}
