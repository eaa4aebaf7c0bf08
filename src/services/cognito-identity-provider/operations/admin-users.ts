/** What administrators do with users: read, list, change, enable, disable and delete. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, UserPools } from "../deps.ts";
import { invalidParameter } from "../errors.ts";
import { LIST_USERS_MAX, SCAN_USERS } from "../limits.ts";
import { readToken, writeToken } from "../paging.ts";
import { requirePool } from "../pools/lookup.ts";
import { endSessions } from "../store/sessions.ts";
import { deleteUserRows, listUserRows } from "../store/users.ts";
import { askingOf } from "../triggers/call.ts";
import { changeAttributes, removeAttributes } from "../users/change-attributes.ts";
import { editUser } from "../users/edit.ts";
import { readFilter } from "../users/filter.ts";
import { mfaOf } from "../users/factors.ts";
import { attributeList, attributeRecord } from "../users/user.ts";
import type { User } from "../users/user.ts";
import { requireUser } from "../users/username.ts";
import { describeUser } from "./admin-create-user.ts";

interface Named {
  readonly UserPoolId?: string | undefined;
  readonly Username?: string | undefined;
}

async function userOf({ database }: UserPools, input: Named, context: RequestContext): Promise<User> {
  const pool = await requirePool(database, context, input.UserPoolId);
  return requireUser(database, pool, input.Username);
}

export async function adminGetUser(
  userPools: UserPools,
  input: Input<Client, "AdminGetUser">,
  context: RequestContext,
): Promise<Output<Client, "AdminGetUser">> {
  const user = await userOf(userPools, input, context);
  const { Attributes: UserAttributes, ...described } = describeUser(user);
  return { ...described, UserAttributes, ...mfaOf(user) };
}

export async function adminGetUserAuthFactors(
  userPools: UserPools,
  input: Input<Client, "AdminGetUserAuthFactors">,
  context: RequestContext,
): Promise<Output<Client, "AdminGetUserAuthFactors">> {
  const user = await userOf(userPools, input, context);
  return {
    Username: user.username,
    ...mfaOf(user),
    ConfiguredUserAuthFactors: user.credentials.verifier ? ["PASSWORD"] : [],
  };
}

export async function adminUpdateUserAttributes(
  userPools: UserPools,
  input: Input<Client, "AdminUpdateUserAttributes">,
  context: RequestContext,
): Promise<object> {
  const pool = await requirePool(userPools.database, context, input.UserPoolId);
  const user = await requireUser(userPools.database, pool, input.Username);
  const asking = askingOf(context, input.ClientMetadata);
  await changeAttributes(userPools, pool, user, asking, attributeRecord(input.UserAttributes));
  return {};
}

export async function adminDeleteUserAttributes(
  userPools: UserPools,
  input: Input<Client, "AdminDeleteUserAttributes">,
  context: RequestContext,
): Promise<object> {
  const pool = await requirePool(userPools.database, context, input.UserPoolId);
  const user = await requireUser(userPools.database, pool, input.Username);
  await removeAttributes(userPools, pool, user, input.UserAttributeNames ?? []);
  return {};
}

async function setEnabled(
  userPools: UserPools,
  input: Named,
  context: RequestContext,
  enabled: boolean,
): Promise<object> {
  const user = await userOf(userPools, input, context);
  await userPools.database.tx(async (tx) => {
    await editUser(tx, user, (current) => ({
      ...current,
      enabled,
      modifiedAt: userPools.clock.now(),
    }));
    // Who is disabled is signed out too.
    if (!enabled) await endSessions(tx, user.poolId, user.key);
  });
  return {};
}

export const adminDisableUser = (
  userPools: UserPools,
  input: Input<Client, "AdminDisableUser">,
  context: RequestContext,
) => setEnabled(userPools, input, context, false);

export const adminEnableUser = (
  userPools: UserPools,
  input: Input<Client, "AdminEnableUser">,
  context: RequestContext,
) => setEnabled(userPools, input, context, true);

export async function adminDeleteUser(
  userPools: UserPools,
  input: Input<Client, "AdminDeleteUser">,
  context: RequestContext,
): Promise<object> {
  const user = await userOf(userPools, input, context);
  await userPools.database.tx((tx) => deleteUserRows(tx, user));
  return {};
}

export async function listUsers(
  { database }: UserPools,
  input: Input<Client, "ListUsers">,
  context: RequestContext,
): Promise<Output<Client, "ListUsers">> {
  const { Limit: limit = LIST_USERS_MAX, AttributesToGet: wanted, PaginationToken } = input;
  const pool = await requirePool(database, context, input.UserPoolId);
  checkWanted(wanted, pool.settings.schema);
  const matches = readFilter(input.Filter);
  const found: User[] = [];
  let after = readToken(PaginationToken);
  let isEnd = false;
  // A page is filled from as many users as it takes, read a few at a time.
  while (found.length < limit && !isEnd) {
    const rows = await listUserRows(database, pool.poolId, after, SCAN_USERS);
    isEnd = rows.length < SCAN_USERS;
    for (const user of rows) {
      if (found.length === limit) {
        isEnd = false;
        break;
      }
      after = user.key;
      if (matches(user)) found.push(user);
    }
  }
  const more = !isEnd && (await listUserRows(database, pool.poolId, after, 1)).length > 0;
  return {
    Users: found.map((user) => pick(user, wanted)),
    PaginationToken: more ? writeToken(after) : undefined,
  };
}

function checkWanted(wanted: readonly string[] = [], schema: readonly { readonly Name: string }[]): void {
  const unknown = wanted.find((name) => !schema.some((one) => one.Name === name));
  if (unknown !== undefined)
    throw invalidParameter(`One or more requested attributes do not exist: ${unknown}`);
}

function pick(user: User, wanted: readonly string[] | undefined) {
  const described = describeUser(user);
  if (!wanted?.length) return described;
  return { ...described, Attributes: attributeList(user).filter(({ Name }) => wanted.includes(Name)) };
}
