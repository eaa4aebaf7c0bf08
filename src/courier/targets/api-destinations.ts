/** API destinations of EventBridge: endpoints with a connection that signs in. */
import type { TargetApiDestinations } from "../ports.ts";
import { faultOf } from "../target.ts";
import type { Outcome, TargetKind } from "../target.ts";

const TIMEOUT_MS = 5_000;
const NOTHING = { pathValues: [], headers: {}, query: {} };
/** Answers after which AWS signs in anew, by OAuth, and tries again. */
const NOT_SIGNED_IN: ReadonlySet<number> = new Set([401, 407]);
/** Further ones after which AWS tries again. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html */
const CONFLICT = 409;

/** @param destinations Made after the courier, which they hand things to. @param endpoints Sends requests. */
export function apiDestinationTarget(
  destinations: () => TargetApiDestinations,
  endpoints: TargetKind,
): TargetKind {
  return {
    async fault(target, sender) {
      const answer = await destinations().check(target.arn, target.roleArn ?? "");
      return faultOf(answer, "API destination", "events:InvokeApiDestination", target, sender);
    },
    async send(parcel) {
      const { arn, apiDestination = NOTHING } = parcel.target;
      const request = await destinations().prepare(arn, apiDestination, parcel.body);
      if (typeof request === "string")
        return { kind: "later", failure: { code: "failed", message: `${arn} cannot be called: ${request}` } };
      const { url, method, headers, body, perSecondMax, forget } = request;
      const http = { method, headers, timeoutMs: TIMEOUT_MS, perSecondMax, pacedWith: arn };
      const outcome = await endpoints.send?.({ ...parcel, target: { arn: url, http }, body });
      return afterwards(withoutUrl(outcome ?? { kind: "delivered" }, url, arn), forget);
    },
  };
}

/** The URL may hold what is secret, and failures are told in logs and dead letters. */
function withoutUrl(outcome: Outcome, url: string, arn: string): Outcome {
  if (!("failure" in outcome)) return outcome;
  const { failure } = outcome;
  return { ...outcome, failure: { ...failure, message: failure.message.replaceAll(url, arn) } };
}

function afterwards(outcome: Outcome, forget: (() => void) | undefined): Outcome {
  if (outcome.kind !== "refused") return outcome;
  const { status = 0 } = outcome.failure;
  if (status === CONFLICT) return { ...outcome, kind: "later" };
  if (!NOT_SIGNED_IN.has(status) || !forget) return outcome;
  forget();
  return { ...outcome, kind: "later" };
}
