/** Unsubscribe, the lists of subscriptions, GetSubscriptionAttributes and SetSubscriptionAttributes. */
import { AwsError } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, Sns } from "../deps.ts";
import { invalidArn, noSuchSubscription, refuseChange } from "../errors.ts";
import { PENDING_MS, TOKEN_DIGITS } from "../limits.ts";
import { prepareConfirmation } from "../messages/confirmation.ts";
import { readSubscriptionArn } from "../names.ts";
import { REFUSED } from "../policy.ts";
import { putEnded } from "../store/ended-subscriptions.ts";
import {
  deleteSubscription,
  getSubscription,
  setSubscriptionAttributes as saveAttributes,
  subscriptionsOfOwner,
  subscriptionsOfTopic,
} from "../store/subscriptions.ts";
import type { SubscriptionRow } from "../store/subscriptions.ts";
import { countDeletedSubscription } from "../store/topics.ts";
import { changed } from "../subscriptions/attributes.ts";
import { describeDelivery, effectiveDelivery } from "../subscriptions/delivery-policy.ts";
import { subscriptionArn } from "../subscriptions/subscription.ts";
import type { Attributes, Protocol } from "../subscriptions/subscription.ts";
import type { Topic } from "../topics/topic.ts";
import { page } from "./paging.ts";
import { requireFilterRoom } from "./room.ts";

type Told = NonNullable<Output<Client, "ListSubscriptions">["Subscriptions"]>[number];

/** Of a subscription that is not there nothing is said. @throws AwsError AuthorizationError for one that only its owner may end */
export async function unsubscribe(
  sns: Sns,
  input: Input<Client, "Unsubscribe">,
  { principal, region }: Pick<RequestContext, "principal" | "region">,
): Promise<object> {
  const name = readName(input.SubscriptionArn, region);
  const row = await getSubscription(sns.database, name.id);
  if (!row || subscriptionArn(row) !== input.SubscriptionArn) return {};
  if (row.needs_signature === 1 && principal.type === "anonymous")
    throw new AwsError(
      REFUSED,
      `Not authorized to unsubscribe ${input.SubscriptionArn}: the request must be signed`,
    );
  if (
    principal.type !== "anonymous" &&
    principal.account !== row.owner &&
    principal.account !== name.topic.account
  )
    throw new AwsError(
      REFUSED,
      `User: ${principal.arn} is not authorized to perform: SNS:Unsubscribe on resource: ${row.topic_arn}`,
    );
  const topic = await sns.topics.find(name.topic);
  const isTold = topic && row.token === "" && (row.protocol === "http" || row.protocol === "https");
  const ended = { ...row, token: sns.ids.hex(TOKEN_DIGITS) };
  const tell = isTold && (await prepareConfirmation(sns, topic, ended, "UnsubscribeConfirmation"));
  await sns.database.tx(async (tx) => {
    if (!(await deleteSubscription(tx, row.subscription_id))) return;
    await countDeletedSubscription(tx, row.topic_id);
    if (tell) {
      await putEnded(tx, ended, sns.clock.now() + PENDING_MS);
      await tell(tx);
    }
    sns.topics.forgetAfter(tx, row.topic_arn);
  });
  return {};
}

export async function listSubscriptions(
  sns: Sns,
  { NextToken }: Input<Client, "ListSubscriptions">,
  { account, region }: RequestContext,
): Promise<Output<Client, "ListSubscriptions">> {
  const read = (after: string, count: number) =>
    subscriptionsOfOwner(sns.database, { account, region }, after, count);
  const { items, next } = await page(NextToken, read, (row) => row.subscription_id);
  return { Subscriptions: items.map(told), ...next };
}

