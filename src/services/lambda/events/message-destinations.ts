/** Queues and topics as destinations: a record, or an event that is a dead letter, becomes a message. */
import { AwsError } from "../../../aws/errors.ts";
import type { Database, Transaction } from "../../../store/database.ts";
import type { QueueAttributes } from "../ports.ts";
import { Undeliverable, missingPermission } from "./destinations.ts";
import type { DeadLetter, Destination, DestinationDeps, Sender } from "./destinations.ts";

const QUEUE_ARN = /^arn:aws[a-z-]*:sqs:([a-z0-9-]+):\d{12}:([A-Za-z0-9_-]{1,80}(?:\.fifo)?)$/;
const TOPIC_ARN = /^arn:aws[a-z-]*:sns:([a-z0-9-]+):\d{12}:([A-Za-z0-9_-]{1,256}(?:\.fifo)?)$/;

/** The most that a queue or topic can be set to take; what one takes less, it says itself. */
const MESSAGE_BYTES_MAX = 1024 * 1024;
/** What a dead letter tells of the error, in bytes. */
const ERROR_MESSAGE_BYTES_MAX = 1024;

interface Message {
  readonly body: string;
  readonly attributes?: QueueAttributes;
  readonly traceHeader?: string;
}

/** What queues and topics differ in. */
interface Kind {
  readonly name: "queue" | "topic";
  readonly plural: "queues" | "topics";
  readonly arn: RegExp;
  readonly action: "SendMessage" | "Publish";
  check(arn: string, sender: Sender): Promise<"ok" | "missing" | "denied">;
  /** @throws AwsError for a message that is refused for another reason than its size */
  send(
    tx: Transaction,
    arn: string,
    message: Message,
    sender: Sender,
  ): Promise<"sent" | "missing" | "too-large">;
}

export function queueDestination({ database, recordQueues }: DestinationDeps): Destination {
  return messageDestination(database, {
    name: "queue",
    plural: "queues",
    arn: QUEUE_ARN,
    action: "SendMessage",
    check: (arn, { roleArn }) => recordQueues.check(arn, { roleArn }),
    send: (tx, queueArn, message, { roleArn }) =>
      recordQueues.send(tx, { queueArn, ...message, sender: { roleArn } }),
  });
}

export function topicDestination({ database, recordTopics }: DestinationDeps): Destination {
  return messageDestination(database, {
    name: "topic",
    plural: "topics",
    arn: TOPIC_ARN,
    action: "Publish",
    check: (arn, { roleArn }) => recordTopics.check(arn, { roleArn }),
    async send(tx, topicArn, { body, ...more }) {
      const answer = await recordTopics.publish(tx, { topicArn, message: body, ...more });
      return answer === "published" ? "sent" : answer;
    },
  });
}

function messageDestination(database: Database, kind: Kind): Destination {
  return {
    takesSuccess: true,
    recordBytesMax: MESSAGE_BYTES_MAX,
    async fault(sender, arn) {
      const [, region, name = ""] = kind.arn.exec(arn) ?? [];
      if (region !== sender.region) return `it is no ${kind.name} of this region`;
      if (name.endsWith(".fifo")) return `FIFO ${kind.plural} are not supported`;
      const answer = await kind.check(arn, sender);
      if (answer === "missing") return `there is no such ${kind.name}`;
      return answer === "denied" ? missingPermission(sender, kind.action) : undefined;
    },
    async deliver({ sender, destination, record, deadLetter, traceHeader }, settle) {
      const message: Message = {
        body: record.toString(),
        ...(deadLetter && { attributes: attributesOf(deadLetter) }),
        ...(traceHeader !== undefined && { traceHeader }),
      };
      await database.tx(async (tx) => {
        if (!(await settle(tx))) return;
        const send = (one: Message) => kind.send(tx, destination, one, sender).catch(refused);
        let answer = await send(message);
        // It may take less than a record is; of an event nothing can be left out.
        if (answer === "too-large" && !deadLetter)
          answer = await send({ ...message, body: withoutPayloads(message.body) });
        if (answer !== "sent")
          throw new Undeliverable(answer === "missing" ? `there is no such ${kind.name}` : "it is too large");
      });
    },
  };
}

function refused(error: unknown): never {
  if (error instanceof AwsError) throw new Undeliverable(error.message);
  throw error;
}

function withoutPayloads(record: string): string {
  const { requestPayload: _, responsePayload: __, ...rest } = JSON.parse(record) as Record<string, unknown>;
  return JSON.stringify(rest);
}

/** @see https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html#invocation-dlq */
function attributesOf({ requestId, errorCode, errorMessage }: DeadLetter): QueueAttributes {
  return {
    RequestID: { DataType: "String", StringValue: requestId },
    ErrorCode: { DataType: "Number", StringValue: String(errorCode) },
    // An attribute is never empty.
    ErrorMessage: { DataType: "String", StringValue: firstBytes(errorMessage) || "Unknown" },
  };
}

/** Cut between characters; without those that no message may hold. */
function firstBytes(text: string): string {
  const allowed = text.replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, " ");
  const bytes = Buffer.from(allowed).subarray(0, ERROR_MESSAGE_BYTES_MAX);
  return bytes.toString().replace(/\uFFFD+$/, "");
}
