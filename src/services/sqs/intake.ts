/** Hands messages to queues in another service's transaction: S3's notifications, Lambda's destinations and dead letters. */
import type { Transaction } from "../../store/database.ts";
import type { Sqs } from "./deps.ts";
import { checkMessage } from "./messages/check.ts";
import { attributeBytes } from "./messages/attributes.ts";
import { serviceSenderId } from "./messages/sender.ts";
import type { QueueSender } from "./messages/sender.ts";
import { maySend } from "./policy.ts";

export interface IntakeMessage {
  readonly queueArn: string;
  readonly body: string;
  readonly attributes?: Readonly<
    Record<
      string,
      { readonly DataType: string; readonly StringValue?: string; readonly BinaryValue?: Uint8Array }
    >
  >;
  /** AWSTraceHeader. */
  readonly traceHeader?: string;
  /** MessageGroupId; FIFO queues need it. */
  readonly groupId?: string;
  /** MessageDeduplicationId; FIFO queues need it unless they deduplicate by content. */
  readonly deduplicationId?: string;
  readonly sender: QueueSender;
}

export interface QueueIntake {
  /**
   * Whether the queue exists and the sender may send to it: a service by the queue's policy (with aws:SourceArn and aws:SourceAccount), a role by
   * its own policies and the queue's.
   * @param tx The transaction in which it is asked, if in one: of a service then, since of a role more is to be read than the transaction may
   */
  check(queueArn: string, sender: QueueSender, tx?: Transaction): Promise<"ok" | "missing" | "denied">;
  /**
   * Adds a message in the caller's transaction; receivers wake after its commit. Permission is not asked again: that is `check`'s.
   * @throws AwsError for a message that the queue would refuse for another reason than its size
   */
  send(tx: Transaction, message: IntakeMessage): Promise<"sent" | "missing" | "too-large">;
  /** MaximumMessageSize of the queue in bytes; undefined when there is none. */
  bytesMax(queueArn: string): Promise<number | undefined>;
}

export function createIntake(sqs: Sqs): QueueIntake {
  return {
    async check(queueArn, sender, tx) {
      const queue = await (tx ? sqs.queues.findIn(tx, queueArn) : sqs.queues.findByArn(queueArn));
      if (!queue) return "missing";
      return (await maySend(sqs, queue, sender)) ? "ok" : "denied";
    },
    async send(tx, { queueArn, body, attributes = {}, traceHeader, groupId, deduplicationId, sender }) {
      const queue = await sqs.queues.findIn(tx, queueArn);
      if (!queue) return "missing";
      if (Buffer.byteLength(body) + attributeBytes(attributes) > queue.bytesMax) return "too-large";
      const message = checkMessage(
        {
          MessageBody: body,
          MessageAttributes: attributes,
          MessageGroupId: groupId,
          MessageDeduplicationId: deduplicationId,
          ...(traceHeader !== undefined && {
            MessageSystemAttributes: { AWSTraceHeader: { DataType: "String", StringValue: traceHeader } },
          }),
        },
        { queue, sender: serviceSenderId(sender), now: sqs.clock.now(), ids: sqs.ids, sealer: sqs.sealer },
      );
      return (await sqs.sends.sendIn(tx, queue, [message])) ? "sent" : "missing";
    },
    async bytesMax(queueArn) {
      return (await sqs.queues.findByArn(queueArn))?.bytesMax;
    },
  };
}
