/** SQL of tokens by which subscriptions were confirmed. */
import { sql } from "../../../store/database.ts";
import type { Reader, Transaction } from "../../../store/database.ts";

const PUT = sql(
  "sns.put-used-token",
  "INSERT INTO sns_used_token (token, topic_id, until, subscription_id) VALUES (?, ?, ?, ?)",
);
const FIND = sql(
  "sns.used-token",
  "SELECT subscription_id FROM sns_used_token WHERE token = ? AND topic_id = ? AND until > ?",
);
const DROP = sql("sns.drop-used-tokens", "DELETE FROM sns_used_token WHERE until <= ?");

/** @param until Epoch milliseconds. */
export async function putUsedToken(
  tx: Transaction,
  token: string,
  { topic_id, subscription_id }: { readonly topic_id: number; readonly subscription_id: string },
  until: number,
): Promise<void> {
  await tx.run(PUT, token, topic_id, until, subscription_id);
}

/** The id of the subscription that a token has confirmed. */
export async function findUsedToken(
  reader: Reader,
  token: string,
  topicId: number,
  now: number,
): Promise<string | undefined> {
  return (await reader.get<{ subscription_id: string }>(FIND, token, topicId, now))?.subscription_id;
}

/** Those whose time is over. */
export async function dropUsedTokens(tx: Transaction, now: number): Promise<void> {
  await tx.run(DROP, now);
}
