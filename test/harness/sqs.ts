/** A server with an SQS client and queues, and the words a request is refused in. */
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
  SQSServiceException,
  SendMessageBatchCommand,
  SendMessageCommand,
} from "@aws-sdk/client-sqs";
import type { Message, ReceiveMessageCommandInput, SendMessageCommandInput } from "@aws-sdk/client-sqs";
import type { StartInput } from "../../src/index.ts";
import { startServer } from "./server.ts";
import type { TestServer } from "./server.ts";

export interface SqsSetting {
  readonly server: TestServer;
  readonly client: SQSClient;
  /** Makes a queue of a new name; a FIFO queue where its attributes say so. */
  queue(attributes?: Record<string, string>): Promise<TestQueue>;
  stop(): Promise<void>;
}

/** A queue, and what tests mostly do with one. */
export interface TestQueue {
  readonly url: string;
  readonly arn: string;
  readonly name: string;
  send(body: string, more?: Partial<SendMessageCommandInput>): Promise<{ id: string; sequence: string }>;
  /** Sends them in batches. */
  sendAll(bodies: readonly string[], group?: string): Promise<void>;
  /** Answers at once unless it says otherwise; with all attributes. */
  receive(more?: Partial<ReceiveMessageCommandInput>): Promise<Message[]>;
  bodies(more?: Partial<ReceiveMessageCommandInput>): Promise<string[]>;
  delete(...messages: readonly Message[]): Promise<void>;
  /** Visible, in flight, delayed. */
  counts(): Promise<[number, number, number]>;
  attribute(name: string): Promise<string | undefined>;
}

/** Starts a server for SQS alone. */
export async function startSqs(config: StartInput = {}): Promise<SqsSetting> {
  const server = await startServer({ sandbox: "process", logLevel: "error", ...config });
  const client = new SQSClient(server.client());
  let queues = 0;
  return {
    server,
    client,
    async queue(attributes = {}) {
      queues += 1;
      const name = `queue-${queues}${attributes["FifoQueue"] === "true" ? ".fifo" : ""}`;
      const { QueueUrl = "" } = await client.send(
        new CreateQueueCommand({ QueueName: name, Attributes: attributes }),
      );
      return queueAt(client, QueueUrl);
    },
    async stop() {
      client.destroy();
      await server.stop();
    },
  };
}

export function queueAt(client: SQSClient, url: string, region = "us-east-1"): TestQueue {
  const [account = "", name = ""] = url.split("/").slice(-2);
  const queue: TestQueue = {
    url,
    name,
    arn: `arn:aws:sqs:${region}:${account}:${name}`,
    async send(MessageBody, more = {}) {
      const sent = await client.send(new SendMessageCommand({ QueueUrl: url, MessageBody, ...more }));
      return { id: sent.MessageId ?? "", sequence: sent.SequenceNumber ?? "" };
    },
    async sendAll(bodies, group) {
      for (let at = 0; at < bodies.length; at += 10) {
        const Entries = bodies.slice(at, at + 10).map((MessageBody, i) => ({
          Id: String(i),
          MessageBody,
          ...(group !== undefined && { MessageGroupId: group }),
        }));
        const { Failed = [] } = await client.send(new SendMessageBatchCommand({ QueueUrl: url, Entries }));
        if (Failed.length > 0) throw new Error(JSON.stringify(Failed));
      }
    },
    async receive(more = {}) {
      const { Messages = [] } = await client.send(
        new ReceiveMessageCommand({
          QueueUrl: url,
          MaxNumberOfMessages: 10,
          MessageSystemAttributeNames: ["All"],
          MessageAttributeNames: ["All"],
          ...more,
        }),
      );
      return Messages;
    },
    bodies: async (more) => (await queue.receive(more)).map(({ Body = "" }) => Body),
    async delete(...messages) {
      for (const { ReceiptHandle } of messages)
        await client.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle }));
    },
    async counts() {
      const { Attributes = {} } = await client.send(
        new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ["All"] }),
      );
      return [
        Number(Attributes.ApproximateNumberOfMessages),
        Number(Attributes.ApproximateNumberOfMessagesNotVisible),
        Number(Attributes.ApproximateNumberOfMessagesDelayed),
      ];
    },
    async attribute(name) {
      const { Attributes = {} } = await client.send(
        new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ["All"] }),
      );
      return (Attributes as Record<string, string>)[name];
    },
  };
  return queue;
}

/** `Code: message` of the error a request ends with; the code is that of the query protocol, as SDKs tell it. */
export async function refusal(request: Promise<unknown>): Promise<string> {
  try {
    await request;
  } catch (error) {
    if (error instanceof SQSServiceException) return `${error.name}: ${error.message}`;
    throw error;
  }
  return "(accepted)";
}
