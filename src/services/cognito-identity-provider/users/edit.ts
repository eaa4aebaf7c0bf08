/** Changes a user from what they are now, so that what others change meanwhile is not undone. */
import type { Transaction } from "../../../store/database.ts";
import { userNotFound } from "../errors.ts";
import { getUser, updateUser } from "../store/users.ts";
import type { User } from "./user.ts";

/** @throws AwsError UserNotFoundException for a user who is gone */
export async function editUser(
  tx: Transaction,
  { poolId, key }: Pick<User, "poolId" | "key">,
  change: (current: User) => User,
): Promise<User> {
  const current = await getUser(tx, poolId, key);
  if (!current) throw userNotFound();
  const changed = change(current);
  await updateUser(tx, changed);
  return changed;
}
