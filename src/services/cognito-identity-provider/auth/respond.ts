/** Answers to challenges. */
import { AwsError } from "../../../aws/errors.ts";
import { invalidParameter, invalidSession } from "../errors.ts";
import { CODE_FAILURES_MAX } from "../limits.ts";
import { checkSecretHash } from "../clients/secret-hash.ts";
import { takeChoice, takePassword } from "./choice.ts";
import { claimTicket } from "./challenge-ticket.ts";
import { getUser } from "../store/users.ts";
import { editUser } from "../users/edit.ts";
import { checkAttributes, checkWritable, missingRequired, withChanges } from "../users/attributes.ts";
import { settleAliases } from "../users/username.ts";
import type { User } from "../users/user.ts";
import { checkAttempts, countAttempt } from "./attempts.ts";
import { deviceOf } from "../devices/device.ts";
import {
  afterFactors,
  afterFirstFactor,
  afterPassword,
  complete,
  requireAble,
  takeFactor,
} from "./completion.ts";
import { answerCustom, nextRound } from "./custom.ts";
import { deviceSrp, verifyDevice } from "./device-challenge.ts";
import { userOfTicket } from "./door.ts";
import type { ChallengeState, Door, Outcome } from "./door.ts";
import { withPassword } from "./password.ts";
import { checkSms } from "./sms-challenge.ts";
import { verifySrp } from "./srp-challenge.ts";
import { totpStep } from "./totp.ts";

type Responses = Readonly<Record<string, string>>;
const TOTP_FAILURES = "wrong:totp";

/** @throws AwsError for a wrong answer, and a session that is none */
export async function respond(
  door: Door,
  name: string,
  session: string | undefined,
  responses: Responses,
): Promise<Outcome> {
  const given = name.endsWith("PASSWORD_VERIFIER") ? responses["PASSWORD_CLAIM_SECRET_BLOCK"] : session;
  const claimed = claimTicket(door, name, given);
  const { ticket } = await claimed.look();
  const user = await userOfTicket(door, ticket);
  checkName(door, user, ticket.state, responses);
  const { state } = ticket;
  switch (state.name) {
    case "PASSWORD_VERIFIER": {
      // A client whose device is forgotten answers again without it.
      await deviceOf(door, user);
      await claimed.take();
      const proved = await verifySrp(door, user, state, responses);
      const { custom } = state;
      if (!custom) return afterPassword(door, proved);
      const round = { challengeName: "PASSWORD_VERIFIER", challengeResult: true };
      return nextRound(door, proved, { ...custom, rounds: [...custom.rounds, round] });
    }
    case "SELECT_CHALLENGE":
    case "PASSWORD": {
      const take = state.name === "PASSWORD" ? takePassword : takeChoice;
      const outcome = await take(door, state.username, responses);
      await claimed.take();
      return outcome;
    }
    case "CUSTOM_CHALLENGE":
      await claimed.take();
      return answerCustom(door, user, state.custom, responses["ANSWER"]);
    case "NEW_PASSWORD_REQUIRED": {
      const changed = changePassword(door, present(user), responses);
      await claimed.take();
      const kept = await write(door, changed);
      return afterFirstFactor(door, kept, "TokenGeneration_NewPasswordChallenge");
    }
    case "SOFTWARE_TOKEN_MFA": {
      // A mistyped code may be typed again.
      const proved = await checkTotp(door, present(user), responses["SOFTWARE_TOKEN_MFA_CODE"]);
      await claimed.take();
      return afterFactors(door, proved, state.source, session);
    }
    case "SMS_MFA": {
      const proved = await checkSms(door, present(user), state, responses["SMS_MFA_CODE"]);
      await claimed.take();
      return afterFactors(door, proved, state.source, session);
    }
    case "SELECT_MFA_TYPE": {
      const outcome = await takeFactor(door, present(user), responses["ANSWER"], state.source);
      await claimed.take();
      return outcome;
    }
    case "DEVICE_SRP_AUTH":
      await claimed.take();
      return deviceSrp(door, present(user), state.deviceKey, responses);
    case "DEVICE_PASSWORD_VERIFIER": {
      await claimed.take();
      await verifyDevice(door, present(user), state, responses);
      return complete(door, present(user), "TokenGeneration_AuthenticateDevice", state.deviceKey);
    }
    default:
      if (state.isVerified !== true) throw invalidParameter("The software token has not been verified.");
      await claimed.take();
      return afterFactors(door, await preferTotp(door, present(user)), state.source);
  }
}

