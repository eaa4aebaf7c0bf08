/** A code by SMS as the second factor: made with its challenge, and taken with that alone. */
import { AwsError } from "../../../aws/errors.ts";
import type { Transaction } from "../../../store/database.ts";
import { invalidParameter, invalidSession } from "../errors.ts";
import { CODES_PER_HOUR_MAX, CODE_FAILURES_MAX } from "../limits.ts";
import { keepMessage, newCode } from "../messages/codes.ts";
import { composeMessage, deliveryDetails } from "../messages/message.ts";
import { requireSmsRole } from "../pools/sms.ts";
import { getUser } from "../store/users.ts";
import type { TokenSource } from "../triggers/pre-token.ts";
import { addressOf } from "../users/deliver.ts";
import { editUser } from "../users/edit.ts";
import type { User } from "../users/user.ts";
import { settleAliases } from "../users/username.ts";
import { checkAttempts, countAttempt } from "./attempts.ts";
import { challenge } from "./door.ts";
import type { ChallengeState, Door, Outcome } from "./door.ts";
import { sameText } from "./srp.ts";

type SmsState = Extract<ChallengeState, { name: "SMS_MFA" }>;
const SENT = "sent:sms-mfa";
const FAILURES = "wrong:sms-mfa";

/**
 * Sends a code to the user's phone and asks for it; the message is kept in the transaction that makes the challenge.
 * @throws AwsError LimitExceededException where there were too many within the hour, and where the pool's role sends no SMS any more
 */
export async function askSms(door: Door, user: User, source: TokenSource): Promise<Outcome> {
  const { userPools, pool, asking } = door;
  const to = addressOf(user, "phone_number");
  if (!to) throw invalidSession();
  await requireSmsRole(userPools, pool, pool.settings.SmsConfiguration);
  const code = newCode();
  const about = { source: "CustomMessage_Authentication", to, code, name: user.username } as const;
  const message = await composeMessage(userPools, pool, user, asking, about);
  const state: SmsState = { name: "SMS_MFA", source, code, phone: to.value };
  const now = userPools.clock.now();
  const alongside = async (tx: Transaction) => {
    await checkAttempts(tx, user, SENT, now, CODES_PER_HOUR_MAX);
    await countAttempt(tx, user, SENT, now);
    await keepMessage(tx, userPools, pool, user, message);
  };
  const parameters = {
    USER_ID_FOR_SRP: user.username,
    CODE_DELIVERY_DELIVERY_MEDIUM: "SMS",
    CODE_DELIVERY_DESTINATION: deliveryDetails(to).Destination ?? "",
  };
  return challenge(door, user, state, parameters, { alongside });
}

/**
 * Takes the code of a challenge; the phone that it came to is verified by it.
 * @throws AwsError CodeMismatchException, LimitExceededException
 */
export async function checkSms(
  { userPools, pool }: Door,
  user: User,
  { code, phone }: SmsState,
  given: string | undefined,
): Promise<User> {
  if (given === undefined) throw invalidParameter("Missing required parameter SMS_MFA_CODE");
  const now = userPools.clock.now();
  const proved = await userPools.database.tx(async (tx) => {
    await checkAttempts(tx, user, FAILURES, now, CODE_FAILURES_MAX);
    const current = await getUser(tx, user.poolId, user.key);
    if (!sameText(code, given) || current?.attributes["phone_number"] !== phone) {
      await countAttempt(tx, user, FAILURES, now);
      return undefined;
    }
    if (current.attributes["phone_number_verified"] === "true") return current;
    const verified = await editUser(tx, current, (one) => ({
      ...one,
      attributes: { ...one.attributes, phone_number_verified: "true" },
      modifiedAt: now,
    }));
    await settleAliases(tx, pool, verified);
    return verified;
  });
  if (!proved) throw new AwsError("CodeMismatchException", "Invalid code or auth state for the user.");
  return proved;
}
