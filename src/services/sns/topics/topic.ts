/** What a topic is like: its attributes read into values that the rules work with. */
import { MESSAGE_BYTES_DEFAULT } from "../limits.ts";
import { isFifoName, topicArn } from "../names.ts";
import type { TopicId } from "../names.ts";
import type { TopicRow } from "../store/topics.ts";
import type { Subscription } from "../subscriptions/subscription.ts";
import { readTopicDelivery } from "../subscriptions/delivery-policy.ts";
import type { TopicDelivery } from "../subscriptions/delivery-policy.ts";
import { deliveryMetrics } from "./delivery-metrics.ts";
import type { DeliveryMetrics } from "./delivery-metrics.ts";

/** Attributes by AWS's names, as texts. */
export type Attributes = Readonly<Record<string, string>>;

export interface Topic extends TopicId {
  readonly id: number;
  readonly arn: string;
  readonly isFifo: boolean;
  readonly row: TopicRow;
  /** Those that were set, without defaults. */
  readonly attributes: Attributes;
  /** The one that was set, or every topic's own. */
  readonly policy: string;
  /** Of a message. */
  readonly bytesMax: number;
  readonly signatureVersion: "1" | "2";
  readonly deduplicatesContent: boolean;
  /** Whether deduplication looks only at messages of the same group. */
  readonly deduplicatesByGroup: boolean;
  readonly delivery: TopicDelivery;
  /** Under which its deliveries are counted. */
  readonly metrics: DeliveryMetrics;
}

/** A topic and who gets its messages. */
export interface SubscribedTopic extends Topic {
  readonly subscriptions: readonly Subscription[];
}

export function topicOf(row: TopicRow): Topic {
  const attributes = JSON.parse(row.attributes) as Record<string, string>;
  const { account, region, name } = row;
  const arn = topicArn(row);
  return {
    account,
    region,
    name,
    id: row.topic_id,
    arn,
    isFifo: isFifoName(name),
    row,
    attributes,
    policy: attributes["Policy"] || defaultPolicy(arn, account),
    bytesMax: Number(attributes["MaximumMessageSize"] ?? MESSAGE_BYTES_DEFAULT),
    signatureVersion: attributes["SignatureVersion"] === "2" ? "2" : "1",
    deduplicatesContent: attributes["ContentBasedDeduplication"] === "true",
    deduplicatesByGroup: attributes["FifoThroughputScope"] === "MessageGroup",
    delivery: readTopicDelivery(attributes["DeliveryPolicy"]),
    metrics: deliveryMetrics(name),
  };
}

/** The policy of a topic that was given none: it names its owner's account alone. */
function defaultPolicy(arn: string, account: string): string {
  const actions = [
    "GetTopicAttributes",
    "SetTopicAttributes",
    "AddPermission",
    "RemovePermission",
    "DeleteTopic",
    "Subscribe",
    "ListSubscriptionsByTopic",
    "Publish",
  ];
  return JSON.stringify({
    Version: "2008-10-17",
    Id: "__default_policy_ID",
    Statement: [
      {
        Sid: "__default_statement_ID",
        Effect: "Allow",
        Principal: { AWS: "*" },
        Action: actions.map((action) => `SNS:${action}`),
        Resource: arn,
        Condition: { StringEquals: { "AWS:SourceOwner": account } },
      },
    ],
  });
}
