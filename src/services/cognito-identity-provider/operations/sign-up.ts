/** Signing up: SignUp, ConfirmSignUp, ResendConfirmationCode, AdminConfirmSignUp. */
import { createHmac } from "node:crypto";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { withPassword } from "../auth/password.ts";
import { checkSecretHash } from "../clients/secret-hash.ts";
import { hidesUsers } from "../clients/settings.ts";
import type { Client, UserPools } from "../deps.ts";
import { AwsError } from "../../../aws/errors.ts";
import { codeExpired, invalidParameter, notAuthorized } from "../errors.ts";
import { sendCode, useCode } from "../messages/codes.ts";
import { deliveryDetails } from "../messages/message.ts";
import { clientWithPool, requirePool } from "../pools/lookup.ts";
import type { Pool } from "../store/pools.ts";
import { insertUser } from "../store/users.ts";
import { askingOf, callTrigger, flagOf } from "../triggers/call.ts";
import type { Asking, TriggerResponse } from "../triggers/call.ts";
import { checkAttributes, checkRequired, checkWritable } from "../users/attributes.ts";
import { tellConfirmed } from "../users/confirm.ts";
import { confirmationAddress } from "../users/deliver.ts";
import { editUser } from "../users/edit.ts";
import { newUser } from "../users/new-user.ts";
import { attributeRecord } from "../users/user.ts";
import type { User } from "../users/user.ts";
import { findUser, keyOf, requireFree, requireUser, settleAliases } from "../users/username.ts";

export async function signUp(
  userPools: UserPools,
  input: Input<Client, "SignUp">,
  context: Pick<RequestContext, "headers">,
): Promise<Output<Client, "SignUp">> {
  const { pool, client } = await clientWithPool(userPools, input.ClientId);
  const { Username = "", Password } = input;
  checkSecretHash(client, [Username], input.SecretHash);
  if (pool.settings.AdminCreateUserConfig?.AllowAdminCreateUserOnly === true)
    throw notAuthorized("SignUp is not permitted for this user pool");
  const given = attributeRecord(input.UserAttributes);
  checkWritable(client, Object.keys(given));
  const unconfirmed = newUser(userPools, pool, Username, given, "UNCONFIRMED");
  checkAttributes(pool, unconfirmed.attributes);
  checkRequired(pool, unconfirmed.attributes);
  if (Password === undefined) throw invalidParameter("Missing required parameter Password");
  const now = userPools.clock.now();
  const withOne = withPassword(pool, unconfirmed, Password, { temporary: false, now });
  await requireFree(userPools.database, pool, withOne);
  const asking = askingOf(context, input.ClientMetadata, client.clientId);
  const validationData = input.ValidationData && attributeRecord(input.ValidationData);
  const said = await askPreSignUp(userPools, pool, withOne, asking, "PreSignUp_SignUp", validationData);
  const user = withVerdict(withOne, said);
  await userPools.database.tx(async (tx) => {
    await requireFree(tx, pool, user);
    await insertUser(tx, user);
    await settleAliases(tx, pool, user);
  });
  if (user.status === "CONFIRMED") {
    await tellConfirmed(userPools, pool, user, asking, "PostConfirmation_ConfirmSignUp");
    return { UserConfirmed: true, UserSub: user.sub };
  }
  const to = confirmationAddress(pool, user);
  if (!to) return { UserConfirmed: false, UserSub: user.sub };
  const request = { purpose: "sign-up", source: "CustomMessage_SignUp", to } as const;
  const CodeDeliveryDetails = await sendCode(userPools, pool, user, asking, request);
  return { UserConfirmed: false, UserSub: user.sub, CodeDeliveryDetails };
}

/** What PreSignUp says of a user who is about to be made. */
export function askPreSignUp(
  userPools: UserPools,
  pool: Pool,
  user: User,
  asking: Asking,
  source: "PreSignUp_SignUp" | "PreSignUp_AdminCreateUser",
  validationData: Readonly<Record<string, string>> | undefined,
): Promise<TriggerResponse | undefined> {
  // Of whoever signs up nothing is verified, and nothing said of it.
  const userAttributes = Object.fromEntries(
    Object.entries(user.attributes).filter(
      ([name, value]) => !name.endsWith("_verified") || value === "true",
    ),
  );
  return callTrigger(userPools, pool, asking, {
    trigger: "PreSignUp",
    source,
    username: user.username,
    request: {
      userAttributes,
      validationData: validationData ?? null,
      clientMetadata: asking.clientMetadata,
    },
    response: { autoConfirmUser: false, autoVerifyEmail: false, autoVerifyPhone: false },
  });
}

