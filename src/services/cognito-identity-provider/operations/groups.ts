/** Groups of users: CreateGroup, GetGroup, UpdateGroup, DeleteGroup, ListGroups, and who is in which. */
import { AwsError } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Reader } from "../../../store/database.ts";
import type { Client, UserPools } from "../deps.ts";
import { limitExceeded, notFound } from "../errors.ts";
import { GROUPS_PER_POOL_MAX, GROUPS_PER_USER_MAX, LIST_USERS_MAX } from "../limits.ts";
import { pageOf, readToken } from "../paging.ts";
import { requirePool } from "../pools/lookup.ts";
import {
  addMember,
  countGroups,
  deleteGroupRow,
  getGroup as findGroup,
  groupsOfUser,
  insertGroup,
  listGroupRows,
  listMembers,
  removeMember,
  updateGroupRow,
} from "../store/groups.ts";
import type { GroupRow } from "../store/groups.ts";
import { getUser } from "../store/users.ts";
import { requireUser } from "../users/username.ts";
import { describeUser } from "./admin-create-user.ts";

function describe(row: GroupRow) {
  return {
    GroupName: row.name,
    UserPoolId: row.pool_id,
    ...(row.description !== null && { Description: row.description }),
    ...(row.role_arn !== null && { RoleArn: row.role_arn }),
    ...(row.precedence !== null && { Precedence: row.precedence }),
    CreationDate: new Date(row.created_at),
    LastModifiedDate: new Date(row.modified_at),
  };
}

async function requireGroup(reader: Reader, poolId: string, name = ""): Promise<GroupRow> {
  const row = await findGroup(reader, poolId, name);
  if (!row) throw notFound("Group not found.");
  return row;
}

export async function createGroup(
  { clock, database }: UserPools,
  input: Input<Client, "CreateGroup">,
  context: RequestContext,
): Promise<Output<Client, "CreateGroup">> {
  const now = clock.now();
  return database.tx(async (tx) => {
    const { poolId } = await requirePool(tx, context, input.UserPoolId);
    const row: GroupRow = {
      pool_id: poolId,
      name: input.GroupName ?? "",
      description: input.Description ?? null,
      role_arn: input.RoleArn ?? null,
      precedence: input.Precedence ?? null,
      created_at: now,
      modified_at: now,
    };
    if (await findGroup(tx, poolId, row.name))
      throw new AwsError("GroupExistsException", "A group with the name already exists.");
    if ((await countGroups(tx, poolId)) >= GROUPS_PER_POOL_MAX)
      throw limitExceeded(`A user pool can have at most ${GROUPS_PER_POOL_MAX} groups.`);
    await insertGroup(tx, row);
    return { Group: describe(row) };
  });
}

export async function getGroup(
  { database }: UserPools,
  { UserPoolId, GroupName }: Input<Client, "GetGroup">,
  context: RequestContext,
): Promise<Output<Client, "GetGroup">> {
  const { poolId } = await requirePool(database, context, UserPoolId);
  return { Group: describe(await requireGroup(database, poolId, GroupName)) };
}

export async function updateGroup(
  { clock, database }: UserPools,
  input: Input<Client, "UpdateGroup">,
  context: RequestContext,
): Promise<Output<Client, "UpdateGroup">> {
  return database.tx(async (tx) => {
    const { poolId } = await requirePool(tx, context, input.UserPoolId);
    const before = await requireGroup(tx, poolId, input.GroupName);
    const row: GroupRow = {
      ...before,
      description: input.Description ?? before.description,
      role_arn: input.RoleArn ?? before.role_arn,
      precedence: input.Precedence ?? before.precedence,
      modified_at: clock.now(),
    };
    await updateGroupRow(tx, row);
    return { Group: describe(row) };
  });
}

export async function deleteGroup(
  { database }: UserPools,
  { UserPoolId, GroupName }: Input<Client, "DeleteGroup">,
  context: RequestContext,
): Promise<object> {
  await database.tx(async (tx) => {
    const { poolId } = await requirePool(tx, context, UserPoolId);
    const { name } = await requireGroup(tx, poolId, GroupName);
    await deleteGroupRow(tx, poolId, name);
  });
  return {};
}

export async function listGroups(
  { database }: UserPools,
  { UserPoolId, Limit = LIST_USERS_MAX, NextToken }: Input<Client, "ListGroups">,
  context: RequestContext,
): Promise<Output<Client, "ListGroups">> {
  const { poolId } = await requirePool(database, context, UserPoolId);
  const rows = await listGroupRows(database, poolId, readToken(NextToken), pageSize(Limit) + 1);
  const { items, token } = pageOf(rows, pageSize(Limit), ({ name }) => name);
  return { Groups: items.map(describe), NextToken: token };
}

/** Limit 0 stands for the most. */
function pageSize(limit: number): number {
  return limit === 0 ? LIST_USERS_MAX : limit;
}

export async function adminAddUserToGroup(
  { database }: UserPools,
  { UserPoolId, Username, GroupName }: Input<Client, "AdminAddUserToGroup">,
  context: RequestContext,
): Promise<object> {
  await database.tx(async (tx) => {
    const pool = await requirePool(tx, context, UserPoolId);
    const user = await requireUser(tx, pool, Username);
    const { name } = await requireGroup(tx, pool.poolId, GroupName);
    const groups = await groupsOfUser(tx, pool.poolId, user.key);
    if (groups.length >= GROUPS_PER_USER_MAX && !groups.some((group) => group.name === name))
      throw limitExceeded(`A user can be in at most ${GROUPS_PER_USER_MAX} groups.`);
    await addMember(tx, pool.poolId, name, user.key);
  });
  return {};
}

export async function adminRemoveUserFromGroup(
  { database }: UserPools,
  { UserPoolId, Username, GroupName }: Input<Client, "AdminRemoveUserFromGroup">,
  context: RequestContext,
): Promise<object> {
  await database.tx(async (tx) => {
    const pool = await requirePool(tx, context, UserPoolId);
    const user = await requireUser(tx, pool, Username);
    const { name } = await requireGroup(tx, pool.poolId, GroupName);
    await removeMember(tx, pool.poolId, name, user.key);
  });
  return {};
}

export async function adminListGroupsForUser(
  { database }: UserPools,
  input: Input<Client, "AdminListGroupsForUser">,
  context: RequestContext,
): Promise<Output<Client, "AdminListGroupsForUser">> {
  const pool = await requirePool(database, context, input.UserPoolId);
  const user = await requireUser(database, pool, input.Username);
  const limit = pageSize(input.Limit ?? 0);
  const after = readToken(input.NextToken);
  const groups = (await groupsOfUser(database, pool.poolId, user.key)).filter(({ name }) => name > after);
  const { items, token } = pageOf(groups, limit, ({ name }) => name);
  return { Groups: items.map(describe), NextToken: token };
}

export async function listUsersInGroup(
  { database }: UserPools,
  input: Input<Client, "ListUsersInGroup">,
  context: RequestContext,
): Promise<Output<Client, "ListUsersInGroup">> {
  const { poolId } = await requirePool(database, context, input.UserPoolId);
  const { name } = await requireGroup(database, poolId, input.GroupName);
  const limit = pageSize(input.Limit ?? 0);
  const keys = await listMembers(database, poolId, name, readToken(input.NextToken), limit + 1);
  const { items, token } = pageOf(keys, limit, (key) => key);
  const users = await Promise.all(items.map((key) => getUser(database, poolId, key)));
  return { Users: users.flatMap((user) => (user ? [describeUser(user)] : [])), NextToken: token };
}