function present(user: User | undefined): User {
  if (!user) throw invalidSession();
  requireAble(user);
  return user;
}

/** Who answers for a client with a secret proves it, for the name that the challenge was for. */
function checkName(
  { client }: Door,
  user: User | undefined,
  state: ChallengeState,
  { USERNAME, SECRET_HASH }: Responses,
): void {
  if (USERNAME === undefined) throw invalidParameter("Missing required parameter USERNAME");
  const asked = "username" in state ? state.username : "custom" in state ? state.custom.username : USERNAME;
  const names = user ? [user.username, user.sub, ...Object.values(user.attributes)] : [asked];
  if (!names.includes(USERNAME) && USERNAME.toLowerCase() !== asked.toLowerCase()) throw invalidSession();
  checkSecretHash(client, [USERNAME, asked], SECRET_HASH);
}

const ATTRIBUTE_PREFIX = "userAttributes.";

function changePassword({ userPools, pool, client }: Door, user: User, responses: Responses): User {
  const { NEW_PASSWORD: password } = responses;
  if (password === undefined) throw invalidParameter("Missing required parameter NEW_PASSWORD");
  const given = Object.entries(responses)
    .filter(([name]) => name.startsWith(ATTRIBUTE_PREFIX))
    .map(([name, value]) => [name.slice(ATTRIBUTE_PREFIX.length), value] as const);
  checkWritable(
    client,
    given.map(([name]) => name),
  );
  const changes = Object.fromEntries(given);
  checkAttributes(pool, changes);
  const attributes = withChanges(user.attributes, changes);
  const [missing] = missingRequired(pool.settings.schema, attributes);
  if (missing !== undefined) throw invalidParameter(`Invalid attributes given, ${missing} is missing`);
  const now = userPools.clock.now();
  const changed = withPassword(pool, user, password, { temporary: false, now });
  return { ...changed, attributes, status: "CONFIRMED", modifiedAt: now };
}

/** What was changed meanwhile stays. */
async function write({ userPools, pool }: Door, changed: User): Promise<User> {
  const { status, credentials, attributes, modifiedAt } = changed;
  return userPools.database.tx(async (tx) => {
    const kept = await editUser(tx, changed, (current) => ({
      ...current,
      status,
      credentials,
      modifiedAt,
      attributes: { ...current.attributes, ...attributes },
    }));
    await settleAliases(tx, pool, kept);
    return kept;
  });
}

/** Who set a factor up because it is required has it from now on. */
function preferTotp({ userPools }: Door, user: User): Promise<User> {
  return userPools.database.tx((tx) =>
    editUser(tx, user, (current) => ({
      ...current,
      credentials: { ...current.credentials, mfaEnabled: true, mfaPreferred: true, smsPreferred: false },
      modifiedAt: userPools.clock.now(),
    })),
  );
}

/** Takes a code of the user's authenticator, each only once. */
async function checkTotp({ userPools }: Door, user: User, code: string | undefined): Promise<User> {
  if (code === undefined) throw invalidParameter("Missing required parameter SOFTWARE_TOKEN_MFA_CODE");
  const now = userPools.clock.now();
  const proved = await userPools.database.tx(async (tx) => {
    await checkAttempts(tx, user, TOTP_FAILURES, now, CODE_FAILURES_MAX);
    const { totp, totpStep: last } = (await getUser(tx, user.poolId, user.key))?.credentials ?? {};
    const step = totp === undefined ? undefined : totpStep(totp, code, now, last);
    if (step !== undefined)
      return editUser(tx, user, (current) => ({
        ...current,
        credentials: { ...current.credentials, totpStep: step },
      }));
    await countAttempt(tx, user, TOTP_FAILURES, now);
    return undefined;
  });
  if (!proved) throw new AwsError("CodeMismatchException", "Invalid code received for user");
  return proved;
}
