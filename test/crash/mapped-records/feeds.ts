/** Sources of numbered records: how they are made, sent and mapped, and what of them has come to their destination. */
import assert from "node:assert/strict";
import {
  BatchWriteItemCommand,
  CreateTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
} from "@aws-sdk/client-dynamodb";
import {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand as GetStreamRecordsCommand,
  GetShardIteratorCommand as GetStreamShardIteratorCommand,
} from "@aws-sdk/client-dynamodb-streams";
import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
  PutRecordsCommand,
  waitUntilStreamExists,
} from "@aws-sdk/client-kinesis";
import type { CreateEventSourceMappingCommandInput } from "@aws-sdk/client-lambda";
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
  SendMessageBatchCommand,
} from "@aws-sdk/client-sqs";
import type { ClientOptions } from "../../harness/server.ts";

/** Message groups, partition keys or items; a record's is its number's remainder. */
export const KEYS = 32;

export interface Feed {
  readonly name: "queue" | "fifo" | "stream" | "table";
  /** Records of one key are handled in order. */
  readonly isOrdered: boolean;
  /** How many are sent in one request. */
  readonly together: number;
  /** Makes the source and its destination; answers what the mapping is created with. */
  make(receives: number): Promise<Partial<CreateEventSourceMappingCommandInput>>;
  /** @throws when it is not known that all were accepted; the same are then sent again. */
  send(numbers: readonly number[]): Promise<void>;
  /** Adds the numbers whose records the destination has. */
  collect(found: Set<number>): Promise<void>;
}

export function createFeeds(options: ClientOptions): readonly Feed[] {
  // While a server is killed and started again nobody answers.
  const patient = { ...options, maxAttempts: 40, retryMode: "standard" };
  const sqs = new SQSClient(patient);
  return [
    queueFeed(sqs, "queue"),
    queueFeed(sqs, "fifo"),
    kinesisFeed(sqs, new KinesisClient(patient)),
    tableFeed(sqs, new DynamoDBClient(patient), new DynamoDBStreamsClient(patient)),
  ];
}

/** A queue with dead letters, whose function reports what failed. */
function queueFeed(sqs: SQSClient, name: "queue" | "fifo"): Feed {
  const isFifo = name === "fifo";
  const suffix = isFifo ? ".fifo" : "";
  let [url, deadUrl] = ["", ""];
  return {
    name,
    isOrdered: isFifo,
    together: 10,
    async make(maxReceiveCount) {
      const fifo = isFifo ? { FifoQueue: "true" } : {};
      const dead = await makeQueue(sqs, `${name}-dead${suffix}`, fifo);
      deadUrl = dead.url;
      const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount });
      const queue = await makeQueue(sqs, `${name}${suffix}`, {
        ...fifo,
        VisibilityTimeout: "2",
        RedrivePolicy,
      });
      url = queue.url;
      return { EventSourceArn: queue.arn, FunctionResponseTypes: ["ReportBatchItemFailures"] };
    },
    async send(numbers) {
      const Entries = numbers.map((n) => ({
        Id: String(n),
        MessageBody: String(n),
        // That one is sent again which was accepted is unseen of a FIFO queue.
        ...(isFifo && { MessageGroupId: String(n % KEYS), MessageDeduplicationId: String(n) }),
      }));
      const { Failed = [] } = await sqs.send(new SendMessageBatchCommand({ QueueUrl: url, Entries }));
      assert.deepEqual(Failed, []);
    },
    async collect(found) {
      await takeAll(sqs, deadUrl, (body) => found.add(Number(body)));
    },
  };
}

/** Where streams send the records of what failed for good. */
function failures(sqs: SQSClient, name: string) {
  let url = "";
  const places: { readonly shardId: string; readonly startSequenceNumber: string }[] = [];
  return {
    async settings() {
      const made = await makeQueue(sqs, `${name}-failed`, {});
      url = made.url;
      return {
        StartingPosition: "TRIM_HORIZON",
        BatchSize: 100,
        BisectBatchOnFunctionError: true,
        MaximumRetryAttempts: 3,
        DestinationConfig: { OnFailure: { Destination: made.arn } },
      } as const;
    },
    /** The records that were given up, each alone: a batch is halved until it is one record. */
    async taken(info: "KinesisBatchInfo" | "DDBStreamBatchInfo") {
      await takeAll(sqs, url, (body) => {
        const batch = (JSON.parse(body) as Record<string, (typeof places)[number] & { batchSize: number }>)[
          info
        ];
        assert.equal(batch?.batchSize, 1, body);
        places.push(batch);
      });
      return places;
    },
  };
}

