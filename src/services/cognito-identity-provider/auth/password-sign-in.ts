/** Sign-in by a password that the client sends: USER_PASSWORD_AUTH, its form for administrators, and the sign-in page. */
import { hidesUsers } from "../clients/settings.ts";
import { userNotConfirmed, userNotFound, wrongCredentials } from "../errors.ts";
import type { User } from "../users/user.ts";
import { findUser, keyOf } from "../users/username.ts";
import { checkLockout, countWrongPassword, forgetWrongPasswords } from "./attempts.ts";
import { afterPassword, preAuthenticate, requireAble } from "./completion.ts";
import type { Door, Outcome } from "./door.ts";
import { migrateUser } from "./migration.ts";
import { hasPassword } from "./password.ts";

/** @throws AwsError for whoever may not sign in */
export async function signInByPassword(door: Door, username: string, password: string): Promise<Outcome> {
  const { userPools, pool, client } = door;
  const found = await findUser(userPools.database, pool, username);
  const user = found ?? (await migrateUser(door, "UserMigration_Authentication", username, password));
  const subject = { poolId: pool.poolId, key: user?.key ?? keyOf(pool, username) };
  await checkLockout(userPools, subject);
  if (user) requireAble(user);
  if (user || hidesUsers(client.settings)) await preAuthenticate(door, user, username);
  if (!user) {
    await countWrongPassword(userPools, subject);
    throw hidesUsers(client.settings) ? wrongCredentials() : userNotFound();
  }
  await requirePassword(door, user, password);
  if (user.status === "UNCONFIRMED") throw userNotConfirmed();
  return afterPassword(door, user);
}

/** @throws AwsError NotAuthorizedException for a wrong password, which is counted, and while the user is locked out */
export async function requirePassword(
  { userPools }: Pick<Door, "userPools">,
  user: User,
  password: string,
): Promise<void> {
  if (!hasPassword(user, password)) {
    await countWrongPassword(userPools, user);
    throw wrongCredentials();
  }
  await forgetWrongPasswords(userPools, user);
}
