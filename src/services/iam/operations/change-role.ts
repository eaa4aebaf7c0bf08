/** UpdateRole, UpdateRoleDescription, UpdateAssumeRolePolicy and DeleteRole. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { deleteConflict } from "../errors.ts";
import { requireRole } from "../owners.ts";
import { toRoleSummary } from "../shapes.ts";
import { change } from "../state.ts";
import type { IamState } from "../state.ts";
import { deleteRole as deleteRow, updateRole as writeRole } from "../store.ts";
import { listAttached, listInline } from "../store-policies.ts";
import { checkTrustPolicy } from "./create-role.ts";

type Client = typeof import("@aws-sdk/client-iam");

export async function updateRole(
  state: IamState,
  input: Input<Client, "UpdateRole">,
  { account }: RequestContext,
): Promise<object> {
  await change(state, async (tx) => {
    const role = await requireRole(tx, account, input.RoleName);
    await writeRole(tx, {
      ...role,
      description: input.Description ?? role.description,
      max_session_seconds: input.MaxSessionDuration ?? role.max_session_seconds,
    });
  });
  return {};
}

export async function updateRoleDescription(
  state: IamState,
  input: Input<Client, "UpdateRoleDescription">,
  { account }: RequestContext,
): Promise<Output<Client, "UpdateRoleDescription">> {
  const role = await change(state, async (tx) => {
    const changed = {
      ...(await requireRole(tx, account, input.RoleName)),
      description: input.Description ?? null,
    };
    await writeRole(tx, changed);
    return changed;
  });
  return { Role: toRoleSummary(role) };
}

export async function updateAssumeRolePolicy(
  state: IamState,
  input: Input<Client, "UpdateAssumeRolePolicy">,
  { account }: RequestContext,
): Promise<object> {
  const document = input.PolicyDocument ?? "";
  await change(state, async (tx) => {
    const role = await requireRole(tx, account, input.RoleName);
    await checkTrustPolicy(tx, account, document);
    await writeRole(tx, { ...role, trust_policy: document });
  });
  return {};
}

/** Sessions of the role end with it. */
export async function deleteRole(
  state: IamState,
  input: Input<Client, "DeleteRole">,
  { account }: RequestContext,
): Promise<object> {
  await change(state, async (tx) => {
    const role = await requireRole(tx, account, input.RoleName);
    if ((await listAttached(tx, role.role_id)).length > 0)
      throw deleteConflict("Cannot delete entity, must detach all policies first.");
    if ((await listInline(tx, role.role_id)).length > 0)
      throw deleteConflict("Cannot delete entity, must delete policies first.");
    await deleteRow(tx, role.role_id);
  });
  return {};
}
