/** Log groups of CloudWatch: the body is an event's message. */
import type { Clock } from "../../kit/clock.ts";
import type { TargetLogGroups } from "../ports.ts";
import { DELIVERED, refused } from "../target.ts";
import type { TargetKind } from "../target.ts";

export function logGroupTarget(groups: TargetLogGroups, clock: Clock): TargetKind {
  return {
    async fault({ arn }) {
      return (await groups.exists(arn)) ? undefined : { code: "missing", message: missing(arn) };
    },
    async put(tx, { id, target, body, traceHeader }) {
      const event = { timestamp: clock.now(), message: body.toString() };
      const answer = await groups.put(tx, target.arn, target.logs?.stream ?? id, [event], traceHeader);
      return answer === "put" ? DELIVERED : refused("missing", missing(target.arn));
    },
  };
}

function missing(arn: string): string {
  return `there is no such log group: ${arn}`;
}
