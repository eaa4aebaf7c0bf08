/** ReceiveMessage. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, Sqs } from "../deps.ts";
import { invalidValue, notForThisType } from "../errors.ts";
import {
  MESSAGE_BYTES_MAX,
  RECEIVE_MESSAGES_MAX,
  VISIBILITY_SECONDS_MAX,
  WAIT_SECONDS_MAX,
} from "../limits.ts";
import { attemptAgain, rememberAttempt } from "../messages/attempts.ts";
import { attributesMd5 } from "../messages/attributes.ts";
import { checkId } from "../messages/check.ts";
import { handleOf, received } from "../messages/message.ts";
import type { QueueMessage } from "../messages/message.ts";
import type { Queue } from "../queues/settings.ts";

const SYSTEM_ATTRIBUTES: ReadonlySet<string> = new Set([
  "All",
  "SenderId",
  "SentTimestamp",
  "ApproximateReceiveCount",
  "ApproximateFirstReceiveTimestamp",
  "SequenceNumber",
  "MessageDeduplicationId",
  "MessageGroupId",
  "AWSTraceHeader",
  "DeadLetterQueueSourceArn",
]);

export async function receiveMessage(
  sqs: Sqs,
  input: Input<Client, "ReceiveMessage">,
  context: RequestContext,
): Promise<Output<Client, "ReceiveMessage">> {
  const queue = await sqs.queues.at(input.QueueUrl, context.region);
  const wanted = wantedOf(input, queue);
  const systemNames = readSystemNames(input);
  const attemptId = readAttempt(input.ReceiveRequestAttemptId, queue);
  const again =
    attemptId === undefined ? undefined : await attemptAgain(sqs, queue, attemptId, wanted.visibilityMs);
  const rows =
    again ??
    (await sqs.receivers.receive(queue, { ...wanted, bytesMax: MESSAGE_BYTES_MAX, signal: context.signal }));
  if (attemptId !== undefined && !again) await rememberAttempt(sqs, queue, attemptId, rows);
  if (rows.length === 0) return {};
  const attributeNames = input.MessageAttributeNames ?? [];
  return { Messages: rows.map((row) => told(received(sqs.sealer, queue, row), systemNames, attributeNames)) };
}

/** Receives messages and tells them without attributes, as they are told where none are asked for. */
export async function receiveMessages(
  sqs: Sqs,
  queue: Queue,
  wanted: Wanted,
  caller: { readonly signal: AbortSignal },
): Promise<{ Messages?: object[] }> {
  const { signal } = wanted.waitMs > 0 ? caller : NOBODY;
  const rows = await sqs.receivers.receive(queue, { ...wanted, bytesMax: MESSAGE_BYTES_MAX, signal });
  if (rows.length === 0) return {};
  return {
    Messages: rows.map((row) => {
      const { body, md5 } = sqs.sealer.read(row);
      return {
        MessageId: row.message_id,
        ReceiptHandle: handleOf(queue, row),
        MD5OfBody: md5,
        Body: body,
      };
    }),
  };
}

const NOBODY = { signal: new AbortController().signal };

interface Wanted {
  readonly max: number;
  readonly visibilityMs: number;
  readonly waitMs: number;
}

/** @throws AwsError InvalidParameterValue */
export function wantedOf(
  {
    MaxNumberOfMessages: max = 1,
    VisibilityTimeout,
    WaitTimeSeconds,
  }: Pick<Input<Client, "ReceiveMessage">, "MaxNumberOfMessages" | "VisibilityTimeout" | "WaitTimeSeconds">,
  queue: Queue,
): Wanted {
  if (!isWithin(max, 1, RECEIVE_MESSAGES_MAX))
    throw invalidValue(
      max,
      "MaxNumberOfMessages",
      `Must be between 1 and ${RECEIVE_MESSAGES_MAX}, if provided.`,
    );
  if (VisibilityTimeout !== undefined && !isWithin(VisibilityTimeout, 0, VISIBILITY_SECONDS_MAX))
    throw invalidValue(
      VisibilityTimeout,
      "VisibilityTimeout",
      `Must be between 0 and ${VISIBILITY_SECONDS_MAX}, if provided.`,
    );
  if (WaitTimeSeconds !== undefined && !isWithin(WaitTimeSeconds, 0, WAIT_SECONDS_MAX))
    throw invalidValue(
      WaitTimeSeconds,
      "WaitTimeSeconds",
      `Must be >= 0 and <= ${WAIT_SECONDS_MAX}, if provided.`,
    );
  return {
    max,
    visibilityMs: VisibilityTimeout === undefined ? queue.visibilityMs : VisibilityTimeout * 1_000,
    waitMs: WaitTimeSeconds === undefined ? queue.waitMs : WaitTimeSeconds * 1_000,
  };
}

function isWithin(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max;
}

/** `AttributeNames` is the older name of `MessageSystemAttributeNames`; both may be given. */
function readSystemNames({
  AttributeNames = [],
  MessageSystemAttributeNames = [],
}: Input<Client, "ReceiveMessage">): readonly string[] {
  const names: readonly string[] = [...AttributeNames, ...MessageSystemAttributeNames];
  for (const name of names)
    if (!SYSTEM_ATTRIBUTES.has(name))
      throw invalidValue(name, "MessageSystemAttributeNames", "Unknown Attribute.");
  return names;
}

function readAttempt(id: string | undefined, queue: Queue): string | undefined {
  if (id === undefined) return undefined;
  if (!queue.isFifo) throw notForThisType(id, "ReceiveRequestAttemptId");
  checkId(id, "ReceiveRequestAttemptId");
  return id;
}

function told(message: QueueMessage, systemNames: readonly string[], attributeNames: readonly string[]) {
  const system = systemNames.includes("All")
    ? message.attributes
    : Object.fromEntries(Object.entries(message.attributes).filter(([name]) => systemNames.includes(name)));
  const own = Object.entries(message.messageAttributes).filter(([name]) => isNamed(name, attributeNames));
  return {
    MessageId: message.messageId,
    ReceiptHandle: message.receiptHandle,
    MD5OfBody: message.md5OfBody,
    Body: message.body,
    ...(Object.keys(system).length > 0 && { Attributes: system }),
    ...(own.length > 0 && {
      MessageAttributes: Object.fromEntries(own),
      // Of those that are told.
      MD5OfMessageAttributes: attributesMd5(Object.fromEntries(own)),
    }),
  };
}

/** By its name, by the beginning of it (`foo.*`), or with all. */
function isNamed(name: string, names: readonly string[]): boolean {
  return names.some(
    (one) =>
      one === name ||
      one === "All" ||
      one === ".*" ||
      (one.endsWith(".*") && name.startsWith(one.slice(0, -1))),
  );
}
