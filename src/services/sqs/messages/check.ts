/** Checks a message that is to be sent, and makes it one that can be written. */
import { hash } from "node:crypto";
import { AwsError } from "../../../aws/errors.ts";
import type { Ids } from "../../../kit/id.ts";
import { invalidParameter, invalidValue, missingParameter, notForThisType } from "../errors.ts";
import { DELAY_SECONDS_MAX, ID_CHARS_MAX, MESSAGE_BYTES_MAX } from "../limits.ts";
import type { Queue } from "../queues/settings.ts";
import {
  attributeBytes,
  attributesMd5,
  checkMessageAttributes,
  checkSystemAttributes,
  forbiddenCharacter,
  keep,
} from "./attributes.ts";
import type { MessageAttributes } from "./attributes.ts";
import type { BodySealer } from "./sealing.ts";
import { extraOf } from "./message.ts";
import type { NewMessage } from "./message.ts";

/** What SendMessage and an entry of SendMessageBatch say of a message. */
export interface MessageInput {
  readonly MessageBody?: string | undefined;
  readonly DelaySeconds?: number | undefined;
  readonly MessageAttributes?: MessageAttributes | undefined;
  readonly MessageSystemAttributes?: MessageAttributes | undefined;
  readonly MessageDeduplicationId?: string | undefined;
  readonly MessageGroupId?: string | undefined;
}

export interface Checked extends NewMessage {
  /** As the sender is told it, also where the body is sealed. */
  readonly bodyMd5: string;
  readonly attributesMd5: string | undefined;
  readonly systemAttributesMd5: string | undefined;
}

const ID = /^[A-Za-z0-9!"#$%&'()*+,\-./:;<=>?@[\\\]^_`{|}~]+$/;
const ALLOWED = "#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF";

interface Given {
  readonly queue: Queue;
  readonly sender: string;
  readonly now: number;
  readonly ids: Ids;
  readonly sealer: BodySealer;
  /** X-Amzn-Trace-Id of the request: the trace of messages that name none. */
  readonly traceHeader?: string | undefined;
}

/**
 * What makes a whole batch one that nothing is sent of: too much of it together, and entries for a FIFO queue that name no group or no
 * deduplication id.
 * @throws AwsError BatchRequestTooLong, InvalidParameterValue
 */
export function checkBatch(entries: readonly MessageInput[], { isFifo, deduplicatesContent }: Queue): void {
  let bytes = 0;
  for (const { MessageBody = "", MessageAttributes, MessageGroupId, MessageDeduplicationId } of entries) {
    bytes += Buffer.byteLength(MessageBody) + (MessageAttributes ? attributeBytes(MessageAttributes) : 0);
    if (!isFifo) continue;
    // Not MissingParameter, which a single message is refused with.
    if (!MessageGroupId) throw invalidParameter(missingParameter("MessageGroupId").message);
    if (!MessageDeduplicationId && !deduplicatesContent) throw noDeduplication();
  }
  if (bytes > MESSAGE_BYTES_MAX)
    throw new AwsError(
      "BatchRequestTooLong",
      `Batch requests cannot be longer than ${MESSAGE_BYTES_MAX} bytes. You have sent ${bytes} bytes.`,
    );
}

/** @throws AwsError for a message that the queue does not take */
export function checkMessage(input: MessageInput, given: Given): Checked {
  const { queue, sender, now, ids, traceHeader } = given;
  const { MessageBody: body, MessageAttributes: attributes, MessageSystemAttributes: system } = input;
  if (body === undefined || body === "") throw missingParameter("MessageBody");
  if (attributes) checkMessageAttributes(attributes);
  if (system) checkSystemAttributes(system);
  const bytes = Buffer.byteLength(body) + (attributes ? attributeBytes(attributes) : 0);
  if (bytes > queue.bytesMax) throw tooLong(queue);
  const forbidden = forbiddenCharacter(body);
  if (forbidden !== undefined)
    throw new AwsError(
      "InvalidMessageContents",
      `Invalid binary character '${forbidden}' was found in the message body, the set of allowed characters is ${ALLOWED}`,
    );
  const { groupId, deduplicationId } = queue.isFifo ? fifoIds(input, queue, body) : standardIds(input);
  const md5 = attributes && attributesMd5(attributes);
  const trace = system?.["AWSTraceHeader"]?.StringValue ?? traceHeader;
  const bodyMd5 = hash("md5", body);
  return {
    messageId: ids.uuid(),
    body: queue.isSealed ? given.sealer.seal(body) : body,
    md5: queue.isSealed ? "" : bodyMd5,
    bodyMd5,
    sender,
    sentAt: now,
    visibleAt: now + delayMs(input, queue),
    groupId,
    deduplicationId,
    extra:
      md5 === undefined && trace === undefined && deduplicationId === undefined
        ? null
        : extraOf({
            ...(md5 !== undefined && { attributes: keep(attributes ?? {}), md5 }),
            ...(trace !== undefined && { trace }),
            ...(deduplicationId !== undefined && { deduplicationId }),
          }),
    bytes,
    attributesMd5: md5,
    systemAttributesMd5: system && attributesMd5(system),
  };
}

export function tooLong({ bytesMax }: Queue): AwsError {
  return invalidParameter(
    `One or more parameters are invalid. Reason: Message must be shorter than ${bytesMax} bytes.`,
  );
}

function delayMs({ DelaySeconds: seconds }: MessageInput, { delayMs, isFifo }: Queue): number {
  if (seconds === undefined) return delayMs;
  if (!Number.isInteger(seconds) || seconds < 0 || seconds > DELAY_SECONDS_MAX)
    throw invalidValue(seconds, "DelaySeconds", `DelaySeconds must be >= 0 and <= ${DELAY_SECONDS_MAX}.`);
  // A FIFO queue has one delay for all of its messages.
  if (isFifo) {
    if (seconds > 0) throw notForThisType(seconds, "DelaySeconds");
    return delayMs;
  }
  return seconds * 1_000;
}

interface MessageIds {
  readonly groupId: string | undefined;
  readonly deduplicationId: string | undefined;
}

/** A standard queue's message may have a group, for fairness between groups. */
function standardIds({ MessageGroupId, MessageDeduplicationId }: MessageInput): MessageIds {
  if (MessageDeduplicationId !== undefined)
    throw notForThisType(MessageDeduplicationId, "MessageDeduplicationId");
  if (MessageGroupId !== undefined) checkId(MessageGroupId, "MessageGroupId");
  return { groupId: MessageGroupId, deduplicationId: undefined };
}

function fifoIds(
  { MessageGroupId, MessageDeduplicationId }: MessageInput,
  queue: Queue,
  body: string,
): MessageIds {
  if (MessageGroupId === undefined) throw missingParameter("MessageGroupId");
  checkId(MessageGroupId, "MessageGroupId");
  if (MessageDeduplicationId !== undefined) checkId(MessageDeduplicationId, "MessageDeduplicationId");
  else if (!queue.deduplicatesContent) throw noDeduplication();
  return {
    groupId: MessageGroupId,
    // Of the body alone: attributes do not count.
    deduplicationId: MessageDeduplicationId ?? hash("sha256", body),
  };
}

function noDeduplication(): AwsError {
  return invalidParameter(
    "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
  );
}

/** @throws AwsError InvalidParameterValue */
export function checkId(id: string, parameter: string): void {
  if (id.length > ID_CHARS_MAX || !ID.test(id))
    throw invalidValue(
      id,
      parameter,
      `${parameter} can only include alphanumeric and punctuation characters. 1 to ${ID_CHARS_MAX} in length.`,
    );
}
