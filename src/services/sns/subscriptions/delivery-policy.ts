/**
 * How deliveries to HTTP endpoints are tried again: the delivery policies of topics and subscriptions.
 * @see https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
 */
import { ENDPOINT_RETRIES_MAX, ENDPOINT_RETRY_SECONDS_MAX } from "../limits.ts";

export interface HealthyRetryPolicy {
  /** Seconds. */
  readonly minDelayTarget: number;
  readonly maxDelayTarget: number;
  readonly numRetries: number;
  readonly numNoDelayRetries: number;
  readonly numMinDelayRetries: number;
  readonly numMaxDelayRetries: number;
  readonly backoffFunction: "linear" | "arithmetic" | "geometric" | "exponential";
}

export interface Delivery {
  readonly healthyRetryPolicy: HealthyRetryPolicy;
  readonly throttlePolicy?: { readonly maxReceivesPerSecond: number };
  readonly requestPolicy: { readonly headerContentType: string };
}

export interface TopicDelivery extends Delivery {
  readonly disableSubscriptionOverrides: boolean;
}

const DEFAULT_RETRIES: HealthyRetryPolicy = {
  minDelayTarget: 20,
  maxDelayTarget: 20,
  numRetries: 3,
  numMaxDelayRetries: 0,
  numNoDelayRetries: 0,
  numMinDelayRetries: 0,
  backoffFunction: "linear",
};
const DEFAULT_REQUEST = { headerContentType: "text/plain; charset=UTF-8" };
const FUNCTIONS = ["linear", "arithmetic", "geometric", "exponential"];
const CONTENT_TYPES =
  /^(text\/(css|csv|html|plain|xml)|application\/(atom\+xml|json|octet-stream|soap\+xml|x-www-form-urlencoded|xhtml\+xml|xml))( *; *charset=[A-Za-z0-9-]+)?$/i;

type Refuse = (reason: string) => Error;
type Json = Readonly<Record<string, unknown>>;

/** Of attributes that were checked when they were set. */
export function readTopicDelivery(text: string | undefined): TopicDelivery {
  const { http = {} } = (text ? JSON.parse(text) : {}) as { http?: Record<string, never> };
  const throttle = http["defaultThrottlePolicy"] as Delivery["throttlePolicy"] | undefined;
  return {
    healthyRetryPolicy: { ...DEFAULT_RETRIES, ...(http["defaultHealthyRetryPolicy"] as object | undefined) },
    requestPolicy: { ...DEFAULT_REQUEST, ...(http["defaultRequestPolicy"] as object | undefined) },
    ...(throttle && { throttlePolicy: throttle }),
    disableSubscriptionOverrides: http["disableSubscriptionOverrides"] === true,
  };
}

/** What holds for a subscription: its own, as far as its topic lets it, and the topic's. */
export function effectiveDelivery(own: string | undefined, topic: TopicDelivery): Delivery {
  const { disableSubscriptionOverrides, ...rest } = topic;
  const given = (own ? JSON.parse(own) : {}) as Partial<Delivery>;
  if (disableSubscriptionOverrides) return rest;
  const throttlePolicy = given.throttlePolicy ?? rest.throttlePolicy;
  return {
    healthyRetryPolicy: { ...rest.healthyRetryPolicy, ...given.healthyRetryPolicy },
    requestPolicy: { ...rest.requestPolicy, ...given.requestPolicy },
    ...(throttlePolicy && { throttlePolicy }),
  };
}

/** The policy of a topic as GetTopicAttributes tells it. */
export function describeTopicDelivery({ disableSubscriptionOverrides, ...delivery }: TopicDelivery): string {
  const { healthyRetryPolicy, throttlePolicy, requestPolicy } = delivery;
  return JSON.stringify({
    http: {
      defaultHealthyRetryPolicy: healthyRetryPolicy,
      disableSubscriptionOverrides,
      ...(throttlePolicy && { defaultThrottlePolicy: throttlePolicy }),
      defaultRequestPolicy: requestPolicy,
    },
  });
}

/** A topic's as it was given, and as AWS tells it: without what is null, with whether subscriptions may have their own. */
export function describeGivenTopicDelivery(text: string): string {
  const { http } = JSON.parse(text) as { readonly http: Json };
  const given = Object.fromEntries(Object.entries(http).filter(([, value]) => value !== null));
  return JSON.stringify({ http: { disableSubscriptionOverrides: false, ...given } });
}

/** A subscription's, as GetSubscriptionAttributes tells it: with what it has not. */
export function describeDelivery(delivery: object): string {
  const { healthyRetryPolicy = null, throttlePolicy = null, requestPolicy = null } = delivery as Json;
  return JSON.stringify({
    healthyRetryPolicy,
    sicklyRetryPolicy: null,
    throttlePolicy,
    requestPolicy,
    guaranteed: false,
  });
}

/** @throws what `refuse` makes of a reason */
export function checkTopicDelivery(text: string, refuse: Refuse): string {
  const policy = objectIn(text, refuse);
  for (const key of Object.keys(policy)) if (key !== "http") throw refuse(`it has the unknown member ${key}`);
  checkDelivery(policy["http"], "default", refuse);
  return text;
}

