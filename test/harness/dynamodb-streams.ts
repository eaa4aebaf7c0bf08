/** A client of DynamoDB Streams, and all that a stream has. */
import { setTimeout } from "node:timers/promises";
import { DescribeTableCommand } from "@aws-sdk/client-dynamodb";
import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  DescribeStreamCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
} from "@aws-sdk/client-dynamodb-streams";
import type {
  DynamoDBStreamsClient,
  GetRecordsCommandOutput,
  Shard,
  ShardIteratorType,
  _Record,
} from "@aws-sdk/client-dynamodb-streams";

/** The ARN of a table's latest stream. */
export async function latestStream(client: DynamoDBClient, TableName: string): Promise<string> {
  const { Table: table } = await client.send(new DescribeTableCommand({ TableName }));
  return table?.LatestStreamArn ?? "";
}

export async function shardsOf(streams: DynamoDBStreamsClient, StreamArn: string): Promise<Shard[]> {
  const { StreamDescription: stream } = await streams.send(new DescribeStreamCommand({ StreamArn }));
  return stream?.Shards ?? [];
}

export async function iteratorOf(
  streams: DynamoDBStreamsClient,
  StreamArn: string,
  ShardId: string | undefined,
  ShardIteratorType: ShardIteratorType,
  SequenceNumber?: string,
): Promise<string> {
  const { ShardIterator: iterator } = await streams.send(
    new GetShardIteratorCommand({ StreamArn, ShardId, ShardIteratorType, SequenceNumber }),
  );
  return iterator ?? "";
}

/** All records of a stream, in the order of their sequence numbers. */
export async function recordsOf(streams: DynamoDBStreamsClient, StreamArn: string): Promise<_Record[]> {
  const records: _Record[] = [];
  for (const { ShardId } of await shardsOf(streams, StreamArn)) {
    let iterator: string | undefined = await iteratorOf(streams, StreamArn, ShardId, "TRIM_HORIZON");
    while (iterator) {
      const page: GetRecordsCommandOutput = await streams.send(
        new GetRecordsCommand({ ShardIterator: iterator }),
      );
      records.push(...(page.Records ?? []));
      iterator = page.Records?.length ? page.NextShardIterator : undefined;
    }
  }
  return records.sort((a, b) => (sequenceOf(a) < sequenceOf(b) ? -1 : 1));
}

export function sequenceOf(record: _Record | undefined): string {
  return record?.dynamodb?.SequenceNumber ?? "";
}

/** Waits until a condition holds. */
export async function eventually(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (await holds()) return;
    await setTimeout(25);
  }
  throw new Error("it did not come true within 5 seconds");
}
