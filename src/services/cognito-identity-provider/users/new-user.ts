/** A user who is about to be made. */
import type { UserPools } from "../deps.ts";
import type { Pool } from "../store/pools.ts";
import { withChanges } from "./attributes.ts";
import type { User, UserStatus } from "./user.ts";
import { keyOf, newUsername } from "./username.ts";

/** @param name As the request has it. @throws AwsError for a name that the pool does not take */
export function newUser(
  { clock, ids }: Pick<UserPools, "clock" | "ids">,
  pool: Pool,
  name: string,
  attributes: Readonly<Record<string, string>>,
  status: UserStatus,
): User {
  const sub = ids.uuid();
  const { username, attributes: told } = newUsername(pool, name, sub);
  const now = clock.now();
  return {
    poolId: pool.poolId,
    key: keyOf(pool, username),
    username,
    sub,
    status,
    enabled: true,
    createdAt: now,
    modifiedAt: now,
    attributes: attributesOf({ ...told, ...attributes }, status),
    credentials: {},
  };
}

/** Of those who sign up themselves it is told that their addresses are not verified yet; of others what is said of them. */
function attributesOf(given: Readonly<Record<string, string>>, status: UserStatus): Record<string, string> {
  if (status === "UNCONFIRMED") return { ...withChanges({}, given) };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ""));
}
