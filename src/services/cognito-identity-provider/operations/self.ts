/** What users do with themselves by their access token: read, change, verify and delete. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, UserPools } from "../deps.ts";
import { invalidParameter } from "../errors.ts";
import { sendCode, useCode } from "../messages/codes.ts";
import { deleteUserRows } from "../store/users.ts";
import { requireAccess } from "../tokens/access.ts";
import { askingOf } from "../triggers/call.ts";
import { checkWritable, mayRead } from "../users/attributes.ts";
import { changeAttributes, removeAttributes } from "../users/change-attributes.ts";
import { addressOf } from "../users/deliver.ts";
import { editUser } from "../users/edit.ts";
import { mfaOf, mfaOptionsOf } from "../users/factors.ts";
import { attributeList, attributeRecord } from "../users/user.ts";
import { settleAliases } from "../users/username.ts";

export async function getUser(
  userPools: UserPools,
  { AccessToken }: Input<Client, "GetUser">,
): Promise<Output<Client, "GetUser">> {
  const { user, client } = await requireAccess(userPools, AccessToken);
  return {
    Username: user.username,
    UserAttributes: attributeList(user).filter(({ Name }) => mayRead(client, Name)),
    ...mfaOf(user),
    ...mfaOptionsOf(user),
  };
}

export async function getUserAuthFactors(
  userPools: UserPools,
  { AccessToken }: Input<Client, "GetUserAuthFactors">,
): Promise<Output<Client, "GetUserAuthFactors">> {
  const { user } = await requireAccess(userPools, AccessToken);
  return {
    Username: user.username,
    ...mfaOf(user),
    ConfiguredUserAuthFactors: user.credentials.verifier ? ["PASSWORD"] : [],
  };
}

export async function updateUserAttributes(
  userPools: UserPools,
  input: Input<Client, "UpdateUserAttributes">,
  context: RequestContext,
): Promise<Output<Client, "UpdateUserAttributes">> {
  const { pool, client, user } = await requireAccess(userPools, input.AccessToken);
  const changes = attributeRecord(input.UserAttributes);
  checkWritable(client, Object.keys(changes));
  const asking = askingOf(context, input.ClientMetadata, client.clientId);
  return { CodeDeliveryDetailsList: await changeAttributes(userPools, pool, user, asking, changes) };
}

export async function deleteUserAttributes(
  userPools: UserPools,
  input: Input<Client, "DeleteUserAttributes">,
): Promise<object> {
  const { pool, client, user } = await requireAccess(userPools, input.AccessToken);
  const names = input.UserAttributeNames ?? [];
  checkWritable(client, names);
  await removeAttributes(userPools, pool, user, names);
  return {};
}

export async function deleteUser(
  userPools: UserPools,
  { AccessToken }: Input<Client, "DeleteUser">,
): Promise<object> {
  const { user } = await requireAccess(userPools, AccessToken);
  await userPools.database.tx((tx) => deleteUserRows(tx, user));
  return {};
}

function requireAddress(name = ""): "email" | "phone_number" {
  if (name !== "email" && name !== "phone_number")
    throw invalidParameter(`Invalid attribute name ${name}: only email and phone_number can be verified.`);
  return name;
}

export async function getUserAttributeVerificationCode(
  userPools: UserPools,
  input: Input<Client, "GetUserAttributeVerificationCode">,
  context: RequestContext,
): Promise<Output<Client, "GetUserAttributeVerificationCode">> {
  const { pool, client, user } = await requireAccess(userPools, input.AccessToken);
  const attribute = requireAddress(input.AttributeName);
  const to = addressOf(user, attribute);
  if (!to) throw invalidParameter(`User does not have a value for attribute ${attribute}.`);
  const asking = askingOf(context, input.ClientMetadata, client.clientId);
  const source = "CustomMessage_VerifyUserAttribute";
  const request = { purpose: `verify:${attribute}`, source, to } as const;
  return { CodeDeliveryDetails: await sendCode(userPools, pool, user, asking, request) };
}

export async function verifyUserAttribute(
  userPools: UserPools,
  { AccessToken, AttributeName, Code }: Input<Client, "VerifyUserAttribute">,
): Promise<object> {
  const { pool, user } = await requireAccess(userPools, AccessToken);
  const attribute = requireAddress(AttributeName);
  await useCode(userPools, user, `verify:${attribute}`, Code, async (tx, { value }) => {
    const changed = await editUser(tx, user, (current) => ({
      ...current,
      attributes: { ...current.attributes, [attribute]: value, [`${attribute}_verified`]: "true" },
      modifiedAt: userPools.clock.now(),
    }));
    await settleAliases(tx, pool, changed);
  });
  return {};
}
