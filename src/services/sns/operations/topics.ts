/** DeleteTopic, ListTopics, GetTopicAttributes and SetTopicAttributes. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, Sns } from "../deps.ts";
import { invalidArn, noSuchTopic, refuseChange } from "../errors.ts";
import { readTopicArn, topicArn } from "../names.ts";
import { deleteEndedOf } from "../store/ended-subscriptions.ts";
import { countSubscriptions, deleteSubscriptionsOf } from "../store/subscriptions.ts";
import { deleteTopicRow, getTopic, listTopicNames, setAttributes } from "../store/topics.ts";
import { describeGivenTopicDelivery, describeTopicDelivery } from "../subscriptions/delivery-policy.ts";
import { checkTopicAttribute } from "../topics/attributes.ts";
import { requirePrincipals } from "../topics/policy-document.ts";
import type { Attributes, Topic } from "../topics/topic.ts";
import { page } from "./paging.ts";

/** The topic and its subscriptions are gone; of one that is not there nothing is said. */
export async function deleteTopic(
  sns: Sns,
  input: Input<Client, "DeleteTopic">,
  { region }: RequestContext,
): Promise<object> {
  const id = readTopicArn(input.TopicArn ?? "");
  if (!id || id.region !== region) throw invalidArn("TopicArn", input.TopicArn);
  await sns.database.tx(async (tx) => {
    const row = await getTopic(tx, id);
    if (!row) return;
    await deleteSubscriptionsOf(tx, row.topic_id);
    await deleteEndedOf(tx, row.topic_id);
    await deleteTopicRow(tx, row.topic_id);
    sns.topics.forgetAfter(tx, topicArn(id));
  });
  return {};
}

export async function listTopics(
  sns: Sns,
  { NextToken }: Input<Client, "ListTopics">,
  { account, region }: RequestContext,
): Promise<Output<Client, "ListTopics">> {
  const place = { account, region };
  const { items, next } = await page(
    NextToken,
    (after, count) => listTopicNames(sns.database, place, after, count),
    (name) => name,
  );
  return { Topics: items.map((name) => ({ TopicArn: topicArn({ ...place, name }) })), ...next };
}

export async function getTopicAttributes(
  sns: Sns,
  { TopicArn }: Input<Client, "GetTopicAttributes">,
  { region }: RequestContext,
): Promise<Output<Client, "GetTopicAttributes">> {
  const topic = await sns.topics.at(TopicArn, region);
  const { confirmed, pending } = await countSubscriptions(sns.database, topic.id);
  return { Attributes: described(topic, confirmed, pending) };
}

export async function setTopicAttributes(
  sns: Sns,
  { TopicArn, AttributeName: name = "", AttributeValue: value = "" }: Input<Client, "SetTopicAttributes">,
  { region }: RequestContext,
): Promise<object> {
  const topic = await sns.topics.at(TopicArn, region);
  const { policies } = sns;
  const kept = checkTopicAttribute(name, value, { isFifo: topic.isFifo, policies, refuse: refuseChange });
  if (name === "Policy") await requirePrincipals(kept, topic.account, policies);
  await changeTopic(sns, topic, (before) => {
    const { [name]: _, ...rest } = before;
    return kept === "" ? rest : { ...rest, [name]: kept };
  });
  return {};
}

/** Changes the attributes of a topic. @throws AwsError NotFound where it is gone */
export async function changeTopic(
  { database, topics }: Pick<Sns, "database" | "topics">,
  topic: Topic,
  change: (before: Attributes) => Attributes,
): Promise<void> {
  await database.tx(async (tx) => {
    const row = await getTopic(tx, topic);
    if (row?.topic_id !== topic.id) throw noSuchTopic();
    await setAttributes(tx, topic.id, JSON.stringify(change(JSON.parse(row.attributes) as Attributes)));
    topics.forgetAfter(tx, topic.arn);
  });
}

function described(topic: Topic, confirmed: number, pending: number): Record<string, string> {
  const { attributes, isFifo } = topic;
  const delivery = attributes["DeliveryPolicy"];
  const fifo = { FifoTopic: "true", ContentBasedDeduplication: "false", FifoThroughputScope: "Topic" };
  return {
    Policy: topic.policy,
    Owner: topic.account,
    SubscriptionsPending: String(pending),
    TopicArn: topic.arn,
    EffectiveDeliveryPolicy: describeTopicDelivery(topic.delivery),
    SubscriptionsConfirmed: String(confirmed),
    DisplayName: "",
    SubscriptionsDeleted: String(topic.row.subscriptions_deleted),
    ...(isFifo && fifo),
    ...attributes,
    ...(delivery !== undefined && { DeliveryPolicy: describeGivenTopicDelivery(delivery) }),
  };
}
