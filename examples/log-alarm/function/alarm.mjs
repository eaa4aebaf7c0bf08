/** Gets what a subscription filter lets through, and puts an alarm for each event into a queue. */
import { gunzipSync } from "node:zlib";
import { GetQueueUrlCommand, SQSClient, SendMessageCommand } from "@aws-sdk/client-sqs";

const sqs = new SQSClient({});
// Asked here, since the function may reach the queue by another address than who deployed it.
const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: process.env.QUEUE }));

export const handler = async ({ awslogs }) => {
  const { logGroup, logEvents } = JSON.parse(gunzipSync(Buffer.from(awslogs.data, "base64")));
  for (const { message, timestamp } of logEvents) {
    // Node.js's log lines: time, request, level and what was logged.
    const text = message.split("\t").at(-1).trim();
    const alarm = { logGroup, timestamp, ...JSON.parse(text) };
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(alarm) }));
  }
};
