/** Checks a message that is to be published. */
import { hash } from "node:crypto";
import { invalid } from "../errors.ts";
import { ID_CHARS_MAX, SUBJECT_CHARS_MAX } from "../limits.ts";
import type { Protocol } from "../subscriptions/subscription.ts";
import type { Topic } from "../topics/topic.ts";
import { attributeBytes, readAttributes } from "./attributes.ts";
import type { AttributeInput, MessageAttributes } from "./attributes.ts";

/** What Publish and an entry of PublishBatch say of a message. */
export interface MessageInput {
  readonly Message?: string | undefined;
  readonly Subject?: string | undefined;
  readonly MessageStructure?: string | undefined;
  readonly MessageAttributes?: Readonly<Record<string, AttributeInput>> | undefined;
  readonly MessageDeduplicationId?: string | undefined;
  readonly MessageGroupId?: string | undefined;
}

/** A message that its topic takes. */
export interface Message {
  /** By protocol, where it differs; `default` for all others. */
  readonly texts: Readonly<Partial<Record<Protocol, string>> & { default: string }>;
  readonly subject: string | undefined;
  readonly attributes: MessageAttributes;
  readonly groupId: string | undefined;
  readonly deduplicationId: string | undefined;
  readonly bytes: number;
}

const ID = /^[A-Za-z0-9!"#$%&'()*+,\-./:;<=>?@[\\\]^_`{|}~]+$/;
const PROTOCOLS: readonly Protocol[] = ["lambda", "sqs", "http", "https"];

/** @throws AwsError InvalidParameter, ParameterValueInvalid */
export function checkMessage(input: MessageInput, topic: Topic): Message {
  const { Message: text = "", Subject: subject, MessageStructure: structure } = input;
  if (text === "") throw invalid("Empty message");
  if (subject !== undefined) checkSubject(subject);
  const attributes = readAttributes(input.MessageAttributes);
  const bytes = Buffer.byteLength(text) + attributeBytes(attributes);
  if (bytes > topic.bytesMax) throw invalid("Message too long");
  const ids = topic.isFifo ? fifoIds(input, topic, text) : standardIds(input);
  return { texts: textsOf(text, structure), subject, attributes, ...ids, bytes };
}

// eslint-disable-next-line no-control-regex -- exactly these may not be in a subject
const CONTROL = /[\u0000-\u001f\u007f]/;

function checkSubject(subject: string): void {
  if (subject === "" || subject.length > SUBJECT_CHARS_MAX || CONTROL.test(subject)) throw invalid("Subject");
}

function textsOf(text: string, structure: string | undefined): Message["texts"] {
  if (structure === undefined) return { default: text };
  if (structure !== "json") throw invalid("MessageStructure");
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // Told below.
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed))
    throw invalid("Message Structure - JSON message body failed to parse");
  const members = parsed as Readonly<Record<string, unknown>>;
  const value = members["default"];
  if (typeof value !== "string") throw invalid("Message Structure - No default entry in JSON message body");
  const own = PROTOCOLS.flatMap((protocol) => {
    const one = members[protocol];
    return typeof one === "string" ? [[protocol, one] as const] : [];
  });
  return { ...Object.fromEntries(own), default: value };
}

type MessageIds = Pick<Message, "groupId" | "deduplicationId">;

/** A standard topic's message may have a group, which standard queues are told. */
function standardIds({ MessageGroupId, MessageDeduplicationId }: MessageInput): MessageIds {
  if (MessageDeduplicationId !== undefined)
    throw invalid(
      "MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type",
    );
  if (MessageGroupId !== undefined) checkId(MessageGroupId, "MessageGroupId");
  return { groupId: MessageGroupId, deduplicationId: undefined };
}

function fifoIds(
  { MessageGroupId, MessageDeduplicationId }: MessageInput,
  topic: Topic,
  text: string,
): MessageIds {
  if (!MessageGroupId) throw invalid("The MessageGroupId parameter is required for FIFO topics");
  checkId(MessageGroupId, "MessageGroupId");
  if (MessageDeduplicationId !== undefined) checkId(MessageDeduplicationId, "MessageDeduplicationId");
  else if (!topic.deduplicatesContent)
    throw invalid(
      "The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
    );
  // Of the message alone: attributes do not count.
  return { groupId: MessageGroupId, deduplicationId: MessageDeduplicationId ?? hash("sha256", text) };
}

function checkId(id: string, parameter: string): void {
  if (id.length > ID_CHARS_MAX || !ID.test(id))
    throw invalid(
      `${parameter} Reason: ${parameter} can only include alphanumeric and punctuation characters. 1 to ${ID_CHARS_MAX} in length.`,
    );
}
