/** ConfirmSubscription: begins a subscription that waits for it, or takes up one that was ended; once more it says the same. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Transaction } from "../../../store/database.ts";
import type { Client, Sns } from "../deps.ts";
import { invalid } from "../errors.ts";
import { PENDING_MS } from "../limits.ts";
import { readTopicArn } from "../names.ts";
import { deleteEnded, findEnded } from "../store/ended-subscriptions.ts";
import {
  confirm,
  getSubscription,
  insertSubscription,
  sameSubscription,
  subscriptionByToken,
} from "../store/subscriptions.ts";
import type { SubscriptionRow } from "../store/subscriptions.ts";
import { findUsedToken, putUsedToken } from "../store/used-tokens.ts";
import { subscriptionArn } from "../subscriptions/subscription.ts";
import type { Attributes } from "../subscriptions/subscription.ts";
import type { SubscribedTopic } from "../topics/topic.ts";
import { requireRoom } from "./room.ts";

type How = Parameters<typeof confirm>[2];

export async function confirmSubscription(
  sns: Sns,
  input: Input<Client, "ConfirmSubscription">,
  context: Pick<RequestContext, "region" | "principal">,
): Promise<Output<Client, "ConfirmSubscription">> {
  const { topics, database, clock } = sns;
  const { Token: token = "" } = input;
  const id = readTopicArn(input.TopicArn ?? "");
  if (id?.region !== context.region) throw invalid("Topic");
  const topic = await topics.find(id);
  if (!topic) throw invalid("Token");
  const isKnown = context.principal.type !== "anonymous";
  const how: How = isKnown ? "authenticated" : "anyone";
  const needsSignature = isKnown && input.AuthenticateOnUnsubscribe === "true";
  const confirmed = await database.tx(async (tx) => {
    const now = clock.now();
    const done = await findUsedToken(tx, token, topic.id, now);
    const before = done === undefined ? undefined : await getSubscription(tx, done);
    if (before) return before;
    const waiting = token === "" ? undefined : await subscriptionByToken(tx, token);
    const ended = token === "" || waiting ? undefined : await findEnded(tx, token, now);
    const found = waiting ?? ended;
    if (found?.topic_id !== topic.id || (waiting && waiting.pending_until <= now)) throw invalid("Token");
    const row = ended ? await takeUp(tx, topic, ended) : found;
    await confirm(tx, row.subscription_id, how, needsSignature);
    await putUsedToken(tx, token, row, now + PENDING_MS);
    topics.forgetAfter(tx, topic.arn);
    return row;
  });
  return { SubscriptionArn: subscriptionArn(confirmed) };
}

/** The subscription as it was; or the one that its endpoint has got since. */
async function takeUp(
  tx: Transaction,
  topic: SubscribedTopic,
  ended: SubscriptionRow,
): Promise<SubscriptionRow> {
  await deleteEnded(tx, ended.token);
  const other = await sameSubscription(tx, topic.id, ended.protocol, ended.endpoint);
  if (other) return other;
  await requireRoom(tx, topic, JSON.parse(ended.attributes) as Attributes);
  await insertSubscription(tx, ended);
  return ended;
}
