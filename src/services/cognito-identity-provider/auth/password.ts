/** Sets and checks passwords. */
import { AwsError } from "../../../aws/errors.ts";
import { checkPassword } from "../pools/password-policy.ts";
import type { Pool } from "../store/pools.ts";
import type { User } from "../users/user.ts";
import { isPasswordOf, makeVerifier } from "./srp.ts";

const DAY_MS = 86_400_000;

/** What SRP calls a pool: what follows the underscore in its id. */
export function srpPoolName(poolId: string): string {
  return poolId.slice(poolId.indexOf("_") + 1);
}

export function hasPassword({ poolId, username, credentials }: User, password: string): boolean {
  const { verifier } = credentials;
  return verifier !== undefined && isPasswordOf(verifier, srpPoolName(poolId), username, password);
}

/**
 * A user with another password. @param options.temporary That is to be changed at the next sign-in, and ends after the policy's days.
 * @param options.unchecked Whatever the policy says.
 * @throws AwsError for one that the policy does not take
 */
export function withPassword(
  { settings: { passwordPolicy: policy } }: Pool,
  user: User,
  password: string,
  options: { readonly temporary: boolean; readonly now: number; readonly unchecked?: boolean },
): User {
  const { temporary, now, unchecked = false } = options;
  if (!unchecked) checkPassword(policy, password);
  const poolName = srpPoolName(user.poolId);
  const { PasswordHistorySize: kept = 0, TemporaryPasswordValidityDays: days } = policy;
  const { verifier, earlier = [], temporaryUntil: _ended, ...rest } = user.credentials;
  const known = [...(verifier ? [verifier] : []), ...earlier].slice(0, kept);
  if (!temporary && known.some((one) => isPasswordOf(one, poolName, user.username, password)))
    throw new AwsError(
      "PasswordHistoryPolicyViolationException",
      "Password has previously been used, please choose another one.",
    );
  return {
    ...user,
    credentials: {
      ...rest,
      verifier: makeVerifier(poolName, user.username, password),
      ...(known.length > 0 && { earlier: known }),
      ...(temporary && { temporaryUntil: now + days * DAY_MS }),
    },
  };
}
