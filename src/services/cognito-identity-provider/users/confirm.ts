/** Confirms users, and says so to the trigger. */
import type { UserPools } from "../deps.ts";
import type { Pool } from "../store/pools.ts";
import { callTrigger, eventAttributes } from "../triggers/call.ts";
import type { Asking } from "../triggers/call.ts";
import type { User } from "./user.ts";

/** What follows a confirmation that is already kept: an error of the trigger does not undo it, as on AWS. */
export async function tellConfirmed(
  userPools: UserPools,
  pool: Pool,
  user: User,
  asking: Asking,
  source: "PostConfirmation_ConfirmSignUp" | "PostConfirmation_ConfirmForgotPassword",
): Promise<void> {
  await callTrigger(userPools, pool, asking, {
    trigger: "PostConfirmation",
    source,
    username: user.username,
    request: { userAttributes: eventAttributes(pool, user), clientMetadata: asking.clientMetadata },
    response: {},
  });
}
