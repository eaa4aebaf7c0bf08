/** Publishes in another service's transaction: S3's notifications, Lambda's destinations, what the courier carries. */
import type { Transaction } from "../../store/database.ts";
import type { Sns } from "./deps.ts";
import { attributeBytes } from "./messages/attributes.ts";
import type { MessageAttributes } from "./messages/attributes.ts";
import { checkMessage } from "./messages/check.ts";
import { mayPublish } from "./policy.ts";
import type { TopicSender } from "./policy.ts";

export interface IntakeMessage {
  readonly topicArn: string;
  readonly message: string;
  readonly subject?: string;
  readonly attributes?: MessageAttributes;
  readonly messageGroupId?: string;
  readonly deduplicationId?: string;
  readonly traceHeader?: string;
}

export interface TopicIntake {
  /**
   * Whether the topic exists and the sender may publish to it: a service by the topic's policy (with aws:SourceArn and aws:SourceAccount), a role by
   * its own policies and the topic's.
   * @param tx The transaction in which it is asked of a service, if in one
   */
  check(topicArn: string, sender: TopicSender, tx?: Transaction): Promise<"ok" | "missing" | "denied">;
  /**
   * Publishes in the caller's transaction. Permission is not asked again: that is `check`'s.
   * @throws AwsError for a message that the topic would refuse for another reason than its size
   */
  publish(tx: Transaction, message: IntakeMessage): Promise<"published" | "missing" | "too-large">;
  /** The largest message that the topic takes, in bytes; undefined when there is none. */
  bytesMax(topicArn: string): Promise<number | undefined>;
}

export function createIntake(sns: Sns): TopicIntake {
  const { topics, publisher } = sns;
  return {
    async check(topicArn, sender, tx) {
      const topic = await (tx ? topics.findIn(tx, topicArn) : topics.findByArn(topicArn));
      if (!topic) return "missing";
      return (await mayPublish(sns, topic, sender)) ? "ok" : "denied";
    },
    async publish(tx, { topicArn, message, attributes = {}, ...given }) {
      const topic = await topics.findIn(tx, topicArn);
      if (!topic) return "missing";
      if (Buffer.byteLength(message) + attributeBytes(attributes) > topic.bytesMax) return "too-large";
      const checked = checkMessage(
        {
          Message: message,
          Subject: given.subject,
          MessageAttributes: withBytes(attributes),
          MessageGroupId: given.messageGroupId,
          MessageDeduplicationId: given.deduplicationId,
        },
        topic,
      );
      return (await publisher.publishIn(tx, topic, checked, given.traceHeader)) ? "published" : "missing";
    },
    async bytesMax(topicArn) {
      return (await topics.findByArn(topicArn))?.bytesMax;
    },
  };
}

function withBytes(attributes: MessageAttributes) {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, { BinaryValue, ...value }]) => [
      name,
      { ...value, ...(BinaryValue !== undefined && { BinaryValue: Buffer.from(BinaryValue, "base64") }) },
    ]),
  );
}