export async function listSubscriptionsByTopic(
  sns: Sns,
  { TopicArn, NextToken }: Input<Client, "ListSubscriptionsByTopic">,
  { region }: RequestContext,
): Promise<Output<Client, "ListSubscriptionsByTopic">> {
  const { id } = await sns.topics.at(TopicArn, region);
  const read = (after: string, count: number) => subscriptionsOfTopic(sns.database, id, after, count);
  const { items, next } = await page(NextToken, read, (row) => row.subscription_id);
  return { Subscriptions: items.map(told), ...next };
}

export async function getSubscriptionAttributes(
  sns: Sns,
  input: Input<Client, "GetSubscriptionAttributes">,
  context: RequestContext,
): Promise<Output<Client, "GetSubscriptionAttributes">> {
  const { row, topic } = await ownSubscription(sns, input.SubscriptionArn, context);
  return { Attributes: described(row, topic) };
}

export async function setSubscriptionAttributes(
  sns: Sns,
  input: Input<Client, "SetSubscriptionAttributes">,
  context: RequestContext,
): Promise<object> {
  const { AttributeName: name = "", AttributeValue: value = "" } = input;
  const { row, topic } = await ownSubscription(sns, input.SubscriptionArn, context);
  const checking = {
    topic,
    protocol: row.protocol as Protocol,
    endpoint: row.endpoint,
    refuse: refuseChange,
  };
  await sns.database.tx(async (tx) => {
    const now = await getSubscription(tx, row.subscription_id);
    if (!now) throw noSuchSubscription();
    const before = JSON.parse(now.attributes) as Attributes;
    const after = changed(before, { [name]: value }, checking);
    if (after["FilterPolicy"] !== undefined && before["FilterPolicy"] === undefined)
      requireFilterRoom(topic.subscriptions);
    await saveAttributes(tx, row.subscription_id, JSON.stringify(after));
    sns.topics.forgetAfter(tx, topic.arn);
  });
  return {};
}

function readName(arn: string | undefined, region: string) {
  const name = readSubscriptionArn(arn ?? "");
  if (!name || name.topic.region !== region) throw invalidArn("SubscriptionArn", arn, "SubscriptionId");
  return name;
}

/** The subscription that a request names. @throws AwsError InvalidParameter, NotFound */
async function ownSubscription(sns: Sns, arn: string | undefined, { account, region }: RequestContext) {
  const name = readName(arn, region);
  const row = await getSubscription(sns.database, name.id);
  const topic = await sns.topics.find(name.topic);
  const isOwn = row && (row.owner === account || name.topic.account === account);
  if (!isOwn || !topic || subscriptionArn(row) !== arn) throw noSuchSubscription();
  return { row, topic };
}

function told(row: SubscriptionRow): Told {
  return {
    SubscriptionArn: row.token === "" ? subscriptionArn(row) : "PendingConfirmation",
    Owner: row.owner,
    Protocol: row.protocol,
    Endpoint: row.endpoint,
    TopicArn: row.topic_arn,
  };
}

function described(row: SubscriptionRow, topic: Topic): Record<string, string> {
  const {
    FilterPolicyScope = "MessageAttributes",
    DeliveryPolicy: delivery,
    ...attributes
  } = JSON.parse(row.attributes) as Attributes;
  const isUrl = row.protocol === "http" || row.protocol === "https";
  return {
    SubscriptionPrincipal: row.principal,
    Owner: row.owner,
    RawMessageDelivery: "false",
    TopicArn: row.topic_arn,
    Endpoint: row.endpoint,
    Protocol: row.protocol,
    PendingConfirmation: String(row.token !== ""),
    ConfirmationWasAuthenticated: String(row.confirmed_by === "authenticated"),
    SubscriptionArn: subscriptionArn(row),
    // A scope is kept without a policy, and told with one.
    ...(attributes["FilterPolicy"] !== undefined && { FilterPolicyScope }),
    ...(delivery !== undefined && { DeliveryPolicy: describeDelivery(JSON.parse(delivery) as object) }),
    ...(isUrl && { EffectiveDeliveryPolicy: describeDelivery(effectiveDelivery(delivery, topic.delivery)) }),
    ...attributes,
  };
}
