/** Queues as destinations: a record, or an event that is a dead letter, becomes a message's body. */
import { AwsError } from "../../../aws/errors.ts";
import type { QueueAttributes, QueuedRecord } from "../ports.ts";
import { Undeliverable, missingPermission } from "./destinations.ts";
import type { DeadLetter, Destination, DestinationDeps } from "./destinations.ts";

const QUEUE_ARN = /^arn:aws[a-z-]*:sqs:([a-z0-9-]+):\d{12}:([A-Za-z0-9_-]{1,80}(?:\.fifo)?)$/;

/** The most that a queue can be set to take; what one takes less, it says itself. */
const MESSAGE_BYTES_MAX = 1024 * 1024;
/** What a dead letter tells of the error, in bytes. */
const ERROR_MESSAGE_BYTES_MAX = 1024;

export function queueDestination({ database, recordQueues }: DestinationDeps): Destination {
  return {
    takesSuccess: true,
    recordBytesMax: MESSAGE_BYTES_MAX,
    async fault(sender, arn) {
      const [, region, name = ""] = QUEUE_ARN.exec(arn) ?? [];
      if (region !== sender.region) return "it is no queue of this region";
      if (name.endsWith(".fifo")) return "FIFO queues are not supported";
      const { roleArn } = sender;
      const answer = await recordQueues.check(arn, { roleArn });
      if (answer === "missing") return "there is no such queue";
      return answer === "denied" ? missingPermission(sender, "SendMessage") : undefined;
    },
    async deliver({ sender, destination, record, deadLetter, traceHeader }, settle) {
      const { roleArn } = sender;
      const message: QueuedRecord = {
        queueArn: destination,
        body: record.toString(),
        ...(deadLetter && { attributes: attributesOf(deadLetter) }),
        ...(traceHeader !== undefined && { traceHeader }),
        sender: { roleArn },
      };
      await database.tx(async (tx) => {
        if (!(await settle(tx))) return;
        const send = (one: QueuedRecord) => recordQueues.send(tx, one).catch(refused);
        let answer = await send(message);
        // A queue may take less than a record is; of an event nothing can be left out.
        if (answer === "too-large" && !deadLetter)
          answer = await send({ ...message, body: withoutPayloads(message.body) });
        if (answer !== "sent")
          throw new Undeliverable(answer === "missing" ? "there is no such queue" : "it is too large");
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
