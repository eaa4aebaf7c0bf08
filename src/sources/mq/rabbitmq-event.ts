/** Messages of RabbitMQ, as functions get them. https://docs.aws.amazon.com/lambda/latest/dg/with-mq.html */
import type { ConsumeMessage } from "amqplib";

/** Members in the order and with the nulls that AWS gives them. */
export function rabbitmqRecord({ content, fields, properties }: ConsumeMessage): Record<string, unknown> {
  return {
    basicProperties: {
      contentType: properties.contentType ?? null,
      contentEncoding: properties.contentEncoding ?? null,
      headers: headerOf(properties.headers ?? {}),
      deliveryMode: properties.deliveryMode ?? null,
      priority: properties.priority ?? null,
      correlationId: properties.correlationId ?? null,
      replyTo: properties.replyTo ?? null,
      expiration: properties.expiration ?? null,
      messageId: properties.messageId ?? null,
      timestamp: properties.timestamp === undefined ? null : javaDate(Number(properties.timestamp)),
      type: properties.type ?? null,
      userId: properties.userId ?? null,
      appId: properties.appId ?? null,
      clusterId: properties.clusterId ?? null,
      bodySize: content.length,
    },
    redelivered: fields.redelivered,
    data: content.toString("base64"),
  };
}

/** Texts in headers are lists of Java's bytes; all else is as it is. */
function headerOf(value: unknown): unknown {
  if (typeof value === "string") return { bytes: [...new Int8Array(Buffer.from(value))] };
  if (Buffer.isBuffer(value)) return { bytes: [...new Int8Array(value)] };
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(headerOf);
  if (typeof value !== "object" || value === null) return value;
  const tagged = value as { "!"?: unknown; value?: unknown };
  // The library's form of types that JavaScript does not have, such as timestamps.
  if (typeof tagged["!"] === "string" && "value" in tagged)
    return tagged["!"] === "timestamp" ? javaDate(Number(tagged.value)) : headerOf(tagged.value);
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, headerOf(one)]));
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `Jan 1, 1970, 12:33:41 AM`: Java's medium format in American English, in UTC. @param seconds Since the epoch, as AMQP has it. */
function javaDate(seconds: number): string {
  const date = new Date(seconds * 1_000);
  const [hours, minutes, rest] = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()];
  const clock = `${hours % 12 === 0 ? 12 : hours % 12}:${two(minutes)}:${two(rest)} ${hours < 12 ? "AM" : "PM"}`;
  return `${MONTHS[date.getUTCMonth()]} ${date.getUTCDate()}, ${date.getUTCFullYear()}, ${clock}`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
