/** Subscribe. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Transaction } from "../../../store/database.ts";
import type { Client, Sns } from "../deps.ts";
import { invalid, noSuchTopic, refuseGiven } from "../errors.ts";
import { PENDING_MS, TOKEN_DIGITS } from "../limits.ts";
import { prepareConfirmation } from "../messages/confirmation.ts";
import { insertSubscription, sameSubscription } from "../store/subscriptions.ts";
import type { SubscriptionRow } from "../store/subscriptions.ts";
import { getTopic } from "../store/topics.ts";
import { changed } from "../subscriptions/attributes.ts";
import { checkEndpoint } from "../subscriptions/endpoint.ts";
import { subscriptionArn } from "../subscriptions/subscription.ts";
import type { Attributes } from "../subscriptions/subscription.ts";
import type { SubscribedTopic } from "../topics/topic.ts";
import { requireRoom } from "./room.ts";

const PENDING = "pending confirmation";

export async function subscribe(
  sns: Sns,
  input: Input<Client, "Subscribe">,
  context: RequestContext,
): Promise<Output<Client, "Subscribe">> {
  const topic = await sns.topics.at(input.TopicArn, context.region);
  const where = checkEndpoint(topic, input.Protocol ?? "", input.Endpoint);
  const { protocol, endpoint } = where;
  if (protocol === "http" || protocol === "https") requireReachable(sns, endpoint);
  const attributes = changed({}, input.Attributes ?? {}, { ...where, topic, refuse: refuseGiven });
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

/** What hands the subscriber the question whether they want the messages, with the token to answer it by. */
async function confirmationOf(sns: Sns, topic: SubscribedTopic, row: SubscriptionRow) {
  const existing = await sameSubscription(sns.database, topic.id, row.protocol, row.endpoint);
  const asked = existing && existing.token !== "" ? existing : row;
  const send = await prepareConfirmation(sns, topic, asked, "SubscriptionConfirmation");
  // Where another has subscribed it meanwhile, they ask by themselves.
  return (tx: Transaction, kept: SubscriptionRow) =>
    kept.token === asked.token ? send(tx) : Promise.resolve();
}
