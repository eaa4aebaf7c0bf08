/** Targets that name an operation: `arn:aws:scheduler:::aws-sdk:sqs:sendMessage`, whose Input is the operation's own. */
import { notImplemented } from "../../../aws/errors.ts";
import { invalid } from "../errors.ts";
import { EVENTS_MAX } from "../limits.ts";
import type { Place } from "../names.ts";
import type { MessageAttributes } from "../ports.ts";
import type { Target } from "../schedules/definition.ts";
import type { Delivery } from "./delivery.ts";

export const UNIVERSAL = "arn:aws:scheduler:::aws-sdk:";

interface Operation {
  /** Members that are understood; those with `true` are required. */
  readonly members: Readonly<Record<string, boolean>>;
  read(input: Members, place: Place): Delivery[];
}

/** An operation's input, by AWS's names. */
type Members = Readonly<Record<string, unknown>>;

const OPERATIONS: Readonly<Record<string, Operation>> = {
  "lambda:invoke": {
    members: { FunctionName: true, InvocationType: true, Payload: false, Qualifier: false },
    read: readInvoke,
  },
  "sqs:sendMessage": {
    members: {
      QueueUrl: true,
      MessageBody: true,
      MessageAttributes: false,
      MessageGroupId: false,
      MessageDeduplicationId: false,
    },
    read: readSendMessage,
  },
  "sns:publish": {
    members: {
      TopicArn: true,
      Message: true,
      Subject: false,
      MessageAttributes: false,
      MessageGroupId: false,
      MessageDeduplicationId: false,
    },
    read: readPublish,
  },
  "eventbridge:putEvents": { members: { Entries: true }, read: readPutEvents },
};

const ENTRY = { Source: true, DetailType: true, Detail: true, EventBusName: false, Resources: false };

/** @throws AwsError ValidationException; NotImplemented for other operations, and for members that are not understood */
export function universalDeliveries(target: Target, input: string, place: Place): Delivery[] {
  const name = (target.Arn ?? "").slice(UNIVERSAL.length);
  const operation = Object.hasOwn(OPERATIONS, name) ? OPERATIONS[name] : undefined;
  if (!operation) throw notImplemented(`the target ${target.Arn}`);
  if (target.Input === undefined) throw invalid(`The target ${target.Arn} needs the Input of its operation.`);
  return operation.read(members(parse(input, target), operation.members, name), place);
}

function parse(input: string, { Arn }: Target): unknown {
  try {
    return JSON.parse(input);
  } catch {
    throw invalid(`The Input of the target ${Arn} must be well-formed JSON.`);
  }
}

/** An object with no other members than those that are known, and all that must be there. */
function members(value: unknown, known: Readonly<Record<string, boolean>>, operation: string): Members {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw invalid(`The Input of ${operation} must be an object.`);
  for (const name of Object.keys(value))
    if (!Object.hasOwn(known, name)) throw notImplemented(`${name} in the Input of ${operation}`);
  for (const [name, isRequired] of Object.entries(known))
    if (isRequired && !Object.hasOwn(value, name)) throw invalid(`The Input of ${operation} needs ${name}.`);
  return value as Members;
}

function text(input: Members, name: string): string | undefined {
  const value = input[name];
  if (value === undefined || typeof value === "string") return value;
  throw invalid(`${name} must be a string.`);
}

function readInvoke(input: Members, { account, region }: Place): Delivery[] {
  if (input["InvocationType"] !== "Event")
    throw notImplemented(`the InvocationType ${String(input["InvocationType"])} of lambda:invoke; Event is`);
  const name = text(input, "FunctionName") ?? "";
  const qualifier = text(input, "Qualifier");
  const plain = name.startsWith("arn:") ? name : `arn:aws:lambda:${region}:${account}:function:${name}`;
  const arn = qualifier === undefined ? plain : `${plain}:${qualifier}`;
  return [{ target: { arn }, body: text(input, "Payload") ?? "{}" }];
}

/** The queue's URL ends with its account and name. */
function readSendMessage(input: Members, { region }: Place): Delivery[] {
  const url = text(input, "QueueUrl") ?? "";
  const [, account, name] = /^https?:\/\/[^/]+\/(\d{12})\/([\w.-]+)$/.exec(url) ?? [];
  if (name === undefined) throw invalid(`${url} is no queue's URL.`);
  return [
    {
      target: { arn: `arn:aws:sqs:${region}:${account}:${name}`, sqs: messageOf(input) },
      body: text(input, "MessageBody") ?? "",
    },
  ];
}

function readPublish(input: Members): Delivery[] {
  const subject = text(input, "Subject");
  const sns = { ...messageOf(input), ...(subject !== undefined && { subject }) };
  return [{ target: { arn: text(input, "TopicArn") ?? "", sns }, body: text(input, "Message") ?? "" }];
}

/** What SendMessage and Publish share. */
function messageOf(input: Members) {
  const [messageGroupId, deduplicationId] = [
    text(input, "MessageGroupId"),
    text(input, "MessageDeduplicationId"),
  ];
  const attributes = input["MessageAttributes"];
  return {
    ...(messageGroupId !== undefined && { messageGroupId }),
    ...(deduplicationId !== undefined && { deduplicationId }),
    ...(attributes !== undefined && { attributes: readAttributes(attributes) }),
  };
}

function readAttributes(value: unknown): MessageAttributes {
  if (typeof value !== "object" || value === null) throw invalid("MessageAttributes must be an object.");
  return Object.fromEntries(
    Object.entries(value).map(([name, attribute]) => {
      const { DataType, StringValue, BinaryValue } = (attribute ?? {}) as Record<string, unknown>;
      const isRight =
        typeof DataType === "string" && [StringValue, BinaryValue].some((one) => typeof one === "string");
      if (!isRight)
        throw invalid(`The message attribute ${name} needs DataType, and StringValue or BinaryValue.`);
      return [name, attribute as MessageAttributes[string]];
    }),
  );
}

function readPutEvents(input: Members, { account, region }: Place): Delivery[] {
  const entries = input["Entries"];
  if (!Array.isArray(entries) || entries.length === 0 || entries.length > EVENTS_MAX)
    throw invalid(`Entries must be a list of 1 to ${EVENTS_MAX} events.`);
  return entries.map((value: unknown) => {
    const entry = members(value, ENTRY, "eventbridge:putEvents");
    const bus = text(entry, "EventBusName") ?? "default";
    const arn = bus.startsWith("arn:") ? bus : `arn:aws:events:${region}:${account}:event-bus/${bus}`;
    const resources = entry["Resources"] as readonly string[] | undefined;
    const event = {
      source: text(entry, "Source") ?? "",
      detailType: text(entry, "DetailType") ?? "",
      ...(resources !== undefined && { resources }),
    };
    return { target: { arn, event }, body: text(entry, "Detail") ?? "{}" };
  });
}