function withVerdict(user: User, response: TriggerResponse | undefined): User {
  const verified: Record<string, string> = {};
  const flags = [
    ["autoVerifyEmail", "email"],
    ["autoVerifyPhone", "phone_number"],
  ] as const;
  for (const [flag, attribute] of flags) {
    if (!flagOf(response, flag)) continue;
    if (user.attributes[attribute] === undefined)
      throw new AwsError(
        "InvalidLambdaResponseException",
        `The user has no ${attribute}, which PreSignUp wants to be verified.`,
      );
    verified[`${attribute}_verified`] = "true";
  }
  const isConfirmed = flagOf(response, "autoConfirmUser");
  return {
    ...user,
    attributes: { ...user.attributes, ...verified },
    status: isConfirmed ? "CONFIRMED" : user.status,
  };
}

export async function confirmSignUp(
  userPools: UserPools,
  input: Input<Client, "ConfirmSignUp">,
  context: Pick<RequestContext, "headers">,
): Promise<Output<Client, "ConfirmSignUp">> {
  const { pool, client } = await clientWithPool(userPools, input.ClientId);
  const { Username = "", ConfirmationCode } = input;
  checkSecretHash(client, [Username], input.SecretHash);
  const user = await findUser(userPools.database, pool, Username);
  if (!user) throw hidesUsers(client.settings) ? codeExpired() : unknownCombination();
  requireUnconfirmed(user);
  const confirmed = await useCode(userPools, user, "sign-up", ConfirmationCode, async (tx, code) => {
    const changed = await editUser(tx, user, (current) => {
      requireUnconfirmed(current);
      const isSame = current.attributes[code.attribute] === code.value;
      const verified = isSame ? { [`${code.attribute}_verified`]: "true" } : {};
      return {
        ...current,
        status: "CONFIRMED",
        attributes: { ...current.attributes, ...verified },
        modifiedAt: userPools.clock.now(),
      };
    });
    await settleAliases(tx, pool, changed, input.ForceAliasCreation === true);
    return changed;
  });
  const asking = askingOf(context, input.ClientMetadata, client.clientId);
  await tellConfirmed(userPools, pool, confirmed, asking, "PostConfirmation_ConfirmSignUp");
  return {};
}

function requireUnconfirmed({ status }: User): void {
  if (status !== "UNCONFIRMED") throw notAuthorized(`User cannot be confirmed. Current status is ${status}`);
}

function unknownCombination(): AwsError {
  return new AwsError("UserNotFoundException", "Username/client id combination not found.");
}

export async function resendConfirmationCode(
  userPools: UserPools,
  input: Input<Client, "ResendConfirmationCode">,
  context: Pick<RequestContext, "headers">,
): Promise<Output<Client, "ResendConfirmationCode">> {
  const { pool, client } = await clientWithPool(userPools, input.ClientId);
  const { Username = "" } = input;
  checkSecretHash(client, [Username], input.SecretHash);
  const user = await findUser(userPools.database, pool, Username);
  if (!user) {
    if (!hidesUsers(client.settings)) throw unknownCombination();
    return { CodeDeliveryDetails: nobodysDelivery(pool, Username) };
  }
  if (user.status !== "UNCONFIRMED") throw invalidParameter("User is already confirmed.");
  const to = confirmationAddress(pool, user);
  if (!to) throw invalidParameter("Auto verification not turned on.");
  const asking = askingOf(context, input.ClientMetadata, client.clientId);
  const request = { purpose: "sign-up", source: "CustomMessage_ResendCode", to } as const;
  return { CodeDeliveryDetails: await sendCode(userPools, pool, user, asking, request) };
}

/** What an answer tells of a user who is not there: the same each time. */
export function nobodysDelivery(pool: Pool, username: string) {
  const digest = createHmac("sha256", pool.secret).update(keyOf(pool, username)).digest("hex");
  const letter = (at: number) => String.fromCharCode(97 + (parseInt(digest.slice(at, at + 2), 16) % 26));
  return deliveryDetails({ attribute: "email", value: `${letter(0)}@${letter(2)}` });
}

export async function adminConfirmSignUp(
  userPools: UserPools,
  input: Input<Client, "AdminConfirmSignUp">,
  context: RequestContext,
): Promise<object> {
  const pool = await requirePool(userPools.database, context, input.UserPoolId);
  const confirmed = await userPools.database.tx(async (tx) => {
    const user = await requireUser(tx, pool, input.Username);
    requireUnconfirmed(user);
    const now = userPools.clock.now();
    const changed = await editUser(tx, user, (current) => ({
      ...current,
      status: "CONFIRMED",
      modifiedAt: now,
    }));
    await settleAliases(tx, pool, changed);
    return changed;
  });
  const asking = askingOf(context, input.ClientMetadata);
  await tellConfirmed(userPools, pool, confirmed, asking, "PostConfirmation_ConfirmSignUp");
  return {};
}
