/** GetShardIterator: a place in a shard to read from. */
import { AwsError, notImplemented } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, DynamoDbStreamsDeps } from "../deps.ts";
import { invalid, notFound } from "../errors.ts";
import { writeIterator } from "../iterator.ts";
import { streamToRead } from "../lookup.ts";
import type { ShardPosition, StreamShard } from "../ports.ts";

type GetShardIteratorInput = Input<Client, "GetShardIterator">;

export async function getShardIterator(
  deps: DynamoDbStreamsDeps,
  input: GetShardIteratorInput,
  context: RequestContext,
): Promise<Output<Client, "GetShardIterator">> {
  const stream = await streamToRead(deps, input.StreamArn as string, context);
  const shardId = input.ShardId as string;
  const shard = (await deps.streams.shards(stream.arn)).find((one) => one.shardId === shardId);
  if (!shard) throw notFound(`Shard: ${shardId} in Stream: ${stream.arn}`);
  const after = await afterOf(deps, stream.arn, shard, input);
  return { ShardIterator: writeIterator({ arn: stream.arn, shardId, after, issuedAt: deps.clock.now() }) };
}

/** The sequence number after which the iterator reads. */
async function afterOf(
  deps: DynamoDbStreamsDeps,
  arn: string,
  shard: StreamShard,
  { ShardIteratorType: type, SequenceNumber: sequence }: GetShardIteratorInput,
): Promise<string> {
  switch (type) {
    case "TRIM_HORIZON":
    case "LATEST":
      if (sequence !== undefined)
        throw invalid(`SequenceNumber must not be specified for ShardIteratorType ${type}`);
      return tipOf(deps, arn, shard, { at: type });
    case "AT_SEQUENCE_NUMBER":
    case "AFTER_SEQUENCE_NUMBER": {
      if (sequence === undefined)
        throw invalid(`SequenceNumber must be specified for ShardIteratorType ${type}`);
      refuseForeign(shard, await tipOf(deps, arn, shard, { at: "LATEST" }), sequence);
      const after = type === "AFTER_SEQUENCE_NUMBER" ? sequence : numberBefore(sequence);
      await refuseTrimmed(deps, arn, shard.shardId, after);
      return after;
    }
    default:
      throw notImplemented(`ShardIteratorType ${type} of GetShardIterator`);
  }
}

/** The number of the record at an end of the shard, or the last that was given before one. */
async function tipOf(
  { streams }: DynamoDbStreamsDeps,
  arn: string,
  { shardId }: StreamShard,
  from: ShardPosition,
): Promise<string> {
  const { next } = await streams.read(arn, shardId, from, { records: 0, bytes: 0 });
  return (next as { readonly after: string }).after;
}

/** Numbers have one length and more digits than a double holds exactly. */
function numberBefore(sequence: string): string {
  return String(BigInt(sequence) - 1n).padStart(sequence.length, "0");
}

/** Refuses a number that the shard has not given yet, or never will. */
function refuseForeign(shard: StreamShard, tip: string, sequence: string): void {
  const { startingSequenceNumber: first, endingSequenceNumber: ending } = shard;
  const last = [first, tip, ending ?? first].sort().at(-1) as string;
  const isNumber = /^\d+$/.test(sequence) && sequence.length === first.length;
  if (isNumber && sequence >= first && sequence <= last) return;
  throw invalid(`Invalid SequenceNumber: ${sequence} is not in the shard ${shard.shardId}`);
}

/** @throws AwsError TrimmedDataAccessException when records after the number have been removed for their age */
export async function refuseTrimmed(
  { streams }: DynamoDbStreamsDeps,
  arn: string,
  shardId: string,
  after: string,
): Promise<void> {
  const trimmedTo = await streams.trimmedTo(arn, shardId);
  if (trimmedTo !== undefined && after < trimmedTo)
    throw new AwsError(
      "TrimmedDataAccessException",
      "The operation attempted to read past the oldest stream record in a shard.",
    );
}
