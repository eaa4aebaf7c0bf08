/** Checks the attributes that Subscribe and SetSubscriptionAttributes are given. */
import { notImplemented } from "../../../aws/errors.ts";
import { invalid } from "../errors.ts";
import type { Topic } from "../topics/topic.ts";
import { checkSubscriptionDelivery } from "./delivery-policy.ts";
import { checkFilter } from "./filter-policy.ts";
import { scopeOf } from "./subscription.ts";
import type { Attributes, Protocol } from "./subscription.ts";

interface Checking {
  readonly topic: Topic;
  readonly protocol: Protocol;
  readonly endpoint: string;
  /** What SNS says of an attribute. */
  readonly refuse: (name: string, reason: string) => Error;
}

const QUEUE_ARN = /^arn:aws[a-z-]*:sqs:([a-z0-9-]+):(\d{12}):([A-Za-z0-9_-]{1,80}(?:\.fifo)?)$/;

/**
 * The attributes after a change; those with an empty value are taken away.
 * @throws AwsError InvalidParameter, NotImplemented
 */
export function changed(before: Attributes, given: Attributes, checking: Checking): Attributes {
  const after: Record<string, string> = { ...before };
  for (const [name, value] of Object.entries(given)) {
    const kept = checkOne(name, value, checking);
    if (kept === "") delete after[name];
    else after[name] = kept;
  }
  // A policy is checked with the scope that it will have.
  const policy = after["FilterPolicy"];
  if (
    policy !== undefined &&
    (given["FilterPolicy"] !== undefined || given["FilterPolicyScope"] !== undefined)
  )
    checkFilter(policy, scopeOf(after), (reason) => checking.refuse("FilterPolicy", reason));
  return after;
}

function checkOne(name: string, value: string, checking: Checking): string {
  const { protocol, refuse } = checking;
  switch (name) {
    case "RawMessageDelivery": {
      const kept = value.toLowerCase();
      if (kept !== "true" && kept !== "false")
        throw refuse(name, `Invalid value [${value}]. Must be true or false.`);
      if (kept === "true" && protocol === "lambda")
        throw refuse(name, "Delivery protocol [lambda] does not support raw message delivery.");
      return kept;
    }
    case "FilterPolicy":
      return value === "" || value.replaceAll(/\s/g, "") === "{}" ? "" : value;
    case "FilterPolicyScope":
      if (value !== "MessageAttributes" && value !== "MessageBody")
        throw refuse(name, `Invalid value [${value}]. Please use either MessageBody or MessageAttributes`);
      return value;
    case "RedrivePolicy":
      return value === "" ? "" : checkRedrive(value, checking, (reason) => refuse(name, reason));
    case "DeliveryPolicy":
      if (value === "") return "";
      if (protocol !== "http" && protocol !== "https")
        throw refuse(name, `Delivery protocol [${protocol}] does not support delivery policies.`);
      return checkSubscriptionDelivery(value, (reason) => refuse(name, reason));
    case "SubscriptionRoleArn":
      throw notImplemented(
        "SubscriptionRoleArn of a subscription: it is for Amazon Data Firehose, which this server does not have",
      );
    case "ReplayPolicy":
    case "ReplayStatus":
      throw notImplemented(`${name} of a subscription: messages of topics are not archived, nor replayed`);
    default:
      throw invalid("AttributeName");
  }
}

/** Whether the queue is there and lets the topic send is seen when it is needed, as on AWS. */
function checkRedrive(
  text: string,
  { topic, endpoint }: Pick<Checking, "topic" | "endpoint">,
  refuse: (reason: string) => Error,
): string {
  const arn = targetIn(text);
  if (arn === undefined) throw refuse("failed to parse JSON with the member deadLetterTargetArn");
  const [, region, account, name = ""] = QUEUE_ARN.exec(arn) ?? [];
  if (account === undefined) throw refuse("deadLetterTargetArn is an invalid arn");
  if (region !== topic.region) throw refuse("deadLetterTargetArn must be in the region of the topic");
  if (topic.isFifo && endpoint.endsWith(".fifo") && !name.endsWith(".fifo"))
    throw refuse("must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO Topic.");
  if (!topic.isFifo && name.endsWith(".fifo"))
    throw refuse("must use a standard queue as DLQ for a standard topic.");
  return text;
}

function targetIn(text: string): string | undefined {
  try {
    const { deadLetterTargetArn } = JSON.parse(text) as Record<string, unknown>;
    return typeof deadLetterTargetArn === "string" ? deadLetterTargetArn : undefined;
  } catch {
    return undefined;
  }
}
