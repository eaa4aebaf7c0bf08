/** CreateUser, GetUser, ListUsers, UpdateUser, DeleteUser and ListGroupsForUser. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { alreadyExists, deleteConflict } from "../errors.ts";
import { requireUser, userOrCaller } from "../owners.ts";
import { pageOf } from "../paging.ts";
import { checkQuota } from "../quotas.ts";
import { toUser, toUserSummary } from "../shapes.ts";
import { change } from "../state.ts";
import type { IamState } from "../state.ts";
import {
  countUsers,
  deleteUser as deleteRow,
  getUser as findUser,
  insertUser,
  listUsers as allUsers,
  updateUser as writeUser,
} from "../store.ts";
import type { UserRow } from "../store.ts";
import { listKeys } from "../store-keys.ts";
import { listAttached, listInline } from "../store-policies.ts";
import { withTags } from "../tags.ts";
import { uniqueId } from "../unique-id.ts";
import { checkBoundary } from "./permissions-boundary.ts";

type Client = typeof import("@aws-sdk/client-iam");

export async function createUser(
  state: IamState,
  input: Input<Client, "CreateUser">,
  { account }: RequestContext,
): Promise<Output<Client, "CreateUser">> {
  const name = input.UserName ?? "";
  const user: UserRow = {
    account,
    name_key: name.toLowerCase(),
    name,
    path: input.Path ?? "/",
    user_id: uniqueId("AIDA", state.ids),
    boundary_arn: input.PermissionsBoundary ?? null,
    tags: withTags("{}", input.Tags),
    created_at: state.clock.now(),
  };
  await change(state, async (tx) => {
    if (user.boundary_arn !== null) await checkBoundary(tx, account, user.boundary_arn);
    if (await findUser(tx, account, name)) throw alreadyExists(`User with name ${name} already exists.`);
    checkQuota("UsersPerAccount", (await countUsers(tx, account)) + 1);
    await insertUser(tx, user);
  });
  return { User: toUser(user) };
}

/** Without a name, the caller: a user, or the account's root. */
export async function getUser(
  state: IamState,
  input: Input<Client, "GetUser">,
  { account, principal }: RequestContext,
): Promise<Output<Client, "GetUser">> {
  const user = await userOrCaller(state.database, principal, input.UserName);
  if (user) return { User: toUser(user) };
  // The root has neither name nor path; accounts are not created here, so theirs is no date either.
  const CreateDate = new Date(0);
  return {
    User: { Path: undefined, UserName: undefined, UserId: account, Arn: principal.arn, CreateDate },
  };
}

export async function listUsers(
  state: IamState,
  input: Input<Client, "ListUsers">,
  { account }: RequestContext,
): Promise<Output<Client, "ListUsers">> {
  const prefix = input.PathPrefix ?? "/";
  const users = (await allUsers(state.database, account)).filter((user) => user.path.startsWith(prefix));
  const { items, truncation } = pageOf(users, (user: { name_key: string }) => user.name_key, input);
  return { Users: items.map(toUserSummary), ...truncation };
}

export async function updateUser(
  state: IamState,
  input: Input<Client, "UpdateUser">,
  { account }: RequestContext,
): Promise<object> {
  await change(state, async (tx) => {
    const user = await requireUser(tx, account, input.UserName);
    const name = input.NewUserName ?? user.name;
    const other = await findUser(tx, account, name);
    if (other && other.user_id !== user.user_id)
      throw alreadyExists(`User with name ${name} already exists.`);
    await writeUser(tx, { ...user, name, name_key: name.toLowerCase(), path: input.NewPath ?? user.path });
  });
  return {};
}

export async function deleteUser(
  state: IamState,
  input: Input<Client, "DeleteUser">,
  { account }: RequestContext,
): Promise<object> {
  await change(state, async (tx) => {
    const user = await requireUser(tx, account, input.UserName);
    if ((await listAttached(tx, user.user_id)).length > 0)
      throw deleteConflict("Cannot delete entity, must detach all policies first.");
    if ((await listInline(tx, user.user_id)).length > 0)
      throw deleteConflict("Cannot delete entity, must delete policies first.");
    if ((await listKeys(tx, account, user.user_id)).length > 0)
      throw deleteConflict("Cannot delete entity, must delete access keys first.");
    await deleteRow(tx, user.user_id);
  });
  return {};
}

/** Groups cannot be made here, so nobody is in one; tools ask before they delete a user. */
export async function listGroupsForUser(
  state: IamState,
  input: Input<Client, "ListGroupsForUser">,
  { account }: RequestContext,
): Promise<Output<Client, "ListGroupsForUser">> {
  await requireUser(state.database, account, input.UserName);
  return { Groups: [], IsTruncated: false };
}
