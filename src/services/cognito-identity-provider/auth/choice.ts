/** Sign-in by choice (USER_AUTH): the user says by which factor; here that is the password, sent or proved by SRP. */
import { hidesUsers } from "../clients/settings.ts";
import { invalidParameter, userNotFound } from "../errors.ts";
import { findUser } from "../users/username.ts";
import { preAuthenticate, requireAble } from "./completion.ts";
import { challenge } from "./door.ts";
import type { Door, Outcome } from "./door.ts";
import { signInByPassword } from "./password-sign-in.ts";
import { srpChallenge } from "./srp-challenge.ts";

type Parameters = Readonly<Record<string, string>>;

/** What a user can choose. */
export const CHOICES = ["PASSWORD_SRP", "PASSWORD"] as const;

/**
 * Goes on with the preferred factor, or asks which it shall be.
 * @throws AwsError UserNotFoundException where the client tells who is there
 */
export async function beginChoice(door: Door, username: string, parameters: Parameters): Promise<Outcome> {
  const { PREFERRED_CHALLENGE: preferred, PASSWORD: password } = parameters;
  if (preferred === "PASSWORD" && password !== undefined) return signInByPassword(door, username, password);
  if (preferred === "PASSWORD_SRP") return beginSrp(door, username, srpOf(parameters));
  const user = await findUser(door.userPools.database, door.pool, username);
  if (!user && !hidesUsers(door.client.settings)) throw userNotFound();
  const name = preferred === "PASSWORD" ? "PASSWORD" : "SELECT_CHALLENGE";
  return challenge(door, user, { name, username }, {});
}

/** Goes on with the factor that was chosen. */
export async function takeChoice(door: Door, username: string, responses: Parameters): Promise<Outcome> {
  const { ANSWER: chosen = "" } = responses;
  if (chosen === "PASSWORD") return takePassword(door, username, responses);
  if (chosen === "PASSWORD_SRP") return beginSrp(door, username, srpOf(responses));
  throw invalidParameter(`ANSWER must be one of ${CHOICES.join(", ")}.`);
}

export async function takePassword(
  door: Door,
  username: string,
  { PASSWORD: password }: Parameters,
): Promise<Outcome> {
  if (password === undefined) throw invalidParameter("Missing required parameter PASSWORD");
  return signInByPassword(door, username, password);
}

function srpOf({ SRP_A: srpA }: Parameters): string {
  if (srpA === undefined || srpA === "") throw invalidParameter("Missing required parameter SRP_A");
  return srpA;
}

/** Begins the proof of a password. */
export async function beginSrp(door: Door, username: string, srpA: string): Promise<Outcome> {
  const { userPools, pool, client } = door;
  const user = await findUser(userPools.database, pool, username);
  if (user) requireAble(user);
  if (user || hidesUsers(client.settings)) await preAuthenticate(door, user, username);
  return srpChallenge(door, user, username, srpA);
}
