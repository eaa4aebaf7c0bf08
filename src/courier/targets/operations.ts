/** Operations that are named by `arn:aws:scheduler:::aws-sdk:SERVICE:ACTION`: the body is the operation's input, in JSON. */
import type { Clock } from "../../kit/clock.ts";
import type { TargetOperations } from "../ports.ts";
import { DELIVERED, refused } from "../target.ts";
import type { TargetKind } from "../target.ts";

/** Operations at once: half of the courier's deliveries, since some take long. */
const CONCURRENCY = 32;
const WAIT_MS = 250;
const NAME = /^arn:aws:scheduler:::aws-sdk:([^:]+):([^:]+)$/;

/** @param operations Made after the courier. What a call needs is looked at when it is made, as by the API. */
export function operationTarget(operations: () => TargetOperations, clock: Clock): TargetKind {
  let running = 0;
  return {
    async fault() {
      return undefined;
    },
    async send({ id, target: { arn, roleArn }, sender: { region }, body }) {
      const [, service, action] = NAME.exec(arn) ?? [];
      if (service === undefined || action === undefined || roleArn === undefined)
        return refused("invalid", `${arn} names no operation that a role could call`);
      if (running >= CONCURRENCY) return { kind: "wait", notBefore: clock.now() + WAIT_MS };
      running++;
      try {
        const input = body.toString();
        const failure = await operations().call({ service, action, input, roleArn, region, token: id });
        if (!failure) return DELIVERED;
        const { code: apiCode, message, isTransient, isThrottled } = failure;
        if (!isTransient) return { kind: "refused", failure: { code: "failed", message, apiCode } };
        return { kind: "later", failure: { code: isThrottled ? "throttled" : "failed", message, apiCode } };
      } finally {
        running--;
      }
    },
  };
}
