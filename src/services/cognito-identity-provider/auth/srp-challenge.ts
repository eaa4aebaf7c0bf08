/** Sign-in by SRP: the server's public value and salt, then the client's proof. */
import { createHmac } from "node:crypto";
import { hidesUsers } from "../clients/settings.ts";
import { invalidParameter, userNotConfirmed, userNotFound, wrongCredentials } from "../errors.ts";
import type { User } from "../users/user.ts";
import { checkLockout, countWrongPassword, forgetWrongPasswords } from "./attempts.ts";
import { requireAble } from "./completion.ts";
import { askProof } from "./door.ts";
import type { ChallengeState, CustomState, Door, Outcome } from "./door.ts";
import { srpPoolName } from "./password.ts";
import { beginExchange, expectedSignature, makeVerifier, sameText } from "./srp.ts";
import type { Verifier } from "./srp.ts";

type VerifierState = Extract<ChallengeState, { name: "PASSWORD_VERIFIER" }>;

/** @param user Undefined for one who is not there, who gets a challenge that nobody can answer where the client hides who is. */
export async function srpChallenge(
  door: Door,
  user: User | undefined,
  username: string,
  srpA: string,
  custom?: CustomState,
): Promise<Outcome> {
  if (!user && !hidesUsers(door.client.settings)) throw userNotFound();
  const name = user?.username ?? username;
  const verifier = user?.credentials.verifier ?? nobodysVerifier(door, name);
  const exchange = beginExchange(srpA, verifier);
  if (!exchange) throw invalidParameter("Invalid SRP_A value.");
  const state: VerifierState = {
    name: "PASSWORD_VERIFIER",
    username: name,
    exchange,
    verifier,
    ...(custom && { custom }),
  };
  return askProof(door, user, state, verifier.salt, { USERNAME: name, USER_ID_FOR_SRP: name });
}

/** The same for a name each time, or who asks twice would know. */
function nobodysVerifier({ pool }: Door, username: string): Verifier {
  const secret = (what: string) =>
    createHmac("sha256", pool.secret).update(`${what}:${username}`).digest("hex");
  return makeVerifier(srpPoolName(pool.poolId), username, secret("password"), secret("salt").slice(0, 32));
}

/** Takes the proof. @throws AwsError NotAuthorizedException for a wrong one */
export async function verifySrp(
  door: Door,
  user: User | undefined,
  state: VerifierState,
  responses: Readonly<Record<string, string>>,
): Promise<User> {
  const { userPools, pool } = door;
  const subject = { poolId: pool.poolId, key: user?.key ?? state.username };
  await checkLockout(userPools, subject);
  if (user) requireAble(user);
  const { TIMESTAMP = "", PASSWORD_CLAIM_SIGNATURE = "", PASSWORD_CLAIM_SECRET_BLOCK = "" } = responses;
  const expected =
    state.verifier &&
    expectedSignature(state.exchange, state.verifier, {
      poolName: srpPoolName(pool.poolId),
      username: state.username,
      secretBlock: Buffer.from(PASSWORD_CLAIM_SECRET_BLOCK, "base64"),
      timestamp: TIMESTAMP,
    });
  // A password that was changed meanwhile is not the one that was proved.
  const isCurrent = user?.credentials.verifier?.verifier === state.verifier?.verifier;
  if (!user || !expected || !isCurrent || !sameText(expected, PASSWORD_CLAIM_SIGNATURE)) {
    await countWrongPassword(userPools, subject);
    throw wrongCredentials();
  }
  await forgetWrongPasswords(userPools, subject);
  if (user.status === "UNCONFIRMED") throw userNotConfirmed();
  return user;
}
