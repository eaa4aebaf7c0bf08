/** Codes that users get by a message: made, kept with the message, and taken. */
import { randomInt } from "node:crypto";
import type { CodeDeliveryDetailsType } from "@aws-sdk/client-cognito-identity-provider";
import type { Transaction } from "../../../store/database.ts";
import { checkAttempts, countAttempt } from "../auth/attempts.ts";
import type { UserPools } from "../deps.ts";
import { codeExpired, codeMismatch } from "../errors.ts";
import { sameText } from "../auth/srp.ts";
import {
  ATTRIBUTE_CODE_MS,
  CODE_DIGITS,
  CODE_FAILURES_MAX,
  CODES_PER_HOUR_MAX,
  FORGOT_PASSWORD_CODE_MS,
  MESSAGE_MS,
  MESSAGES_PER_POOL_MAX,
  SIGN_UP_CODE_MS,
} from "../limits.ts";
import { addMessage, deleteCode, getCode, setCode } from "../store/codes.ts";
import type { CodePurpose, CodeRow } from "../store/codes.ts";
import type { Pool } from "../store/pools.ts";
import type { Asking } from "../triggers/call.ts";
import type { User } from "../users/user.ts";
import { confirmationLink } from "./link.ts";
import { composeMessage, deliveryDetails } from "./message.ts";
import type { Destination, Message, MessageSource } from "./message.ts";

/** A code for a user, and its message. */
export interface CodeRequest {
  readonly purpose: CodePurpose;
  readonly source: MessageSource;
  readonly to: Destination;
}

function lifeOf(purpose: CodePurpose): number {
  if (purpose === "sign-up") return SIGN_UP_CODE_MS;
  return purpose === "forgot-password" ? FORGOT_PASSWORD_CODE_MS : ATTRIBUTE_CODE_MS;
}

export function newCode(): string {
  return String(randomInt(10 ** CODE_DIGITS)).padStart(CODE_DIGITS, "0");
}

/**
 * Makes a code, which takes the place of an earlier one for the same purpose, and keeps its message in the same transaction.
 * @throws AwsError LimitExceededException where there were too many within the hour
 */
export async function sendCode(
  userPools: UserPools,
  pool: Pool,
  user: User,
  asking: Asking,
  { purpose, source, to }: CodeRequest,
): Promise<CodeDeliveryDetailsType> {
  const code = newCode();
  const link = await confirmationLink(userPools, pool, user, asking, { purpose, to, code });
  const about = { source, to, code, name: user.username, link };
  const message = await composeMessage(userPools, pool, user, asking, about);
  const now = userPools.clock.now();
  const kind = `sent:${purpose}`;
  await userPools.database.tx(async (tx) => {
    await checkAttempts(tx, user, kind, now, CODES_PER_HOUR_MAX);
    await countAttempt(tx, user, kind, now);
    await setCode(tx, {
      pool_id: pool.poolId,
      username_key: user.key,
      purpose,
      code,
      attribute: to.attribute,
      value: to.value,
      expires_at: now + lifeOf(purpose),
    });
    await keepMessage(tx, userPools, pool, user, message);
  });
  return deliveryDetails(to);
}

/** Keeps a message where an operator reads it: this server sends neither e-mail nor SMS. */
export async function keepMessage(
  tx: Transaction,
  { clock, ids, log }: UserPools,
  pool: Pool,
  user: User,
  message: Message,
): Promise<void> {
  const now = clock.now();
  const row = {
    message_id: ids.uuid(),
    username_key: user.key,
    sent_at: now,
    content: JSON.stringify(message),
  };
  await addMessage(tx, pool.poolId, row, now + MESSAGE_MS, MESSAGES_PER_POOL_MAX);
  tx.afterCommit(() =>
    log.info("A message for a user waits to be read: this server sends neither e-mail nor SMS", {
      read: `lambent messages ${pool.poolId}`,
      userPool: pool.poolId,
      reason: message.reason,
      medium: message.medium,
    }),
  );
}

/**
 * Takes a code, and does `work` in the same transaction. A wrong one is counted, also where the caller never asks again.
 * @throws AwsError CodeMismatchException, ExpiredCodeException (also where there is none), LimitExceededException
 */
export async function useCode<T>(
  { database, clock }: UserPools,
  user: Pick<User, "poolId" | "key">,
  purpose: CodePurpose,
  given: string | undefined,
  work: (tx: Transaction, code: CodeRow) => Promise<T>,
): Promise<T> {
  const kind = `wrong:${purpose}`;
  const now = clock.now();
  const outcome = await database.tx(async (tx) => {
    await checkAttempts(tx, user, kind, now, CODE_FAILURES_MAX);
    const found = await getCode(tx, user.poolId, user.key, purpose);
    if (!found || found.expires_at <= now) return { fault: codeExpired() };
    if (!sameText(found.code, given ?? "")) {
      await countAttempt(tx, user, kind, now);
      return { fault: codeMismatch() };
    }
    await deleteCode(tx, user.poolId, user.key, purpose);
    return { result: await work(tx, found) };
  });
  if ("fault" in outcome) throw outcome.fault;
  return outcome.result;
}
