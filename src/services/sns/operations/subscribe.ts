/** Subscribe and ConfirmSubscription. */
import { AwsError } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Transaction } from "../../../store/database.ts";
import type { Client, Sns } from "../deps.ts";
import { invalid, noSuchTopic, refuseGiven } from "../errors.ts";
import { FIFO_SUBSCRIPTIONS_MAX, FILTER_POLICIES_MAX, PENDING_MS, SUBSCRIPTIONS_MAX } from "../limits.ts";
import { confirmationEnvelope, confirmationText, subscribeUrl } from "../messages/envelope.ts";
import { endpointRequest, senderOf } from "../messages/deliveries.ts";
import {
  confirm,
  countSubscriptions,
  insertSubscription,
  sameSubscription,
  subscriptionByToken,
} from "../store/subscriptions.ts";
import type { SubscriptionRow } from "../store/subscriptions.ts";
import { getTopic } from "../store/topics.ts";
import { changed } from "../subscriptions/attributes.ts";
import { checkEndpoint } from "../subscriptions/endpoint.ts";
import { subscriptionArn, subscriptionOf } from "../subscriptions/subscription.ts";
import type { Attributes } from "../subscriptions/subscription.ts";
import type { SubscribedTopic } from "../topics/topic.ts";

const PENDING = "pending confirmation";
/** Of a token, in hexadecimal digits. */
const TOKEN_DIGITS = 256;

export async function subscribe(
  sns: Sns,
  input: Input<Client, "Subscribe">,
  context: RequestContext,
): Promise<Output<Client, "Subscribe">> {
  const topic = await sns.topics.at(input.TopicArn, context.region);
  const where = checkEndpoint(topic, input.Protocol ?? "", input.Endpoint);
  const { protocol, endpoint } = where;
  if (protocol === "http" || protocol === "https") requireReachable(sns, endpoint);
  const attributes = changed({}, input.Attributes ?? {}, { topic, protocol, refuse: refuseGiven });
  // What its owner does not subscribe by themselves, they are asked for.
  const isConfirmed = protocol === "lambda" || where.account === context.account;
  const row: SubscriptionRow = {
    subscription_id: sns.ids.uuid(),
    topic_id: topic.id,
    topic_arn: topic.arn,
    owner: context.account,
    region: context.region,
    protocol,
    endpoint,
    attributes: JSON.stringify(attributes),
    token: isConfirmed ? "" : sns.ids.hex(TOKEN_DIGITS),
    pending_until: isConfirmed ? 0 : sns.clock.now() + PENDING_MS,
    confirmed_by: isConfirmed ? "authenticated" : "",
    needs_signature: isConfirmed ? 1 : 0,
    base: context.endpoint,
    principal: context.principal.arn,
    created_at: sns.clock.now(),
  };
  if (!topic.isFifo || !isConfirmed) await sns.signer.prepare();
  const ask = isConfirmed ? undefined : await confirmationOf(sns, topic, row);
  const kept = await sns.database.tx(async (tx) => {
    const existing = await sameSubscription(tx, topic.id, protocol, endpoint);
    if (existing) requireSame(existing, attributes);
    else {
      if ((await getTopic(tx, topic))?.topic_id !== topic.id) throw noSuchTopic();
      await requireRoom(tx, topic, attributes);
      await insertSubscription(tx, row);
      sns.topics.forgetAfter(tx, topic.arn);
    }
    const subscription = existing ?? row;
    if (subscription.token !== "" && ask) await ask(tx, subscription);
    return subscription;
  });
  const tellsArn = kept.token === "" || input.ReturnSubscriptionArn === true;
  return { SubscriptionArn: tellsArn ? subscriptionArn(kept) : PENDING };
}

/** @throws AwsError InvalidParameter */
function requireReachable({ endpoints }: Sns, endpoint: string): void {
  const fault = endpoints.fault(endpoint);
  if (fault !== undefined) throw invalid(`Unreachable Endpoint: ${endpoint}: ${fault}`);
}

