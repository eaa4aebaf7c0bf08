/** Queues: the body is a message's. */
import { AwsError } from "../../aws/errors.ts";
import type { MessageAttributes } from "../../aws/parcel.ts";
import type { TargetQueues } from "../ports.ts";
import { DELIVERED, callerOf, faultOf, refused } from "../target.ts";
import type { TargetKind } from "../target.ts";

export function queueTarget(queues: TargetQueues): TargetKind {
  return {
    async fault(target, sender, tx) {
      const answer = await queues.check(target.arn, callerOf(target, sender), tx);
      return faultOf(answer, "queue", "sqs:SendMessage", target, sender);
    },
    async put(tx, { target, sender, body, traceHeader }) {
      const { attributes = {}, messageGroupId, deduplicationId } = target.sqs ?? {};
      try {
        const answer = await queues.send(tx, {
          queueArn: target.arn,
          body: body.toString(),
          attributes: withBytes(attributes),
          ...(traceHeader !== undefined && { traceHeader }),
          ...(messageGroupId !== undefined && { groupId: messageGroupId }),
          ...(deduplicationId !== undefined && { deduplicationId }),
          sender: callerOf(target, sender),
        });
        if (answer === "sent") return DELIVERED;
        if (answer === "missing") return refused("missing", `there is no such queue: ${target.arn}`);
        return refused("too-large", `the message is larger than ${target.arn} takes`);
      } catch (error) {
        if (error instanceof AwsError) return refused("invalid", error.message);
        throw error;
      }
    },
  };
}

/** As SQS has them. */
export function withBytes(attributes: MessageAttributes) {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, { BinaryValue, ...value }]) => [
      name,
      { ...value, ...(BinaryValue !== undefined && { BinaryValue: Buffer.from(BinaryValue, "base64") }) },
    ]),
  );
}
