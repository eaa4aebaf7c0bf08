/** Functions: the body is the event, invoked asynchronously. */
import type { TargetFunctions } from "../ports.ts";
import { DELIVERED, callerOf, faultOf, refused } from "../target.ts";
import type { TargetKind } from "../target.ts";

export function functionTarget(functions: TargetFunctions): TargetKind {
  return {
    async fault(target, sender, tx) {
      const answer = await functions.check(target.arn, callerOf(target, sender), tx);
      return faultOf(answer, "function", "lambda:InvokeFunction", target, sender);
    },
    async put(tx, { target, body, traceHeader }) {
      const answer = await functions.invokeAsync(tx, {
        functionArn: target.arn,
        payload: body,
        ...(traceHeader !== undefined && { traceHeader }),
      });
      if (answer === "queued") return DELIVERED;
      if (answer === "missing") return refused("missing", `there is no such function: ${target.arn}`);
      return refused(
        "too-large",
        `an event of ${body.length} bytes is larger than functions take asynchronously`,
      );
    },
  };
}
