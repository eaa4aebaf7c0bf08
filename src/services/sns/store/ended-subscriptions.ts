/** SQL of subscriptions that were ended and can be taken up again. */
import { sql } from "../../../store/database.ts";
import type { Reader, Transaction } from "../../../store/database.ts";
import type { SubscriptionRow } from "./subscriptions.ts";

const INSERT = sql(
  "sns.insert-ended",
  "INSERT INTO sns_ended_subscription (token, topic_id, until, subscription) VALUES (?, ?, ?, ?)",
);
const GET = sql("sns.ended", "SELECT subscription FROM sns_ended_subscription WHERE token = ? AND until > ?");
const DELETE = sql("sns.delete-ended", "DELETE FROM sns_ended_subscription WHERE token = ?");
const DELETE_OF_TOPIC = sql(
  "sns.delete-ended-of-topic",
  "DELETE FROM sns_ended_subscription WHERE topic_id = ?",
);
const DROP = sql("sns.drop-ended", "DELETE FROM sns_ended_subscription WHERE until <= ?");

/** @param row With the token. @param until Epoch milliseconds. */
export async function putEnded(tx: Transaction, row: SubscriptionRow, until: number): Promise<void> {
  await tx.run(INSERT, row.token, row.topic_id, until, JSON.stringify(row));
}

/** The one that a token takes up again. */
export async function findEnded(
  reader: Reader,
  token: string,
  now: number,
): Promise<SubscriptionRow | undefined> {
  const found = await reader.get<{ subscription: string }>(GET, token, now);
  return found && (JSON.parse(found.subscription) as SubscriptionRow);
}

export async function deleteEnded(tx: Transaction, token: string): Promise<void> {
  await tx.run(DELETE, token);
}

export async function deleteEndedOf(tx: Transaction, topicId: number): Promise<void> {
  await tx.run(DELETE_OF_TOPIC, topicId);
}

/** Those whose time is over. */
export async function dropEnded(tx: Transaction, now: number): Promise<void> {
  await tx.run(DROP, now);
}
