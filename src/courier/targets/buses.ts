/** Event buses: the body is an event's detail, or a whole event. */
import type { TargetBuses } from "../ports.ts";
import { DELIVERED, callerOf, faultOf, refused } from "../target.ts";
import type { TargetKind } from "../target.ts";

/** @param buses Made after the courier, which they hand things to. */
export function busTarget(buses: () => TargetBuses): TargetKind {
  return {
    async fault(target, sender, tx) {
      const { source = "", detailType = "" } = target.event ?? {};
      const answer = await buses().check(target.arn, callerOf(target, sender), { source, detailType }, tx);
      return faultOf(answer, "event bus", "events:PutEvents", target, sender);
    },
    async put(tx, { target, sender, body, traceHeader }) {
      const { source = "", detailType = "", resources = [], whole = false } = target.event ?? {};
      const { account, region } = sender;
      const answer = await buses().put(tx, {
        busArn: target.arn,
        text: body.toString(),
        whole,
        source,
        detailType,
        resources,
        account,
        region,
        ...(traceHeader !== undefined && { traceHeader }),
      });
      if (answer === "put") return DELIVERED;
      if (answer === "missing") return refused("missing", `there is no such event bus: ${target.arn}`);
      return refused("invalid", "the detail of an event must be a JSON object");
    },
  };
}
