/** What the test of event source mappings under kills sends, and the function that gets it. */
import { BatchWriteItemCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { KinesisClient, PutRecordsCommand } from "@aws-sdk/client-kinesis";
import { SQSClient, SendMessageBatchCommand } from "@aws-sdk/client-sqs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Life } from "../harness/life.ts";
import { clientOptions } from "../harness/server.ts";

/** Keys of the records of each source: within one their order holds. */
export const KEYS = 100;

/** One record in so many makes the handler throw, and one in so many ends its process, whenever they come. */
const THROWS = 1_000;
const CRASHES = 10_000;
const CRASH_AT = 1_999;
export const throws = (n: number) => n % THROWS === THROWS / 2;
export const crashes = (n: number) => n % CRASHES === CRASH_AT;

/** Longest wait for a server that takes what is sent. */
const ACCEPT_MS_MAX = 60_000;

/** The function writes down what it has handled: a line a batch in one file, so that the order of lines is that of the handling. */
export const source = (file: string) => `import { appendFileSync } from "node:fs";
const numberOf = (record) =>
  Number(record.body ?? record.dynamodb?.NewImage?.n?.N ?? Buffer.from(record.kinesis.data, "base64"));
export const handler = async ({ Records }) => {
  const numbers = Records.map(numberOf);
  if (numbers.some((n) => n % ${CRASHES} === ${CRASH_AT})) process.exit(1);
  if (numbers.some((n) => n % ${THROWS} === ${THROWS / 2})) throw new Error("as it should");
  const [, , service] = Records[0].eventSourceARN.split(":");
  appendFileSync(${JSON.stringify(file)}, service + " " + numbers.join(" ") + "\\n");
};`;

/** One source and how records of it are sent: batches of so many, each until it is accepted as a whole. */
export interface Sender {
  /** As ARNs have it. */
  readonly service: "kinesis" | "dynamodb" | "sqs";
  readonly records: number;
  readonly batch: number;
  send(clients: Clients, numbers: readonly number[]): Promise<void>;
}

export interface Clients {
  readonly kinesis: KinesisClient;
  readonly dynamodb: DynamoDBClient;
  readonly sqs: SQSClient;
}

export function clientsOf(endpoint: string): Clients {
  const options = clientOptions(endpoint);
  return {
    kinesis: new KinesisClient(options),
    dynamodb: new DynamoDBClient(options),
    sqs: new SQSClient({ ...options, useQueueUrlAsEndpoint: false }),
  };
}

export const keyOf = (n: number) => `key-${n % KEYS}`;

export function senders(records: Readonly<Record<Sender["service"], number>>, QueueUrl: string): Sender[] {
  return [
    {
      service: "kinesis",
      records: records.kinesis,
      batch: 500,
      async send({ kinesis }, numbers) {
        const Records = numbers.map((n) => ({ Data: Buffer.from(String(n)), PartitionKey: keyOf(n) }));
        const { FailedRecordCount } = await kinesis.send(
          new PutRecordsCommand({ StreamName: "source", Records }),
        );
        if (FailedRecordCount) throw new Error(`${FailedRecordCount} records were not taken`);
      },
    },
    {
      service: "dynamodb",
      records: records.dynamodb,
      batch: 25,
      async send({ dynamodb }, numbers) {
        const source = numbers.map((n) => ({
          PutRequest: { Item: { id: { S: keyOf(n) }, n: { N: String(n) } } },
        }));
        const { UnprocessedItems = {} } = await dynamodb.send(
          new BatchWriteItemCommand({ RequestItems: { source } }),
        );
        if (Object.keys(UnprocessedItems).length > 0) throw new Error("items were not taken");
      },
    },
    {
      service: "sqs",
      records: records.sqs,
      batch: 10,
      async send({ sqs }, numbers) {
        const Entries = numbers.map((n) => ({
          Id: String(n),
          MessageBody: String(n),
          MessageGroupId: keyOf(n),
          MessageDeduplicationId: String(n),
        }));
        const { Failed = [] } = await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
        if (Failed.length > 0) throw new Error("messages were not taken");
      },
    },
  ];
}

/** Sends all records of a source in the order of their numbers; what was not answered is sent again, as producers do. */
export async function sendAll(life: Life, sender: Sender, stopped: AbortSignal): Promise<void> {
  let clients: Clients | undefined;
  let endpoint = "";
  for (let from = 0; from < sender.records; from += sender.batch) {
    const length = Math.min(sender.batch, sender.records - from);
    const numbers = Array.from({ length }, (_, at) => from + at);
    for (const until = Date.now() + ACCEPT_MS_MAX; ;) {
      stopped.throwIfAborted();
      const server = await life.server;
      if (clients === undefined || server.endpoint !== endpoint) clients = clientsOf(server.endpoint);
      endpoint = server.endpoint;
      try {
        await sender.send(clients, numbers);
        break;
      } catch (error) {
        if (Date.now() > until) throw error;
        await sleep(50);
      }
    }
  }
}