export async function confirmSubscription(
  sns: Sns,
  input: Input<Client, "ConfirmSubscription">,
  context: Pick<RequestContext, "region" | "principal">,
): Promise<Output<Client, "ConfirmSubscription">> {
  const { topics, database, clock } = sns;
  const topic = await topics.at(input.TopicArn, context.region);
  const found = input.Token ? await subscriptionByToken(database, input.Token) : undefined;
  if (found?.topic_id !== topic.id || found.pending_until <= clock.now()) throw invalid("Token");
  const isKnown = context.principal.type !== "anonymous";
  const needsSignature = isKnown && input.AuthenticateOnUnsubscribe === "true";
  await database.tx(async (tx) => {
    await confirm(tx, found.subscription_id, isKnown ? "authenticated" : "anyone", needsSignature);
    topics.forgetAfter(tx, topic.arn);
  });
  return { SubscriptionArn: subscriptionArn(found) };
}

/** @throws AwsError InvalidParameter */
function requireSame({ attributes }: SubscriptionRow, asked: Attributes): void {
  const own = JSON.parse(attributes) as Attributes;
  if (
    Object.entries(asked).some(
      ([name, value]) =>
        own[name] !== value &&
        !(name === "RawMessageDelivery" && value === "false" && own[name] === undefined),
    )
  )
    throw invalid("Attributes Reason: Subscription already exists with different attributes");
}

async function requireRoom(
  tx: Transaction,
  { id, isFifo, subscriptions }: SubscribedTopic,
  asked: Attributes,
): Promise<void> {
  const { confirmed, pending } = await countSubscriptions(tx, id);
  if (confirmed + pending >= (isFifo ? FIFO_SUBSCRIPTIONS_MAX : SUBSCRIPTIONS_MAX))
    throw new AwsError(
      "SubscriptionLimitExceededException",
      "Number of subscriptions exceeds the limit of the topic",
    );
  if (asked["FilterPolicy"] !== undefined) requireFilterRoom(subscriptions);
}

/** @throws AwsError FilterPolicyLimitExceeded */
export function requireFilterRoom(subscriptions: SubscribedTopic["subscriptions"]): void {
  if (subscriptions.filter(({ filter }) => filter !== undefined).length >= FILTER_POLICIES_MAX)
    throw new AwsError(
      "FilterPolicyLimitExceededException",
      `Number of filter policies exceeds the limit of ${FILTER_POLICIES_MAX} of the topic`,
    );
}

/** What hands the subscriber the question whether they want the messages, with the token to answer it by. */
async function confirmationOf(sns: Sns, topic: SubscribedTopic, row: SubscriptionRow) {
  const existing = await sameSubscription(sns.database, topic.id, row.protocol, row.endpoint);
  const { token, base } = existing ?? row;
  const messageId = sns.ids.uuid();
  const timestamp = new Date(sns.clock.now()).toISOString();
  const signature = await sns.signer.sign(topic.signatureVersion, {
    Message: confirmationText(topic.arn),
    MessageId: messageId,
    SubscribeURL: subscribeUrl(base, topic.arn, token),
    Timestamp: timestamp,
    Token: token,
    TopicArn: topic.arn,
    Type: "SubscriptionConfirmation",
  });
  const body = Buffer.from(
    confirmationEnvelope({ messageId, token, topicArn: topic.arn, timestamp, base }, signature),
  );
  return async (tx: Transaction, kept: SubscriptionRow): Promise<void> => {
    // Another has subscribed it meanwhile, and asks by itself.
    if (kept.token !== token) return;
    const subscription = subscriptionOf(kept);
    const request = endpointRequest(topic, subscription, "SubscriptionConfirmation", messageId);
    const isUrl = kept.protocol !== "sqs";
    await sns.courier.hand(tx, {
      id: `${messageId}/${kept.subscription_id}`,
      ...request,
      target: isUrl
        ? request.target
        : {
            arn: kept.endpoint,
            ...(topic.isFifo && {
              sqs: {
                messageGroupId: kept.subscription_id,
                ...(kept.endpoint.endsWith(".fifo") && { deduplicationId: messageId }),
              },
            }),
          },
      sender: senderOf(topic),
      body,
    });
  };
}
