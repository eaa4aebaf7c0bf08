/** By which names users are known: their username, their `sub`, and what their pool lets them sign in by. */
import type { Reader, Transaction } from "../../../store/database.ts";
import { aliasExists, invalidParameter, userNotFound, usernameExists } from "../errors.ts";
import type { Pool } from "../store/pools.ts";
import { aliasOwner, getUser, getUserBySub, setAlias } from "../store/users.ts";
import type { User } from "./user.ts";

export const EMAIL = /^[^\s@]+@[^\s@]+$/;
export const PHONE = /^\+\d{1,15}$/;

/** How names are compared: pools that were not told otherwise heed case. */
export function keyOf({ settings }: Pick<Pool, "settings">, name: string): string {
  return settings.UsernameConfiguration?.CaseSensitive === false ? name.toLowerCase() : name;
}

/** Attributes by which users sign in instead of a username, or beside it. */
function aliasKinds({ settings }: Pick<Pool, "settings">): readonly string[] {
  return [...(settings.UsernameAttributes ?? []), ...(settings.AliasAttributes ?? [])];
}

/** The user who goes by a name. */
export async function findUser(reader: Reader, pool: Pool, name: string): Promise<User | undefined> {
  const key = keyOf(pool, name);
  const user = (await getUser(reader, pool.poolId, key)) ?? (await getUserBySub(reader, pool.poolId, name));
  if (user) return user;
  for (const kind of aliasKinds(pool)) {
    const owner = await aliasOwner(reader, pool.poolId, kind, key);
    if (owner !== undefined) return getUser(reader, pool.poolId, owner);
  }
  return undefined;
}

/** @throws AwsError UserNotFoundException */
export async function requireUser(reader: Reader, pool: Pool, name = ""): Promise<User> {
  const user = await findUser(reader, pool, name);
  if (!user) throw userNotFound();
  return user;
}

/**
 * What a new user is called, and what their name says of their attributes: where users sign in by e-mail address or phone number, their
 * username is their `sub`.
 * @throws AwsError InvalidParameterException for a name that the pool does not take
 */
export function newUsername(
  { settings }: Pool,
  name: string,
  sub: string,
): { readonly username: string; readonly attributes: Readonly<Record<string, string>> } {
  const { UsernameAttributes: kinds = [], AliasAttributes: aliases = [] } = settings;
  const [isEmail, isPhone] = [EMAIL.test(name), PHONE.test(name)];
  if (kinds.length > 0) {
    if (isEmail && kinds.includes("email")) return { username: sub, attributes: { email: name } };
    if (isPhone && kinds.includes("phone_number"))
      return { username: sub, attributes: { phone_number: name } };
    if (kinds.length > 1) throw invalidParameter("Username should be either an email or a phone number.");
    throw invalidParameter(`Username should be ${kinds[0] === "email" ? "an email" : "a phone number"}.`);
  }
  if (isEmail && aliases.includes("email"))
    throw invalidParameter(
      "Username cannot be of email format, since user pool is configured for email alias.",
    );
  if (isPhone && aliases.includes("phone_number"))
    throw invalidParameter(
      "Username cannot be of phone number format, since user pool is configured for phone number alias.",
    );
  return { username: name, attributes: {} };
}

/** @throws AwsError UsernameExistsException where somebody has what a new user would sign in by */
export async function requireFree(reader: Reader, pool: Pool, user: User): Promise<void> {
  if (await getUser(reader, pool.poolId, user.key)) throw usernameExists();
  for (const kind of pool.settings.UsernameAttributes ?? []) {
    const value = user.attributes[kind];
    const owner = value && (await aliasOwner(reader, pool.poolId, kind, keyOf(pool, value)));
    if (owner !== undefined && owner !== "" && owner !== user.key)
      throw usernameExists(`An account with the given ${kind} already exists.`);
  }
}

/**
 * Sets by what a user signs in from their attributes: what takes the place of usernames at once, aliases once they are verified and the
 * user is confirmed.
 * @param force Takes an alias from another user who has it. @throws AwsError AliasExistsException
 */
export async function settleAliases(tx: Transaction, pool: Pool, user: User, force = false): Promise<void> {
  const { UsernameAttributes: names = [], AliasAttributes: aliases = [] } = pool.settings;
  const settle = async (kind: string, value: string | undefined) => {
    const key = value === undefined ? undefined : keyOf(pool, value);
    const owner = key === undefined ? undefined : await aliasOwner(tx, pool.poolId, kind, key);
    if (owner !== undefined && owner !== user.key && !force) throw aliasExists(kind);
    await setAlias(tx, user, kind, key);
  };
  for (const kind of names) await settle(kind, user.attributes[kind]);
  for (const kind of aliases) {
    const isVerified = kind === "preferred_username" || user.attributes[`${kind}_verified`] === "true";
    const counts = isVerified && user.status !== "UNCONFIRMED";
    await settle(kind, counts ? user.attributes[kind] : undefined);
  }
}
