/** GetRole, ListRoles and ListInstanceProfilesForRole. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { requireRole } from "../owners.ts";
import { pageOf } from "../paging.ts";
import { toRole, toRoleSummary } from "../shapes.ts";
import type { IamState } from "../state.ts";
import { listRoles as allRoles } from "../store.ts";

type Client = typeof import("@aws-sdk/client-iam");

export async function getRole(
  state: IamState,
  input: Input<Client, "GetRole">,
  { account }: RequestContext,
): Promise<Output<Client, "GetRole">> {
  const role = await requireRole(state.database, account, input.RoleName);
  return { Role: { ...toRole(role), RoleLastUsed: {} } };
}

export async function listRoles(
  state: IamState,
  input: Input<Client, "ListRoles">,
  { account }: RequestContext,
): Promise<Output<Client, "ListRoles">> {
  const prefix = input.PathPrefix ?? "/";
  const roles = (await allRoles(state.database, account)).filter((role) => role.path.startsWith(prefix));
  const { items, truncation } = pageOf(roles, (role: { name_key: string }) => role.name_key, input);
  return { Roles: items.map(toRoleSummary), ...truncation };
}

/** Instance profiles cannot be made here, so no role has any; tools ask before they delete a role. */
export async function listInstanceProfilesForRole(
  state: IamState,
  input: Input<Client, "ListInstanceProfilesForRole">,
  { account }: RequestContext,
): Promise<Output<Client, "ListInstanceProfilesForRole">> {
  await requireRole(state.database, account, input.RoleName);
  return { InstanceProfiles: [], IsTruncated: false };
}
