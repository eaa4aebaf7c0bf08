/** Passwords: ForgotPassword, ConfirmForgotPassword, ChangePassword, AdminSetUserPassword, AdminResetUserPassword. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { checkLockout } from "../auth/attempts.ts";
import type { Door } from "../auth/door.ts";
import { migrateUser } from "../auth/migration.ts";
import { requirePassword } from "../auth/password-sign-in.ts";
import { withPassword } from "../auth/password.ts";
import { checkSecretHash } from "../clients/secret-hash.ts";
import { hidesUsers } from "../clients/settings.ts";
import type { Client, UserPools } from "../deps.ts";
import { codeExpired, invalidParameter, notAuthorized, userNotFound } from "../errors.ts";
import { sendCode, useCode } from "../messages/codes.ts";
import type { Destination } from "../messages/message.ts";
import { clientWithPool, requirePool } from "../pools/lookup.ts";
import type { Pool } from "../store/pools.ts";
import { clearAttempts } from "../store/codes.ts";
import { requireAccess } from "../tokens/access.ts";
import { askingOf } from "../triggers/call.ts";
import { tellConfirmed } from "../users/confirm.ts";
import { recoveryAddress } from "../users/deliver.ts";
import { editUser } from "../users/edit.ts";
import type { User } from "../users/user.ts";
import { findUser, requireUser } from "../users/username.ts";
import { nobodysDelivery } from "./sign-up.ts";

const FORGOT = { purpose: "forgot-password", source: "CustomMessage_ForgotPassword" } as const;

export async function forgotPassword(
  userPools: UserPools,
  input: Input<Client, "ForgotPassword">,
  context: Pick<RequestContext, "headers">,
): Promise<Output<Client, "ForgotPassword">> {
  const { pool, client } = await clientWithPool(userPools, input.ClientId);
  const { Username = "", ClientMetadata } = input;
  checkSecretHash(client, [Username], input.SecretHash);
  const asking = askingOf(context, ClientMetadata, client.clientId);
  const door: Door = { userPools, pool, client, asking: { ...asking, validationData: ClientMetadata } };
  const user =
    (await findUser(userPools.database, pool, Username)) ??
    (await migrateUser(door, "UserMigration_ForgotPassword", Username));
  if (!user) {
    if (!hidesUsers(client.settings)) throw userNotFound();
    return { CodeDeliveryDetails: nobodysDelivery(pool, Username) };
  }
  if (!user.enabled) throw notAuthorized("User is disabled.");
  if (user.status === "FORCE_CHANGE_PASSWORD")
    throw notAuthorized("User password cannot be reset in the current state.");
  const request = { ...FORGOT, to: requireRecovery(pool, user) };
  return { CodeDeliveryDetails: await sendCode(userPools, pool, user, asking, request) };
}

function requireRecovery(pool: Pool, user: User): Destination {
  const to = recoveryAddress(pool, user);
  if (to === "admin_only") throw notAuthorized("Contact administrator to reset password.");
  if (!to)
    throw invalidParameter(
      "Cannot reset password for the user as there is no registered/verified email or phone_number",
    );
  return to;
}

export async function confirmForgotPassword(
  userPools: UserPools,
  input: Input<Client, "ConfirmForgotPassword">,
  context: Pick<RequestContext, "headers">,
): Promise<object> {
  const { pool, client } = await clientWithPool(userPools, input.ClientId);
  const { Username = "", ConfirmationCode, Password = "" } = input;
  checkSecretHash(client, [Username], input.SecretHash);
  const user = await findUser(userPools.database, pool, Username);
  if (!user) throw hidesUsers(client.settings) ? codeExpired() : userNotFound();
  const now = userPools.clock.now();
  const changed = await useCode(userPools, user, FORGOT.purpose, ConfirmationCode, async (tx) => {
    await clearAttempts(tx, user.poolId, user.key, "password");
    return editUser(tx, user, (current) => ({
      ...withPassword(pool, current, Password, { temporary: false, now }),
      status: "CONFIRMED",
      modifiedAt: now,
    }));
  });
  const asking = askingOf(context, input.ClientMetadata, client.clientId);
  await tellConfirmed(userPools, pool, changed, asking, "PostConfirmation_ConfirmForgotPassword");
  return {};
}

export async function changePassword(
  userPools: UserPools,
  input: Input<Client, "ChangePassword">,
): Promise<object> {
  const { pool, user } = await requireAccess(userPools, input.AccessToken);
  await checkLockout(userPools, user);
  if (input.PreviousPassword === undefined)
    throw invalidParameter("Missing required parameter PreviousPassword");
  await requirePassword({ userPools }, user, input.PreviousPassword);
  const now = userPools.clock.now();
  await userPools.database.tx((tx) =>
    editUser(tx, user, (current) => ({
      ...withPassword(pool, current, input.ProposedPassword ?? "", { temporary: false, now }),
      modifiedAt: now,
    })),
  );
  return {};
}

export async function adminSetUserPassword(
  { clock, database }: UserPools,
  { UserPoolId, Username, Password = "", Permanent = false }: Input<Client, "AdminSetUserPassword">,
  context: RequestContext,
): Promise<object> {
  const pool = await requirePool(database, context, UserPoolId);
  const now = clock.now();
  await database.tx(async (tx) => {
    const user = await requireUser(tx, pool, Username);
    await clearAttempts(tx, user.poolId, user.key, "password");
    await editUser(tx, user, (current) => ({
      ...withPassword(pool, current, Password, { temporary: !Permanent, now }),
      status: Permanent ? "CONFIRMED" : "FORCE_CHANGE_PASSWORD",
      modifiedAt: now,
    }));
  });
  return {};
}

/** The user gets a code, and signs in no more before they have set another password by it. */
export async function adminResetUserPassword(
  userPools: UserPools,
  input: Input<Client, "AdminResetUserPassword">,
  context: RequestContext,
): Promise<object> {
  const { database, clock } = userPools;
  const pool = await requirePool(database, context, input.UserPoolId);
  const user = await requireUser(database, pool, input.Username);
  if (user.status !== "CONFIRMED" && user.status !== "RESET_REQUIRED")
    throw notAuthorized("User password cannot be reset in the current state.");
  const to = recoveryAddress(
    { ...pool, settings: { ...pool.settings, AccountRecoverySetting: undefined } },
    user,
  );
  if (!to || to === "admin_only")
    throw invalidParameter(
      "Cannot reset password for the user as there is no registered/verified email or phone_number",
    );
  const asking = askingOf(context, input.ClientMetadata);
  await sendCode(userPools, pool, user, asking, { ...FORGOT, to });
  await database.tx((tx) =>
    editUser(tx, user, (current) => ({ ...current, status: "RESET_REQUIRED", modifiedAt: clock.now() })),
  );
  return {};
}
