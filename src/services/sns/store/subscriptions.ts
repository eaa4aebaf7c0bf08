/** SQL of subscriptions. */
import { sql } from "../../../store/database.ts";
import type { Reader, Transaction } from "../../../store/database.ts";

export interface SubscriptionRow {
  readonly subscription_id: string;
  readonly topic_id: number;
  readonly topic_arn: string;
  /** The account that subscribed. */
  readonly owner: string;
  readonly region: string;
  readonly protocol: string;
  readonly endpoint: string;
  /** JSON of those that were set. */
  readonly attributes: string;
  /** With which it is to be confirmed; "" once it is. */
  readonly token: string;
  /** Epoch milliseconds; 0 once it is confirmed. */
  readonly pending_until: number;
  /** `authenticated`, `anyone`, or "" while it is pending. */
  readonly confirmed_by: string;
  /** 1 where it may only be ended by a signed request. */
  readonly needs_signature: number;
  /** `http://localhost:4566`: how the subscriber reaches the server. */
  readonly base: string;
  /** The ARN of who subscribed. */
  readonly principal: string;
  readonly created_at: number;
}

const COLUMNS =
  "subscription_id, topic_id, topic_arn, owner, region, protocol, endpoint, attributes, token, pending_until, confirmed_by, " +
  "needs_signature, base, principal, created_at";

const GET = sql("sns.subscription", `SELECT ${COLUMNS} FROM sns_subscription WHERE subscription_id = ?`);
const SAME = sql(
  "sns.same-subscription",
  `SELECT ${COLUMNS} FROM sns_subscription WHERE topic_id = ? AND protocol = ? AND endpoint = ?`,
);
const BY_TOKEN = sql("sns.subscription-by-token", `SELECT ${COLUMNS} FROM sns_subscription WHERE token = ?`);
const OF_TOPIC = sql(
  "sns.subscriptions-of-topic",
  `SELECT ${COLUMNS} FROM sns_subscription WHERE topic_id = ? AND subscription_id > ? ORDER BY subscription_id LIMIT ?`,
);
const OF_OWNER = sql(
  "sns.subscriptions-of-owner",
  `SELECT ${COLUMNS} FROM sns_subscription WHERE owner = ? AND region = ? AND subscription_id > ? ORDER BY subscription_id LIMIT ?`,
);
const CONFIRMED = sql(
  "sns.confirmed-subscriptions",
  `SELECT ${COLUMNS} FROM sns_subscription WHERE topic_id = ? AND token = '' ORDER BY created_at, subscription_id`,
);
const COUNTS = sql(
  "sns.count-subscriptions",
  "SELECT SUM(CASE WHEN token = '' THEN 1 ELSE 0 END) AS confirmed, COUNT(*) AS total FROM sns_subscription WHERE topic_id = ?",
);
const INSERT = sql(
  "sns.insert-subscription",
  `INSERT INTO sns_subscription (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
);
const SET_ATTRIBUTES = sql(
  "sns.set-subscription-attributes",
  "UPDATE sns_subscription SET attributes = ? WHERE subscription_id = ?",
);
const CONFIRM = sql(
  "sns.confirm-subscription",
  "UPDATE sns_subscription SET token = '', pending_until = 0, confirmed_by = ?, needs_signature = ? WHERE subscription_id = ?",
);
const DELETE = sql("sns.delete-subscription", "DELETE FROM sns_subscription WHERE subscription_id = ?");
const DELETE_OF_TOPIC = sql("sns.delete-subscriptions", "DELETE FROM sns_subscription WHERE topic_id = ?");
const DROP_PENDING = sql(
  "sns.drop-pending",
  "DELETE FROM sns_subscription WHERE token <> '' AND pending_until <= ?",
);

export function getSubscription(reader: Reader, id: string): Promise<SubscriptionRow | undefined> {
  return reader.get<SubscriptionRow>(GET, id);
}

export function sameSubscription(
  reader: Reader,
  topicId: number,
  protocol: string,
  endpoint: string,
): Promise<SubscriptionRow | undefined> {
  return reader.get<SubscriptionRow>(SAME, topicId, protocol, endpoint);
}

export function subscriptionByToken(reader: Reader, token: string): Promise<SubscriptionRow | undefined> {
  return reader.get<SubscriptionRow>(BY_TOKEN, token);
}

/** So many after one. */
export function subscriptionsOfTopic(
  reader: Reader,
  topicId: number,
  after: string,
  count: number,
): Promise<SubscriptionRow[]> {
  return reader.all<SubscriptionRow>(OF_TOPIC, topicId, after, count);
}

/** So many after one, of an account in a region. */
export function subscriptionsOfOwner(
  reader: Reader,
  { account, region }: { readonly account: string; readonly region: string },
  after: string,
  count: number,
): Promise<SubscriptionRow[]> {
  return reader.all<SubscriptionRow>(OF_OWNER, account, region, after, count);
}

/** In the order in which they were made. */
export function confirmedSubscriptions(reader: Reader, topicId: number): Promise<SubscriptionRow[]> {
  return reader.all<SubscriptionRow>(CONFIRMED, topicId);
}

export async function countSubscriptions(
  reader: Reader,
  topicId: number,
): Promise<{ confirmed: number; pending: number }> {
  const row = await reader.get<{ confirmed: number | null; total: number }>(COUNTS, topicId);
  const confirmed = row?.confirmed ?? 0;
  return { confirmed, pending: (row?.total ?? 0) - confirmed };
}

export async function insertSubscription(tx: Transaction, row: SubscriptionRow): Promise<void> {
  const { subscription_id, topic_id, topic_arn, owner, region, protocol, endpoint, attributes } = row;
  const { token, pending_until, confirmed_by, needs_signature, base, principal, created_at } = row;
  const place = [subscription_id, topic_id, topic_arn, owner, region, protocol, endpoint];
  const state = [token, pending_until, confirmed_by, needs_signature];
  await tx.run(INSERT, ...place, attributes, ...state, base, principal, created_at);
}

export async function setSubscriptionAttributes(
  tx: Transaction,
  id: string,
  attributes: string,
): Promise<void> {
  await tx.run(SET_ATTRIBUTES, attributes, id);
}

export async function confirm(
  tx: Transaction,
  id: string,
  confirmedBy: "authenticated" | "anyone",
  needsSignature: boolean,
): Promise<void> {
  await tx.run(CONFIRM, confirmedBy, needsSignature ? 1 : 0, id);
}

/** Whether it was there. */
export async function deleteSubscription(tx: Transaction, id: string): Promise<boolean> {
  return (await tx.run(DELETE, id)) > 0;
}

export async function deleteSubscriptionsOf(tx: Transaction, topicId: number): Promise<void> {
  await tx.run(DELETE_OF_TOPIC, topicId);
}

/** Those that nobody has confirmed in time. */
export async function dropPending(tx: Transaction, now: number): Promise<void> {
  await tx.run(DROP_PENDING, now);
}
