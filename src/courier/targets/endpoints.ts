/** HTTP and HTTPS endpoints: the body is a request's. */
import type { Clock } from "../../kit/clock.ts";
import { TokenBucket } from "../../kit/token-bucket.ts";
import { TimeoutError, UnreachableError } from "../outside/http-caller.ts";
import type { Answer, HttpCaller } from "../outside/http-caller.ts";
import type { Failure, Parcel } from "../../aws/parcel.ts";
import { DELIVERED, refused } from "../target.ts";
import type { Outcome, TargetKind } from "../target.ts";

const TIMEOUT_MS = 15_000;
const TOO_MANY_REQUESTS = 429;
/** Endpoints whose pace is remembered; then all are forgotten. */
const PACED_MAX = 10_000;
/** The longest Retry-After that is heeded, in seconds. */
const RETRY_AFTER_SECONDS_MAX = 3_600;

export function endpointTarget(clock: Clock, caller: HttpCaller): TargetKind {
  const pace = createPace(clock);
  return {
    async fault() {
      return undefined;
    },
    async send(parcel) {
      const wait = pace(parcel);
      if (wait !== undefined) return { kind: "wait", notBefore: wait };
      return post(clock, caller, parcel);
    },
  };
}

/** Answers when an endpoint may be called, in epoch milliseconds, where it is not now. */
function createPace(clock: Clock): (parcel: Parcel) => number | undefined {
  const buckets = new Map<string, TokenBucket>();
  return ({ target: { arn, http } }) => {
    const perSecond = http?.perSecondMax;
    if (perSecond === undefined) return undefined;
    const now = clock.now();
    if (buckets.size >= PACED_MAX) buckets.clear();
    const key = http?.pacedWith ?? arn;
    let bucket = buckets.get(key);
    if (!bucket) buckets.set(key, (bucket = new TokenBucket(perSecond, now)));
    return bucket.take(now, perSecond, perSecond) ? undefined : now + Math.ceil(1_000 / perSecond);
  };
}

/** Redirects are not followed, as AWS does not. */
async function post(
  clock: Clock,
  caller: HttpCaller,
  { target: { arn, http }, body }: Parcel,
): Promise<Outcome> {
  const { method = "POST", headers = {}, timeoutMs = TIMEOUT_MS } = http ?? {};
  const hasBody = method !== "GET" && method !== "HEAD";
  try {
    const answer = await caller.call({ url: arn, method, headers, timeoutMs, ...(hasBody && { body }) });
    return outcomeOf(answer, arn, clock.now());
  } catch (error) {
    const { message } = error as Error;
    if (error instanceof UnreachableError) return refused("denied", `${arn} is not called: ${message}`);
    if (error instanceof TimeoutError)
      return later("timeout", `${arn} did not answer within ${timeoutMs} ms`);
    return later("failed", `${arn} could not be reached: ${message}`);
  }
}

function outcomeOf({ status, headers }: Answer, arn: string, now: number): Outcome {
  if (status >= 200 && status < 300) return DELIVERED;
  const message = `${arn} answered with the status ${status}`;
  if (status >= 400 && status < 500 && status !== TOO_MANY_REQUESTS)
    return { kind: "refused", failure: { code: "failed", message, status } };
  const seconds = Number(headers["retry-after"] ?? Number.NaN);
  const failure: Failure = { code: status === TOO_MANY_REQUESTS ? "throttled" : "failed", message };
  return {
    kind: "later",
    failure,
    ...(seconds > 0 && { notBefore: now + Math.min(seconds, RETRY_AFTER_SECONDS_MAX) * 1_000 }),
  };
}

function later(code: Failure["code"], message: string): Outcome {
  return { kind: "later", failure: { code, message } };
}
