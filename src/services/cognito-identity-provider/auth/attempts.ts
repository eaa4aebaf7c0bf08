/** Counts what went wrong, so that neither passwords nor codes can be guessed. */
import type { Transaction } from "../../../store/database.ts";
import type { UserPools } from "../deps.ts";
import { notAuthorized, tooManyAttempts } from "../errors.ts";
import { ATTEMPT_WINDOW_MS, LOCKOUT_FORGET_MS, LOCKOUT_MS_MAX, PASSWORD_FAILURES_MAX } from "../limits.ts";
import { clearAttempts, getAttempts, setAttempts } from "../store/codes.ts";
import type { Attempts } from "../store/codes.ts";

const PASSWORD = "password";

/** Whose attempts are counted; users who are not there too, so that nobody can tell. */
export interface Subject {
  readonly poolId: string;
  readonly key: string;
}

/** How long after the last failure no password is taken, in milliseconds. */
export function lockoutMs(failures: number): number {
  if (failures < PASSWORD_FAILURES_MAX) return 0;
  return Math.min(1_000 * 2 ** (failures - PASSWORD_FAILURES_MAX), LOCKOUT_MS_MAX);
}

/**
 * @throws AwsError NotAuthorizedException while a user is locked out
 * @see https://docs.aws.amazon.com/cognito/latest/developerguide/authentication.html (lockout behavior)
 */
export async function checkLockout(
  { database, clock }: Pick<UserPools, "database" | "clock">,
  { poolId, key }: Subject,
): Promise<void> {
  const found = await getAttempts(database, poolId, key, PASSWORD);
  if (found && clock.now() < found.last_at + lockoutMs(found.attempts))
    throw notAuthorized("Password attempts exceeded");
}

export async function countWrongPassword(
  { database, clock }: Pick<UserPools, "database" | "clock">,
  { poolId, key }: Subject,
): Promise<void> {
  await database.tx(async (tx) => {
    const before = await getAttempts(tx, poolId, key, PASSWORD);
    await setAttempts(tx, poolId, key, PASSWORD, another(before, clock.now(), LOCKOUT_FORGET_MS, "last_at"));
  });
}

export async function forgetWrongPasswords(
  { database }: Pick<UserPools, "database">,
  { poolId, key }: Subject,
): Promise<void> {
  if (!(await getAttempts(database, poolId, key, PASSWORD))) return;
  await database.tx((tx) => clearAttempts(tx, poolId, key, PASSWORD));
}

/** @throws AwsError LimitExceededException where there have been too many within the window */
export async function checkAttempts(
  tx: Transaction,
  { poolId, key }: Subject,
  kind: string,
  now: number,
  max: number,
): Promise<void> {
  const found = await getAttempts(tx, poolId, key, kind);
  if (found && found.attempts >= max && now < found.first_at + ATTEMPT_WINDOW_MS) throw tooManyAttempts();
}

export async function countAttempt(
  tx: Transaction,
  { poolId, key }: Subject,
  kind: string,
  now: number,
): Promise<void> {
  const before = await getAttempts(tx, poolId, key, kind);
  await setAttempts(tx, poolId, key, kind, another(before, now, ATTEMPT_WINDOW_MS, "first_at"));
}

function another(
  before: Attempts | undefined,
  now: number,
  windowMs: number,
  from: "first_at" | "last_at",
): Attempts {
  if (!before || now >= before[from] + windowMs) return { attempts: 1, first_at: now, last_at: now };
  return { ...before, attempts: before.attempts + 1, last_at: now };
}
