/**
 * Messages of ActiveMQ, as functions get them, from what AMQP 1.0 says of them (ActiveMQ's mapping of JMS).
 * https://docs.aws.amazon.com/lambda/latest/dg/with-mq.html
 */
import type { Message } from "rhea";

/** ActiveMQ's annotation that names the JMS type. */
const TYPE_ANNOTATION = "x-opt-jms-msg-type";
const BYTES_MESSAGE = 3;
const TEXT_MESSAGE = 5;
/** JMS's words for DeliveryMode. */
const NON_PERSISTENT = 1;
const PERSISTENT = 2;
const priorityDefault = 4;

/** A body that functions can be given, or nothing: AWS hands on texts and bytes only. */
export interface ActivemqBody {
  readonly messageType: "jms/text-message" | "jms/bytes-message";
  readonly data: Buffer;
}

export function bodyOf(message: Message): ActivemqBody | undefined {
  const type = message["message_annotations"]?.[TYPE_ANNOTATION] as unknown;
  const data = dataOf(message.body);
  if (data === undefined) return undefined;
  if (type !== undefined && type !== BYTES_MESSAGE && type !== TEXT_MESSAGE) return undefined;
  const isText = type === TEXT_MESSAGE || (type === undefined && typeof message.body === "string");
  return { messageType: isText ? "jms/text-message" : "jms/bytes-message", data };
}

/**
 * @param receivedMs When the message came. AMQP does not carry the times at which the broker took a message in and handed it out:
 *   brokerInTime is the time at which it was sent, brokerOutTime that at which it came here.
 */
export function activemqRecord(
  message: Message,
  { messageType, data }: ActivemqBody,
  queue: string,
  receivedMs: number,
): Record<string, unknown> {
  const sentMs = millis(message["creation_time"]);
  return {
    messageID: String(message["message_id"] ?? ""),
    messageType,
    timestamp: sentMs,
    deliveryMode: message["durable"] === true ? PERSISTENT : NON_PERSISTENT,
    correlationID: String(message["correlation_id"] ?? ""),
    // What Java makes of no destination.
    replyTo: message["reply_to"] ?? "null",
    destination: { physicalName: queue },
    redelivered: deliveriesOf(message) > 0,
    type: message["subject"] ?? "",
    expiration: millis(message["absolute_expiry_time"]),
    priority: message["priority"] ?? priorityDefault,
    data: data.toString("base64"),
    brokerInTime: sentMs || receivedMs,
    brokerOutTime: receivedMs,
    properties: message["application_properties"] ?? {},
  };
}

export function deliveriesOf(message: Message): number {
  return message["delivery_count"] ?? 0;
}

function dataOf(body: unknown): Buffer | undefined {
  if (typeof body === "string") return Buffer.from(body);
  if (Buffer.isBuffer(body)) return body;
  if (body === undefined || body === null) return Buffer.alloc(0);
  // One data section, or several.
  const content = (body as { content?: unknown }).content;
  if (Buffer.isBuffer(content)) return content;
  if (Array.isArray(content) && content.every((part) => Buffer.isBuffer(part))) return Buffer.concat(content);
  return undefined;
}

function millis(time: unknown): number {
  return time === undefined || time === null ? 0 : Number(time);
}
