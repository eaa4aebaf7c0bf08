/** Challenges of a pool's own: three triggers define, make and judge them. */
import { notImplemented } from "../../../aws/errors.ts";
import { hidesUsers } from "../clients/settings.ts";
import {
  invalidParameter,
  notAuthorized,
  userNotConfirmed,
  userNotFound,
  wrongCredentials,
} from "../errors.ts";
import { CUSTOM_ROUNDS_MAX } from "../limits.ts";
import type { TriggerName } from "../pools/triggers-config.ts";
import { callTrigger, eventAttributes, flagOf, invalidResponse, textOf, textsOf } from "../triggers/call.ts";
import type { TriggerResponse } from "../triggers/call.ts";
import type { User } from "../users/user.ts";
import { findUser } from "../users/username.ts";
import { afterFirstFactor, requireAble } from "./completion.ts";
import { challenge } from "./door.ts";
import type { CustomState, Door, Outcome, Round } from "./door.ts";
import { srpChallenge } from "./srp-challenge.ts";

const NEEDED: readonly TriggerName[] = [
  "DefineAuthChallenge",
  "CreateAuthChallenge",
  "VerifyAuthChallengeResponse",
];

/** @param srpA Where the client begins by a password, whose proof is a round of its own. */
export async function beginCustom(door: Door, username: string, srpA: string | undefined): Promise<Outcome> {
  if (NEEDED.every((name) => door.pool.settings.triggers[name] === undefined))
    throw invalidParameter("Custom auth lambda trigger is not configured for the user pool.");
  const user = await findUser(door.userPools.database, door.pool, username);
  if (!user && !hidesUsers(door.client.settings)) throw userNotFound();
  if (user) {
    requireAble(user);
    if (user.status === "UNCONFIRMED") throw userNotConfirmed();
  }
  const rounds: Round[] = srpA === undefined ? [] : [{ challengeName: "SRP_A", challengeResult: true }];
  return nextRound(door, user, { username, rounds, ...(srpA !== undefined && { srpA }) });
}

/** Asks what comes next, after the rounds that there were. */
export async function nextRound(door: Door, user: User | undefined, custom: CustomState): Promise<Outcome> {
  const { rounds, username, srpA } = custom;
  if (rounds.length >= CUSTOM_ROUNDS_MAX) throw notAuthorized("Too many challenges in one sign-in.");
  const response = await ask(door, user, username, "DefineAuthChallenge", { session: rounds }, [
    "challengeName",
    "issueTokens",
    "failAuthentication",
  ]);
  if (response === undefined)
    throw invalidParameter("Custom auth lambda trigger is not configured for the user pool.");
  if (flagOf(response, "failAuthentication")) throw wrongCredentials();
  if (flagOf(response, "issueTokens")) {
    if (!user) throw wrongCredentials();
    return afterFirstFactor(door, user, "TokenGeneration_Authentication");
  }
  const name = textOf(response, "challengeName");
  if (name === "PASSWORD_VERIFIER" && srpA !== undefined)
    return srpChallenge(door, user, username, srpA, custom);
  if (name === "CUSTOM_CHALLENGE") return makeChallenge(door, user, custom);
  if (name === "SMS_MFA" || name === "SOFTWARE_TOKEN_MFA")
    throw notImplemented(`the challenge ${name} in a custom authentication flow`);
  throw invalidResponse(`Invalid challenge name in lambda response: ${name ?? "none"}`);
}

async function makeChallenge(door: Door, user: User | undefined, custom: CustomState): Promise<Outcome> {
  const { rounds, username, srpA } = custom;
  const request = { challengeName: "CUSTOM_CHALLENGE", session: rounds };
  const response = await ask(door, user, username, "CreateAuthChallenge", request, [
    "publicChallengeParameters",
    "privateChallengeParameters",
    "challengeMetadata",
  ]);
  const metadata = textOf(response, "challengeMetadata");
  const state: CustomState = {
    username,
    rounds,
    ...(srpA !== undefined && { srpA }),
    privateParameters: textsOf(response, "privateChallengeParameters"),
    ...(metadata !== undefined && { metadata }),
  };
  return challenge(
    door,
    user,
    { name: "CUSTOM_CHALLENGE", custom: state },
    { USERNAME: user?.username ?? username, ...textsOf(response, "publicChallengeParameters") },
  );
}

/** Has an answer judged, and goes on. */
export async function answerCustom(
  door: Door,
  user: User | undefined,
  custom: CustomState,
  answer: string | undefined,
): Promise<Outcome> {
  if (answer === undefined) throw invalidParameter("Missing required parameter ANSWER");
  if (user) requireAble(user);
  const { rounds, username, privateParameters = {}, metadata } = custom;
  const request = { privateChallengeParameters: privateParameters, challengeAnswer: answer };
  const response = await ask(door, user, username, "VerifyAuthChallengeResponse", request, ["answerCorrect"]);
  const round: Round = {
    challengeName: "CUSTOM_CHALLENGE",
    challengeResult: flagOf(response, "answerCorrect"),
    ...(metadata !== undefined && { challengeMetadata: metadata }),
  };
  return nextRound(door, user, { ...custom, rounds: [...rounds, round] });
}

function ask(
  { userPools, pool, asking }: Door,
  user: User | undefined,
  username: string,
  trigger: TriggerName,
  request: Readonly<Record<string, unknown>>,
  fields: readonly string[],
): Promise<TriggerResponse | undefined> {
  return callTrigger(userPools, pool, asking, {
    trigger,
    source: `${trigger}_Authentication`,
    username: user?.username ?? username,
    request: {
      userAttributes: user ? eventAttributes(pool, user) : {},
      ...request,
      clientMetadata: asking.clientMetadata,
      userNotFound: user === undefined,
    },
    response: Object.fromEntries(fields.map((name) => [name, null])),
  });
}
