/** What a pool asks of passwords. */
import { randomInt } from "node:crypto";
import type { PasswordPolicyType } from "@aws-sdk/client-cognito-identity-provider";
import { invalidParameter, invalidPassword } from "../errors.ts";

export type PasswordPolicy = Readonly<{
  MinimumLength: number;
  RequireUppercase: boolean;
  RequireLowercase: boolean;
  RequireNumbers: boolean;
  RequireSymbols: boolean;
  TemporaryPasswordValidityDays: number;
  PasswordHistorySize?: number;
}>;

const LENGTH_DEFAULT = 8;
const LENGTH_MIN = 6;
export const TEMPORARY_DAYS_DEFAULT = 7;
const HISTORY_MAX = 24;
/** Those that count as symbols; a space within counts too. */
const SYMBOLS = "^$*.[]{}()?\"!@#%&/\\,><':;|_~`=+-";

const CLASSES = [
  ["RequireUppercase", /[A-Z]/, "uppercase"],
  ["RequireLowercase", /[a-z]/, "lowercase"],
  ["RequireNumbers", /[0-9]/, "numeric"],
  ["RequireSymbols", /[\^$*.[\]{}()?"!@#%&/\\,><':;|_~`=+-]|\S \S/, "symbol"],
] as const;

/** A pool that says nothing has the strict policy; one that says something leaves out what it does not say. */
export function passwordPolicy(asked: PasswordPolicyType | undefined): PasswordPolicy {
  const otherwise = asked === undefined;
  const { MinimumLength = LENGTH_DEFAULT, PasswordHistorySize } = asked ?? {};
  if (MinimumLength < LENGTH_MIN)
    throw invalidParameter(`Password policy minimum length must be at least ${LENGTH_MIN}.`);
  if (PasswordHistorySize !== undefined && PasswordHistorySize > HISTORY_MAX)
    throw invalidParameter(`Password history size must be at most ${HISTORY_MAX}.`);
  return {
    MinimumLength,
    RequireUppercase: asked?.RequireUppercase ?? otherwise,
    RequireLowercase: asked?.RequireLowercase ?? otherwise,
    RequireNumbers: asked?.RequireNumbers ?? otherwise,
    RequireSymbols: asked?.RequireSymbols ?? otherwise,
    TemporaryPasswordValidityDays: asked?.TemporaryPasswordValidityDays ?? TEMPORARY_DAYS_DEFAULT,
    ...(PasswordHistorySize !== undefined && { PasswordHistorySize }),
  };
}

/** @throws AwsError InvalidPasswordException */
export function checkPassword(policy: PasswordPolicy, password: string): void {
  if (password.length < policy.MinimumLength) throw unfit("Password not long enough");
  for (const [rule, pattern, what] of CLASSES)
    if (policy[rule] && !pattern.test(password)) throw unfit(`Password must have ${what} characters`);
  if (password !== password.trim()) throw unfit("Password must not begin or end with a space");
}

function unfit(why: string) {
  return invalidPassword(`Password did not conform with policy: ${why}`);
}

const drawn = (from: string) => from.charAt(randomInt(from.length));

/** A temporary password that the policy takes. */
export function newPassword(policy: PasswordPolicy): string {
  const sets = ["ABCDEFGHJKLMNPQRSTUVWXYZ", "abcdefghijkmnopqrstuvwxyz", "23456789", SYMBOLS];
  const characters = sets.map(drawn);
  const all = sets.slice(0, 3).join("");
  while (characters.length < Math.max(policy.MinimumLength, LENGTH_DEFAULT)) characters.push(drawn(all));
  for (let at = characters.length - 1; at > 0; at--) {
    const other = randomInt(at + 1);
    [characters[at], characters[other]] = [characters[other] ?? "", characters[at] ?? ""];
  }
  return characters.join("");
}