function kinesisFeed(sqs: SQSClient, kinesis: KinesisClient): Feed {
  const StreamName = "stream";
  const failed = failures(sqs, StreamName);
  const numberOf = new Map<string, number>();
  return {
    name: "stream",
    isOrdered: true,
    together: 100,
    async make() {
      await kinesis.send(new CreateStreamCommand({ StreamName, ShardCount: 2 }));
      await waitUntilStreamExists(
        { client: kinesis, maxWaitTime: 60, minDelay: 0.05, maxDelay: 0.5 },
        { StreamName },
      );
      const { StreamDescriptionSummary } = await kinesis.send(
        new DescribeStreamSummaryCommand({ StreamName }),
      );
      return { EventSourceArn: StreamDescriptionSummary?.StreamARN, ...(await failed.settings()) };
    },
    async send(numbers) {
      const Records = numbers.map((n) => ({ PartitionKey: String(n % KEYS), Data: Buffer.from(String(n)) }));
      const { FailedRecordCount } = await kinesis.send(new PutRecordsCommand({ StreamName, Records }));
      assert.equal(FailedRecordCount ?? 0, 0);
    },
    async collect(found) {
      const places = await failed.taken("KinesisBatchInfo");
      if (places.some(({ startSequenceNumber }) => !numberOf.has(startSequenceNumber))) {
        const { Shards = [] } = await kinesis.send(new ListShardsCommand({ StreamName }));
        for (const { ShardId } of Shards) await readShard(kinesis, StreamName, ShardId, numberOf);
      }
      for (const { startSequenceNumber } of places)
        found.add(numberOf.get(startSequenceNumber) ?? Number.NaN);
    },
  };
}

async function readShard(
  kinesis: KinesisClient,
  StreamName: string,
  ShardId: string | undefined,
  numberOf: Map<string, number>,
): Promise<void> {
  const start = { StreamName, ShardId, ShardIteratorType: "TRIM_HORIZON" } as const;
  let { ShardIterator } = await kinesis.send(new GetShardIteratorCommand(start));
  while (ShardIterator !== undefined) {
    const page = await kinesis.send(new GetRecordsCommand({ ShardIterator }));
    for (const { SequenceNumber = "", Data } of page.Records ?? [])
      numberOf.set(SequenceNumber, Number(Buffer.from(Data ?? []).toString()));
    ShardIterator = page.MillisBehindLatest === 0 ? undefined : page.NextShardIterator;
  }
}

function tableFeed(sqs: SQSClient, dynamodb: DynamoDBClient, streams: DynamoDBStreamsClient): Feed {
  const TableName = "table";
  const failed = failures(sqs, TableName);
  const numberOf = new Map<string, number>();
  let streamArn: string | undefined;
  return {
    name: "table",
    isOrdered: true,
    together: 25,
    async make() {
      await dynamodb.send(
        new CreateTableCommand({
          TableName,
          KeySchema: [{ AttributeName: "key", KeyType: "HASH" }],
          AttributeDefinitions: [{ AttributeName: "key", AttributeType: "S" }],
          BillingMode: "PAY_PER_REQUEST",
          StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_IMAGE" },
        }),
      );
      const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName }));
      streamArn = Table?.LatestStreamArn;
      return { EventSourceArn: streamArn, ...(await failed.settings()) };
    },
    async send(numbers) {
      const puts = numbers.map((n) => ({
        PutRequest: { Item: { key: { S: String(n % KEYS) }, n: { N: String(n) } } },
      }));
      const { UnprocessedItems = {} } = await dynamodb.send(
        new BatchWriteItemCommand({ RequestItems: { [TableName]: puts } }),
      );
      assert.deepEqual(UnprocessedItems, {});
    },
    async collect(found) {
      const places = await failed.taken("DDBStreamBatchInfo");
      if (places.some(({ startSequenceNumber }) => !numberOf.has(startSequenceNumber))) {
        const { StreamDescription } = await streams.send(new DescribeStreamCommand({ StreamArn: streamArn }));
        for (const { ShardId } of StreamDescription?.Shards ?? [])
          await readTableShard(streams, { StreamArn: streamArn, ShardId }, numberOf);
      }
      for (const { startSequenceNumber } of places)
        found.add(numberOf.get(startSequenceNumber) ?? Number.NaN);
    },
  };
}

async function readTableShard(
  streams: DynamoDBStreamsClient,
  shard: { readonly StreamArn: string | undefined; readonly ShardId: string | undefined },
  numberOf: Map<string, number>,
): Promise<void> {
  const start = { ...shard, ShardIteratorType: "TRIM_HORIZON" } as const;
  let { ShardIterator } = await streams.send(new GetStreamShardIteratorCommand(start));
  while (ShardIterator !== undefined) {
    const page = await streams.send(new GetStreamRecordsCommand({ ShardIterator }));
    for (const { dynamodb } of page.Records ?? [])
      numberOf.set(dynamodb?.SequenceNumber ?? "", Number(dynamodb?.NewImage?.["n"]?.N));
    ShardIterator = page.Records?.length === 0 ? undefined : page.NextShardIterator;
  }
}

async function makeQueue(sqs: SQSClient, QueueName: string, Attributes: Record<string, string>) {
  const { QueueUrl: url = "" } = await sqs.send(new CreateQueueCommand({ QueueName, Attributes }));
  const got = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ["QueueArn"] }));
  return { url, arn: got.Attributes?.["QueueArn"] ?? "" };
}

/** Takes the messages out that are there now. */
async function takeAll(sqs: SQSClient, QueueUrl: string, take: (body: string) => void): Promise<void> {
  for (;;) {
    const question = { QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 0 };
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand(question));
    if (Messages.length === 0) return;
    for (const { Body = "" } of Messages) take(Body);
    const Entries = Messages.map(({ ReceiptHandle }, at) => ({ Id: String(at), ReceiptHandle }));
    await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
  }
}
