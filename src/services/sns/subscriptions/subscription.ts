/** What a subscription is like: its row read into values that deliveries work with. */
import type { SubscriptionRow } from "../store/subscriptions.ts";
import { compileFilter } from "./filter-policy.ts";
import type { Filter, FilterScope } from "./filter-policy.ts";

export type Protocol = "lambda" | "sqs" | "http" | "https";

export type Attributes = Readonly<Record<string, string>>;

export interface Subscription {
  readonly id: string;
  readonly arn: string;
  readonly protocol: Protocol;
  readonly endpoint: string;
  /** How the subscriber reaches the server: `http://localhost:4566`. */
  readonly base: string;
  /** Those that were set. */
  readonly attributes: Attributes;
  readonly isRaw: boolean;
  readonly filter: Filter | undefined;
  readonly deadLetterArn: string | undefined;
}

export function subscriptionOf(row: SubscriptionRow): Subscription {
  const attributes = JSON.parse(row.attributes) as Attributes;
  const policy = attributes["FilterPolicy"];
  const redrive = attributes["RedrivePolicy"];
  return {
    id: row.subscription_id,
    arn: subscriptionArn(row),
    protocol: row.protocol as Protocol,
    endpoint: row.endpoint,
    base: row.base,
    attributes,
    isRaw: attributes["RawMessageDelivery"] === "true",
    filter: policy ? compileFilter(policy, scopeOf(attributes)) : undefined,
    deadLetterArn: redrive
      ? (JSON.parse(redrive) as { deadLetterTargetArn: string }).deadLetterTargetArn
      : undefined,
  };
}

export function subscriptionArn({ topic_arn, subscription_id }: SubscriptionRow): string {
  return `${topic_arn}:${subscription_id}`;
}

export function scopeOf(attributes: Attributes): FilterScope {
  return attributes["FilterPolicyScope"] === "MessageBody" ? "MessageBody" : "MessageAttributes";
}
