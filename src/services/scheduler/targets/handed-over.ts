/** Operations whose whole effect is a hand-over to a function, queue, topic or bus: it is made once, in the transaction of the schedule. */
import { EVENTS_MAX } from "../limits.ts";
import type { Place } from "../names.ts";
import type { MessageAttributes } from "../../../aws/parcel.ts";
import type { Delivery } from "./delivery.ts";

/** An operation's input, by AWS's names. */
type Members = Readonly<Record<string, unknown>>;

interface Operation {
  /** Members that a hand-over understands; those with `true` are needed. */
  readonly members: Readonly<Record<string, boolean>>;
  read(input: Members, place: Place): Delivery[] | undefined;
}

const MESSAGE = { MessageAttributes: false, MessageGroupId: false, MessageDeduplicationId: false };

const OPERATIONS: Readonly<Record<string, Operation>> = {
  "lambda:invoke": {
    members: { FunctionName: true, InvocationType: true, Payload: false, Qualifier: false },
    read: readInvoke,
  },
  "sqs:sendMessage": {
    members: { QueueUrl: true, MessageBody: true, ...MESSAGE },
    read: readSendMessage,
  },
  "sns:publish": {
    members: { TopicArn: true, Message: true, Subject: false, ...MESSAGE },
    read: readPublish,
  },
  "eventbridge:putEvents": { members: { Entries: true }, read: readPutEvents },
};

const ENTRY = { Source: true, DetailType: true, Detail: true, EventBusName: false, Resources: false };

/** Undefined for what is more than a hand-over, or none: that is the operation's own to do, or to refuse. */
export function handedOver(name: string, input: string, place: Place): Delivery[] | undefined {
  const operation = Object.hasOwn(OPERATIONS, name) ? OPERATIONS[name] : undefined;
  const members = operation && membersOf(parse(input), operation.members);
  return members && operation.read(members, place);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** An object with no other members than those that are understood, and all that are needed; texts all of them but a few. */
function membersOf(value: unknown, known: Readonly<Record<string, boolean>>): Members | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const isKnown = Object.entries(value).every(
    ([name, member]) =>
      Object.hasOwn(known, name) &&
      (typeof member === "string") !== ["MessageAttributes", "Entries", "Resources"].includes(name),
  );
  const isWhole = Object.entries(known).every(([name, isNeeded]) => !isNeeded || Object.hasOwn(value, name));
  return isKnown && isWhole ? (value as Members) : undefined;
}

const text = (input: Members, name: string) => input[name] as string | undefined;

function readInvoke(input: Members, { account, region }: Place): Delivery[] | undefined {
  const [name = "", qualifier] = [text(input, "FunctionName"), text(input, "Qualifier")];
  if (input["InvocationType"] !== "Event" || !/^(arn:aws:lambda:.+|[\w-]+)$/.test(name)) return undefined;
  const plain = name.startsWith("arn:") ? name : `arn:aws:lambda:${region}:${account}:function:${name}`;
  const arn = qualifier === undefined ? plain : `${plain}:${qualifier}`;
  return [{ target: { arn }, body: text(input, "Payload") ?? "{}" }];
}

/** The queue's URL ends with its account and name. */
function readSendMessage(input: Members, { region }: Place): Delivery[] | undefined {
  const [, account, name] =
    /^https?:\/\/[^/]+\/(\d{12})\/([\w.-]+)$/.exec(text(input, "QueueUrl") ?? "") ?? [];
  const message = messageOf(input);
  if (name === undefined || !message) return undefined;
  const target = { arn: `arn:aws:sqs:${region}:${account}:${name}`, sqs: message };
  return [{ target, body: text(input, "MessageBody") ?? "" }];
}

function readPublish(input: Members): Delivery[] | undefined {
  const subject = text(input, "Subject");
  const message = messageOf(input);
  if (!message || !text(input, "TopicArn")?.startsWith("arn:aws:sns:")) return undefined;
  const sns = { ...message, ...(subject !== undefined && { subject }) };
  return [{ target: { arn: text(input, "TopicArn") ?? "", sns }, body: text(input, "Message") ?? "" }];
}

/** What SendMessage and Publish share. */
function messageOf(input: Members) {
  const messageGroupId = text(input, "MessageGroupId");
  const deduplicationId = text(input, "MessageDeduplicationId");
  const { MessageAttributes: attributes } = input;
  if (attributes !== undefined && !areAttributes(attributes)) return undefined;
  return {
    ...(messageGroupId !== undefined && { messageGroupId }),
    ...(deduplicationId !== undefined && { deduplicationId }),
    ...(attributes !== undefined && { attributes }),
  };
}

function areAttributes(value: unknown): value is MessageAttributes {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((attribute: unknown) => {
    const { DataType, StringValue, BinaryValue, ...others } = (attribute ?? {}) as Record<string, unknown>;
    const hasValue = [StringValue, BinaryValue].some((one) => typeof one === "string");
    return typeof DataType === "string" && hasValue && Object.keys(others).length === 0;
  });
}

function readPutEvents(input: Members, { account, region }: Place): Delivery[] | undefined {
  const entries = input["Entries"];
  if (!Array.isArray(entries) || entries.length === 0 || entries.length > EVENTS_MAX) return undefined;
  const deliveries: Delivery[] = [];
  for (const value of entries as unknown[]) {
    const entry = membersOf(value, ENTRY);
    if (!entry) return undefined;
    const bus = text(entry, "EventBusName") ?? "default";
    const arn = bus.startsWith("arn:") ? bus : `arn:aws:events:${region}:${account}:event-bus/${bus}`;
    if (!/^arn:aws:events:[^:]+:\d{12}:event-bus\//.test(arn)) return undefined;
    const resources = entry["Resources"] as readonly string[] | undefined;
    const event = {
      source: text(entry, "Source") ?? "",
      detailType: text(entry, "DetailType") ?? "",
      ...(resources !== undefined && { resources }),
    };
    deliveries.push({ target: { arn, event }, body: text(entry, "Detail") ?? "{}" });
  }
  return deliveries;
}
