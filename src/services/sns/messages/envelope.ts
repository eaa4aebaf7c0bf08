/** The forms in which subscribers get messages, with AWS's members in AWS's order. https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html */
import type { Subscription } from "../subscriptions/subscription.ts";
import type { MessageAttributes } from "./attributes.ts";

/** What every subscriber is told of a message. */
export interface Notification {
  readonly messageId: string;
  readonly topicArn: string;
  readonly subject: string | undefined;
  readonly text: string;
  /** `2026-01-01T00:00:00.000Z` */
  readonly timestamp: string;
  readonly attributes: MessageAttributes;
  /** Of FIFO topics. */
  readonly sequenceNumber: string | undefined;
  /** FIFO topics do not sign. */
  readonly signature: Signature | undefined;
}

export interface Signature {
  readonly version: "1" | "2";
  /** Base64. */
  readonly value: string;
  /** `/SimpleNotificationService-0123.pem` */
  readonly certificatePath: string;
}

/** The body of a message in a queue, or of a request to an endpoint. */
export function jsonEnvelope(notification: Notification, { arn, base }: Subscription): string {
  const { messageId, topicArn, subject, text, timestamp, attributes, sequenceNumber, signature } =
    notification;
  return print({
    Type: "Notification",
    MessageId: messageId,
    ...(sequenceNumber !== undefined && { SequenceNumber: sequenceNumber }),
    TopicArn: topicArn,
    ...(subject !== undefined && { Subject: subject }),
    Message: text,
    Timestamp: timestamp,
    ...(signature && signatureMembers(signature, base)),
    UnsubscribeURL: unsubscribeUrl(base, arn),
    ...(Object.keys(attributes).length > 0 && { MessageAttributes: told(attributes) }),
  });
}

/** The event of a function. */
export function functionEvent(notification: Notification, { arn, base }: Subscription): string {
  const { messageId, topicArn, subject = null, text, timestamp, attributes, signature } = notification;
  return JSON.stringify({
    Records: [
      {
        EventSource: "aws:sns",
        EventVersion: "1.0",
        EventSubscriptionArn: arn,
        Sns: {
          Type: "Notification",
          MessageId: messageId,
          TopicArn: topicArn,
          Subject: subject,
          Message: text,
          Timestamp: timestamp,
          SignatureVersion: signature?.version,
          Signature: signature?.value,
          SigningCertUrl: signature && base + signature.certificatePath,
          UnsubscribeUrl: unsubscribeUrl(base, arn),
          MessageAttributes: told(attributes),
        },
      },
    ],
  });
}

/** What an endpoint, or another account's queue, gets before anything else; and an endpoint at the end. */
export interface Confirmation {
  readonly type: "SubscriptionConfirmation" | "UnsubscribeConfirmation";
  readonly message: string;
  readonly messageId: string;
  readonly token: string;
  readonly topicArn: string;
  readonly timestamp: string;
  readonly base: string;
}

export function confirmationEnvelope(confirmation: Confirmation, signature: Signature): string {
  const { type, message, messageId, token, topicArn, timestamp, base } = confirmation;
  return print({
    Type: type,
    MessageId: messageId,
    Token: token,
    TopicArn: topicArn,
    Message: message,
    SubscribeURL: subscribeUrl(base, topicArn, token),
    Timestamp: timestamp,
    ...signatureMembers(signature, base),
  });
}

export function subscribeUrl(base: string, topicArn: string, token: string): string {
  return `${base}/?Action=ConfirmSubscription&TopicArn=${topicArn}&Token=${token}`;
}

function unsubscribeUrl(base: string, subscriptionArn: string): string {
  return `${base}/?Action=Unsubscribe&SubscriptionArn=${subscriptionArn}`;
}

function signatureMembers({ version, value, certificatePath }: Signature, base: string) {
  return { SignatureVersion: version, Signature: value, SigningCertURL: base + certificatePath };
}

function told(attributes: MessageAttributes) {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, { DataType, StringValue, BinaryValue }]) => [
      name,
      { Type: DataType, Value: BinaryValue ?? StringValue ?? "" },
    ]),
  );
}

/** As AWS lays it out: a member a line; of the attributes too. */
function print(members: Readonly<Record<string, string | object>>): string {
  const lines = Object.entries(members).map(
    ([name, value]) =>
      `  "${name}" : ${typeof value === "string" ? JSON.stringify(value) : printAttributes(value)}`,
  );
  return `{\n${lines.join(",\n")}\n}`;
}

function printAttributes(attributes: object): string {
  const lines = Object.entries(attributes).map(
    ([name, value]) => `    ${JSON.stringify(name)} : ${JSON.stringify(value)}`,
  );
  return `{\n${lines.join(",\n")}\n  }`;
}
