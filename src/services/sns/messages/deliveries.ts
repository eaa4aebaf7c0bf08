/** What a message becomes for each subscriber: a parcel for the courier. */
import { ENDPOINT_RETRY_SECONDS_MAX, ENDPOINT_TIMEOUT_MS, OWN_RETRIES, OWN_RETRY_MS } from "../limits.ts";
import type { Parcel } from "../../../aws/parcel.ts";
import { delaysOf, effectiveDelivery } from "../subscriptions/delivery-policy.ts";
import type { Subscription } from "../subscriptions/subscription.ts";
import type { Topic } from "../topics/topic.ts";
import { functionEvent, jsonEnvelope } from "./envelope.ts";
import type { Notification } from "./envelope.ts";
import { principalOf } from "./principal.ts";

export interface Outgoing {
  readonly topic: Topic;
  readonly notification: Notification;
  readonly groupId: string | undefined;
  readonly deduplicationId: string | undefined;
  readonly traceHeader: string | undefined;
}

type Addressed = Pick<Parcel, "target" | "body" | "retry">;

const PLAIN = "text/plain; charset=UTF-8";
const OWN_RETRY = { attemptsMax: OWN_RETRIES, ageMsMax: OWN_RETRY_MS };

export function parcelFor(outgoing: Outgoing, subscription: Subscription): Parcel {
  const { topic, notification, traceHeader } = outgoing;
  return {
    id: `${notification.messageId}/${subscription.id}`,
    sender: senderOf(topic, subscription.endpoint),
    ...addressed(outgoing, subscription),
    ...(traceHeader !== undefined && { traceHeader }),
    ...(subscription.deadLetterArn !== undefined && {
      deadLetter: deadLetter(outgoing, subscription, subscription.deadLetterArn),
    }),
    metrics: subscription.protocol.startsWith("http") ? topic.metrics.endpoints : topic.metrics.own,
  };
}

export function senderOf({ arn, account, region }: Topic, endpoint: string): Parcel["sender"] {
  const targetRegion = endpoint.startsWith("arn:") ? endpoint.split(":")[3] : undefined;
  return { service: principalOf(region, targetRegion), sourceArn: arn, account, region };
}

function addressed(outgoing: Outgoing, subscription: Subscription): Addressed {
  const { notification } = outgoing;
  const { protocol, endpoint: arn, isRaw } = subscription;
  const text = isRaw ? notification.text : jsonEnvelope(notification, subscription);
  const body = Buffer.from(text);
  if (protocol === "lambda")
    return {
      target: { arn },
      body: Buffer.from(functionEvent(notification, subscription)),
      retry: OWN_RETRY,
    };
  if (protocol === "sqs") {
    const sqs = { ...idsFor(outgoing, arn), ...(isRaw && { attributes: notification.attributes }) };
    return { target: { arn, sqs }, body, retry: OWN_RETRY };
  }
  const { topic } = outgoing;
  return { ...endpointRequest(topic, subscription, "Notification", notification.messageId), body };
}

/** A FIFO topic tells them to FIFO queues alone, a standard one its messages' groups to standard queues. */
function idsFor({ topic, groupId, deduplicationId }: Outgoing, queueArn: string) {
  if (topic.isFifo !== queueArn.endsWith(".fifo")) return {};
  return {
    ...(groupId !== undefined && { messageGroupId: groupId }),
    ...(deduplicationId !== undefined && { deduplicationId }),
  };
}

/** A dead letter is what the subscriber would have got, as queues get it. */
function deadLetter(
  outgoing: Outgoing,
  subscription: Subscription,
  queueArn: string,
): NonNullable<Parcel["deadLetter"]> {
  const { notification } = outgoing;
  const { isRaw } = subscription;
  return {
    queueArn,
    attributes: isRaw ? notification.attributes : {},
    body: isRaw ? notification.text : jsonEnvelope(notification, subscription),
    ...idsFor(outgoing, queueArn),
  };
}

/** @see https://docs.aws.amazon.com/sns/latest/dg/http-header.html */
export function endpointRequest(
  topic: Topic,
  subscription: Pick<Subscription, "arn" | "endpoint" | "attributes" | "isRaw">,
  type: "Notification" | "SubscriptionConfirmation" | "UnsubscribeConfirmation",
  messageId: string,
): Omit<Addressed, "body"> {
  const { arn, endpoint, attributes, isRaw } = subscription;
  const policy = effectiveDelivery(attributes["DeliveryPolicy"], topic.delivery);
  const delaysMs = delaysOf(policy.healthyRetryPolicy);
  const perSecondMax = policy.throttlePolicy?.maxReceivesPerSecond;
  return {
    target: {
      arn: endpoint,
      http: {
        method: "POST",
        headers: {
          "x-amz-sns-message-type": type,
          "x-amz-sns-message-id": messageId,
          "x-amz-sns-topic-arn": topic.arn,
          ...(type !== "SubscriptionConfirmation" && { "x-amz-sns-subscription-arn": arn }),
          ...(isRaw && type === "Notification" && { "x-amz-sns-rawdelivery": "true" }),
          "content-type": type === "Notification" ? policy.requestPolicy.headerContentType : PLAIN,
          "accept-encoding": "gzip,deflate",
          "user-agent": "Amazon Simple Notification Service Agent",
        },
        timeoutMs: ENDPOINT_TIMEOUT_MS,
        ...(perSecondMax !== undefined && { perSecondMax }),
      },
    },
    // The waits themselves are bounded; the attempts between them take their time.
    retry: { attemptsMax: delaysMs.length, ageMsMax: 2 * ENDPOINT_RETRY_SECONDS_MAX * 1_000, delaysMs },
  };
}
