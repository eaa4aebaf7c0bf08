/** Asks an endpoint, or another account's queue, whether it wants what it was subscribed to; and tells an endpoint that it gets no more. */
import type { Transaction } from "../../../store/database.ts";
import type { Sns } from "../deps.ts";
import type { SubscriptionRow } from "../store/subscriptions.ts";
import { subscriptionArn, subscriptionOf } from "../subscriptions/subscription.ts";
import type { Topic } from "../topics/topic.ts";
import { endpointRequest, senderOf } from "./deliveries.ts";
import { confirmationEnvelope, subscribeUrl } from "./envelope.ts";
import type { Confirmation } from "./envelope.ts";

/** Hands it over, in the transaction that makes or ends the subscription. */
type Send = (tx: Transaction) => Promise<void>;

/** Prepares the message with the token by which the subscription begins, or begins again. */
export async function prepareConfirmation(
  sns: Sns,
  topic: Topic,
  row: SubscriptionRow,
  type: Confirmation["type"],
): Promise<Send> {
  const { token, base } = row;
  const messageId = sns.ids.uuid();
  const timestamp = new Date(sns.clock.now()).toISOString();
  const message = TEXTS[type](topic.arn, subscriptionArn(row));
  const signature = await sns.signer.sign(topic.signatureVersion, {
    Message: message,
    MessageId: messageId,
    SubscribeURL: subscribeUrl(base, topic.arn, token),
    Timestamp: timestamp,
    Token: token,
    TopicArn: topic.arn,
    Type: type,
  });
  const confirmation = { type, message, messageId, token, topicArn: topic.arn, timestamp, base };
  const body = Buffer.from(confirmationEnvelope(confirmation, signature));
  return async (tx) => {
    const request = endpointRequest(topic, subscriptionOf(row), type, messageId);
    const sender = senderOf(topic, row.endpoint);
    const parcel = { id: `${messageId}/${row.subscription_id}`, ...request, sender, body };
    const target = row.protocol === "sqs" ? queueTarget(topic, row, messageId) : request.target;
    await sns.courier.hand(tx, { ...parcel, target });
  };
}

const TEXTS: Readonly<Record<Confirmation["type"], (topicArn: string, subscription: string) => string>> = {
  SubscriptionConfirmation: (topicArn) =>
    `You have chosen to subscribe to the topic ${topicArn}.\nTo confirm the subscription, visit the SubscribeURL included in this message.`,
  UnsubscribeConfirmation: (_, subscription) =>
    `You have chosen to deactivate subscription ${subscription}.\nTo cancel this operation and restore the subscription, visit the SubscribeURL included in this message.`,
};

function queueTarget({ isFifo }: Topic, { endpoint, subscription_id }: SubscriptionRow, messageId: string) {
  if (!isFifo) return { arn: endpoint };
  const deduplicationId = endpoint.endsWith(".fifo") ? { deduplicationId: messageId } : {};
  return { arn: endpoint, sqs: { messageGroupId: subscription_id, ...deduplicationId } };
}
