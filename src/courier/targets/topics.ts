/** Topics of SNS: the body is a message. */
import { AwsError } from "../../aws/errors.ts";
import type { TargetTopics } from "../ports.ts";
import { DELIVERED, callerOf, faultOf, refused } from "../target.ts";
import type { TargetKind } from "../target.ts";

/** @param topics Called when something is delivered: SNS is made with the courier. */
export function topicTarget(topics: () => TargetTopics): TargetKind {
  return {
    async fault(target, sender, tx) {
      const answer = await topics().check(target.arn, callerOf(target, sender), tx);
      return faultOf(answer, "topic", "sns:Publish", target, sender);
    },
    async put(tx, { target, body, traceHeader }) {
      try {
        const answer = await topics().publish(tx, {
          ...target.sns,
          topicArn: target.arn,
          message: body.toString(),
          ...(traceHeader !== undefined && { traceHeader }),
        });
        if (answer === "published") return DELIVERED;
        if (answer === "missing") return refused("missing", `there is no such topic: ${target.arn}`);
        return refused("too-large", `the message is larger than ${target.arn} takes`);
      } catch (error) {
        if (error instanceof AwsError) return refused("invalid", error.message);
        throw error;
      }
    },
  };
}
