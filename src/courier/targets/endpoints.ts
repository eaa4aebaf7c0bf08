/** HTTP and HTTPS endpoints: the body is a request's. */
import type { Clock } from "../../kit/clock.ts";
import { TokenBucket } from "../../kit/token-bucket.ts";
import type { Failure, Parcel } from "../parcel.ts";
import { DELIVERED } from "../target.ts";
import type { Outcome, TargetKind } from "../target.ts";

const TIMEOUT_MS = 15_000;
const TOO_MANY_REQUESTS = 429;
/** Endpoints whose pace is remembered; then all are forgotten. */
const PACED_MAX = 10_000;
/** How much of an answer is read, in bytes, before the connection is given up. */
const ANSWER_BYTES_MAX = 64 * 1024;
/** The longest Retry-After that is heeded, in seconds. */
const RETRY_AFTER_SECONDS_MAX = 3_600;

export function endpointTarget(clock: Clock): TargetKind {
  const pace = createPace(clock);
  return {
    async fault() {
      return undefined;
    },
    async send(parcel) {
      const wait = pace(parcel);
      if (wait !== undefined) return { kind: "wait", notBefore: wait };
      return post(clock, parcel);
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
async function post(clock: Clock, { target: { arn, http }, body }: Parcel): Promise<Outcome> {
  const { method = "POST", headers = {}, timeoutMs = TIMEOUT_MS } = http ?? {};
  const abort = new AbortController();
  const cancel = clock.after(timeoutMs, () => abort.abort());
  try {
    const { signal } = abort;
    const hasBody = method !== "GET" && method !== "HEAD";
    const response = await fetch(arn, {
      method,
      headers,
      redirect: "manual",
      signal,
      ...(hasBody && { body: new Uint8Array(body) }),
    });
    await readAway(response);
    return outcomeOf(response, arn, clock.now());
  } catch (error) {
    if (abort.signal.aborted) return later("timeout", `${arn} did not answer within ${timeoutMs} ms`);
    return later("failed", `${arn} could not be reached: ${causeOf(error)}`);
  } finally {
    cancel();
  }
}

/** So that the connection can be used again. */
async function readAway({ body }: Response): Promise<void> {
  if (!body) return;
  let bytes = 0;
  for await (const chunk of body) if ((bytes += (chunk as Uint8Array).length) > ANSWER_BYTES_MAX) break;
}

function outcomeOf({ status, headers }: Response, arn: string, now: number): Outcome {
  if (status >= 200 && status < 300) return DELIVERED;
  const message = `${arn} answered with the status ${status}`;
  if (status >= 400 && status < 500 && status !== TOO_MANY_REQUESTS)
    return { kind: "refused", failure: { code: "failed", message, status } };
  const seconds = Number(headers.get("retry-after") ?? Number.NaN);
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

function causeOf(error: unknown): string {
  const { cause, message } = error as Error;
  return cause instanceof Error ? cause.message || message : message;
}
