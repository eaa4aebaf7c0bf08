/** Log groups of CloudWatch: the body is an event's message. */
import type { Clock } from "../../kit/clock.ts";
import type { TargetLogGroups } from "../ports.ts";
import { DELIVERED, refused } from "../target.ts";
import type { TargetKind } from "../target.ts";

/** What PutLogEvents takes: events of the last 14 days, and of the next two hours. https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html */
const AGE_MS_MAX = 14 * 86_400_000;
const AHEAD_MS_MAX = 2 * 3_600_000;

export function logGroupTarget(groups: TargetLogGroups, clock: Clock): TargetKind {
  return {
    async fault({ arn }, { service, sourceArn, account: sourceAccount }, tx) {
      const answer = await groups.check(arn, { service, sourceArn, sourceAccount }, tx);
      if (answer === "ok") return undefined;
      if (answer === "missing") return { code: "missing", message: missing(arn) };
      const policies = "no resource policy of CloudWatch Logs (PutResourcePolicy) lets";
      return {
        code: "denied",
        message: `${policies} ${service} make log streams in ${arn} and write to them`,
      };
    },
    async put(tx, { id, target, body, traceHeader }) {
      const now = clock.now();
      const { stream = id, timestamp = now } = target.logs ?? {};
      if (timestamp < now - AGE_MS_MAX || timestamp > now + AHEAD_MS_MAX)
        return refused(
          "untimely",
          `${target.arn} takes no event of ${new Date(timestamp).toISOString()}: it is older than 14 days, or more than two hours ahead`,
        );
      const event = { timestamp, message: body.toString() };
      const answer = await groups.put(tx, target.arn, stream, [event], traceHeader);
      return answer === "put" ? DELIVERED : refused("missing", missing(target.arn));
    },
  };
}

function missing(arn: string): string {
  return `there is no such log group: ${arn}`;
}