/** @throws what `refuse` makes of a reason */
export function checkSubscriptionDelivery(text: string, refuse: Refuse): string {
  checkDelivery(objectIn(text, refuse), "", refuse);
  return text;
}

/** The waits before each attempt after the first, in milliseconds. */
export function delaysOf(policy: HealthyRetryPolicy): number[] {
  const { minDelayTarget: min, maxDelayTarget: max, numRetries } = policy;
  const { numNoDelayRetries: none, numMinDelayRetries: early, numMaxDelayRetries: late } = policy;
  const between = Math.max(0, numRetries - none - early - late);
  const grown = Array.from({ length: between }, (_, at) => grow(policy, at + 1, between));
  const seconds = [...times(none, 0), ...times(early, min), ...grown, ...times(late, max)].slice(
    0,
    numRetries,
  );
  return seconds.map((one) => Math.round(one * 1_000));
}

/** The wait of step `at` of `steps`, from the least to the most. AWS names the functions, and tells no formulas. */
function grow(
  { minDelayTarget: min, maxDelayTarget: max, backoffFunction }: HealthyRetryPolicy,
  at: number,
  steps: number,
): number {
  if (backoffFunction === "arithmetic") return min + ((max - min) * at * (at + 1)) / (steps * (steps + 1));
  if (backoffFunction === "geometric") return min * (max / min) ** (at / steps);
  if (backoffFunction === "exponential") return min + ((max - min) * (2 ** at - 1)) / (2 ** steps - 1);
  return min + ((max - min) * at) / steps;
}

function times(count: number, value: number): number[] {
  return Array.from({ length: count }, () => value);
}

function checkDelivery(value: unknown, prefix: "default" | "", refuse: Refuse): void {
  if (!isObject(value)) throw refuse("it is no object of policies for http");
  const named = (name: string) =>
    prefix === "" ? name : prefix + name.charAt(0).toUpperCase() + name.slice(1);
  const names = {
    retries: named("healthyRetryPolicy"),
    throttle: named("throttlePolicy"),
    request: named("requestPolicy"),
  };
  for (const [key, one] of Object.entries(value)) {
    if (key === names.retries) checkRetries(one, refuse);
    else if (key === names.throttle) checkThrottle(one, refuse);
    else if (key === names.request) checkRequest(one, refuse);
    else if (prefix !== "" && key === "disableSubscriptionOverrides" && typeof one === "boolean") continue;
    // AWS tells it, and takes back what it tells.
    else if (prefix === "" && (key === "guaranteed" || key === "sicklyRetryPolicy") && !one) continue;
    else throw refuse(`it has the unknown member ${key}`);
  }
}

function checkRetries(value: unknown, refuse: Refuse): void {
  if (value === null) return;
  if (!isObject(value)) throw refuse("healthyRetryPolicy must be an object");
  for (const [key, one] of Object.entries(value)) {
    if (!Object.hasOwn(DEFAULT_RETRIES, key))
      throw refuse(`healthyRetryPolicy has the unknown member ${key}`);
    if (key === "backoffFunction" ? !FUNCTIONS.includes(String(one)) : !isCount(one, 0))
      throw refuse(`healthyRetryPolicy.${key} has the invalid value ${JSON.stringify(one)}`);
  }
  const policy = { ...DEFAULT_RETRIES, ...value } as HealthyRetryPolicy;
  const { minDelayTarget: min, maxDelayTarget: max, numRetries } = policy;
  if (min < 1 || min > max)
    throw refuse("healthyRetryPolicy.minDelayTarget must be at least 1, and at most maxDelayTarget");
  if (numRetries > ENDPOINT_RETRIES_MAX)
    throw refuse(`healthyRetryPolicy.numRetries must be at most ${ENDPOINT_RETRIES_MAX}`);
  if (policy.numNoDelayRetries + policy.numMinDelayRetries + policy.numMaxDelayRetries > numRetries)
    throw refuse(
      "healthyRetryPolicy.numRetries must be greater than or equal to the retries of its phases together",
    );
  const seconds = delaysOf(policy).reduce((sum, one) => sum + one, 0) / 1_000;
  if (seconds > ENDPOINT_RETRY_SECONDS_MAX)
    throw refuse(
      `the total policy retry time of ${Math.ceil(seconds)} seconds is greater than ${ENDPOINT_RETRY_SECONDS_MAX}`,
    );
}

function checkThrottle(value: unknown, refuse: Refuse): void {
  if (value === null) return;
  const { maxReceivesPerSecond } = isObject(value) ? value : ({} as Json);
  if (!isCount(maxReceivesPerSecond, 1))
    throw refuse("throttlePolicy.maxReceivesPerSecond must be a whole number from 1 on");
}

function checkRequest(value: unknown, refuse: Refuse): void {
  if (value === null) return;
  const { headerContentType } = isObject(value) ? value : ({} as Json);
  if (typeof headerContentType !== "string" || !CONTENT_TYPES.test(headerContentType))
    throw refuse("requestPolicy.headerContentType is no content type that SNS sends");
}

function isCount(value: unknown, least: number): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= least;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function objectIn(text: string, refuse: Refuse): Json {
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch {
    // Told below.
  }
  throw refuse("it is no JSON object");
}
