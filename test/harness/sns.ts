/** A server with an SNS client, topics, and queues that take what topics send. */
import assert from "node:assert/strict";
import { CreateTopicCommand, SNSClient, SNSServiceException, SubscribeCommand } from "@aws-sdk/client-sns";
import { SetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import type { StartInput } from "../../src/index.ts";
import { startSqs } from "./sqs.ts";
import type { SqsSetting, TestQueue } from "./sqs.ts";

export interface SnsSetting extends SqsSetting {
  readonly sns: SNSClient;
  /** Makes a topic of a new name; a FIFO topic where its attributes say so. Answers its ARN. */
  topic(attributes?: Record<string, string>): Promise<string>;
  /** Makes a queue that lets topics send. */
  open(attributes?: Record<string, string>): Promise<TestQueue>;
  /** What is counted of a topic, by the names of its metrics without what they have in common. */
  metrics(TopicArn: string): Promise<Record<string, number>>;
  /** Subscribes a queue. Answers the subscription's ARN. */
  subscribe(TopicArn: string, queue: TestQueue, attributes?: Record<string, string>): Promise<string>;
}

/** Starts a server for SNS and SQS. */
export async function startSns(config: StartInput = {}): Promise<SnsSetting> {
  const setting = await startSqs(config);
  const sns = new SNSClient(setting.server.client());
  let topics = 0;
  return {
    ...setting,
    sns,
    async topic(Attributes = {}) {
      topics += 1;
      const Name = `topic-${topics}${Attributes["FifoTopic"] === "true" ? ".fifo" : ""}`;
      return (await sns.send(new CreateTopicCommand({ Name, Attributes }))).TopicArn ?? "";
    },
    async open(attributes = {}) {
      const queue = await setting.queue(attributes);
      await letTopicsSend(setting, queue);
      return queue;
    },
    async subscribe(TopicArn, queue, Attributes = {}) {
      const { SubscriptionArn = "" } = await sns.send(
        new SubscribeCommand({ TopicArn, Protocol: "sqs", Endpoint: queue.arn, Attributes }),
      );
      return SubscriptionArn;
    },
    async metrics(TopicArn) {
      const text = await (await fetch(`${setting.server.endpoint}/_lambent/metrics`)).text();
      const found = text.matchAll(/^aws_sns_(\w+)\{.*topic_name="([^"]*)"\} (\S+)$/gm);
      const own = [...found].filter(([, , name]) => name === TopicArn.split(":").at(-1));
      return Object.fromEntries(
        own.map(([, name = "", , value]) => [name.replace("number_of_notifications_", ""), Number(value)]),
      );
    },
    async stop() {
      sns.destroy();
      await setting.stop();
    },
  };
}

async function letTopicsSend({ client }: SqsSetting, { url, arn }: TestQueue): Promise<void> {
  const Statement = [
    {
      Effect: "Allow",
      Principal: { Service: "sns.amazonaws.com" },
      Action: "sqs:SendMessage",
      Resource: arn,
      Condition: { ArnLike: { "aws:SourceArn": "arn:aws:sns:us-east-1:000000000000:*" } },
    },
  ];
  const Policy = JSON.stringify({ Version: "2012-10-17", Statement });
  await client.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes: { Policy } }));
}

/** Each request ends with an error that is like this. */
export async function areRefused(cases: readonly (readonly [Promise<unknown>, RegExp])[]): Promise<void> {
  await Promise.all(cases.map(async ([request, expected]) => assert.match(await refusal(request), expected)));
}

/** `Code: message` of the error a request ends with. */
export async function refusal(request: Promise<unknown>): Promise<string> {
  try {
    await request;
  } catch (error) {
    if (error instanceof SNSServiceException) return `${error.name}: ${error.message}`;
    throw error;
  }
  return "(accepted)";
}
