/** Managed policies attached to roles and users: Attach, Detach, ListAttached and ListEntitiesForPolicy. */
import { notImplemented } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { noSuchEntity } from "../errors.ts";
import { parseEntityArn } from "../arn.ts";
import { managedPolicy } from "../managed-policies.ts";
import { findPolicy, isAttachable, requireOwner } from "../owners.ts";
import { pageOf } from "../paging.ts";
import type { PageRequest } from "../paging.ts";
import { checkQuota } from "../quotas.ts";
import { change } from "../state.ts";
import type { IamState } from "../state.ts";
import { listRoles, listUsers } from "../store.ts";
import { deleteAttachment, insertAttachment, listAttached, listAttachmentOwners } from "../store-policies.ts";
import type { OwnerKind } from "../store-policies.ts";

type Client = typeof import("@aws-sdk/client-iam");

export async function attachRolePolicy(
  state: IamState,
  input: Input<Client, "AttachRolePolicy">,
  { account }: RequestContext,
): Promise<object> {
  await attach(state, account, "role", input.RoleName, input.PolicyArn ?? "");
  return {};
}

export async function attachUserPolicy(
  state: IamState,
  input: Input<Client, "AttachUserPolicy">,
  { account }: RequestContext,
): Promise<object> {
  await attach(state, account, "user", input.UserName, input.PolicyArn ?? "");
  return {};
}

export async function detachRolePolicy(
  state: IamState,
  input: Input<Client, "DetachRolePolicy">,
  { account }: RequestContext,
): Promise<object> {
  await detach(state, account, "role", input.RoleName, input.PolicyArn ?? "");
  return {};
}

export async function detachUserPolicy(
  state: IamState,
  input: Input<Client, "DetachUserPolicy">,
  { account }: RequestContext,
): Promise<object> {
  await detach(state, account, "user", input.UserName, input.PolicyArn ?? "");
  return {};
}

export async function listAttachedRolePolicies(
  state: IamState,
  input: Input<Client, "ListAttachedRolePolicies">,
  { account }: RequestContext,
): Promise<Output<Client, "ListAttachedRolePolicies">> {
  return list(state, account, "role", input.RoleName, input);
}

export async function listAttachedUserPolicies(
  state: IamState,
  input: Input<Client, "ListAttachedUserPolicies">,
  { account }: RequestContext,
): Promise<Output<Client, "ListAttachedUserPolicies">> {
  return list(state, account, "user", input.UserName, input);
}

/** Roles and users that a policy is attached to, or that it bounds. */
export async function listEntitiesForPolicy(
  state: IamState,
  input: Input<Client, "ListEntitiesForPolicy">,
  { account }: RequestContext,
): Promise<Output<Client, "ListEntitiesForPolicy">> {
  const arn = input.PolicyArn ?? "";
  const reader = state.database;
  if (input.EntityFilter !== undefined && !["User", "Role"].includes(input.EntityFilter))
    throw notImplemented(`EntityFilter ${input.EntityFilter} of ListEntitiesForPolicy`);
  if (!managedPolicy(arn) && !(await findPolicy(reader, account, arn)))
    throw noSuchEntity(`Policy ${arn} was not found.`);
  const attached = new Set((await listAttachmentOwners(reader, account, arn)).map((row) => row.owner_id));
  const bounds = input.PolicyUsageFilter === "PermissionsBoundary";
  const isUser = (id: string, boundary: string | null) => (bounds ? boundary === arn : attached.has(id));
  const prefix = input.PathPrefix ?? "/";
  const entities = [
    ...(input.EntityFilter === "User" ? [] : await listRoles(reader, account))
      .filter((row) => isUser(row.role_id, row.boundary_arn))
      .map((row) => ({ kind: "role" as const, id: row.role_id, name: row.name, path: row.path })),
    ...(input.EntityFilter === "Role" ? [] : await listUsers(reader, account))
      .filter((row) => isUser(row.user_id, row.boundary_arn))
      .map((row) => ({ kind: "user" as const, id: row.user_id, name: row.name, path: row.path })),
  ].filter((entity) => entity.path.startsWith(prefix));
  const { items, truncation } = pageOf(
    entities,
    (entity: { kind: string; name: string }) => `${entity.kind}/${entity.name}`,
    input,
  );
  return {
    PolicyGroups: [],
    PolicyRoles: items
      .filter((one) => one.kind === "role")
      .map((one) => ({ RoleName: one.name, RoleId: one.id })),
    PolicyUsers: items
      .filter((one) => one.kind === "user")
      .map((one) => ({ UserName: one.name, UserId: one.id })),
    ...truncation,
  };
}

async function attach(
  state: IamState,
  account: string,
  kind: OwnerKind,
  ownerName: string | undefined,
  arn: string,
): Promise<void> {
  await change(state, async (tx) => {
    const owner = await requireOwner(tx, account, kind, ownerName);
    if (!(await isAttachable(tx, account, arn)))
      throw noSuchEntity(`Policy ${arn} does not exist or is not attachable.`);
    const others = (await listAttached(tx, owner.id)).filter((row) => row.policy_arn !== arn);
    checkQuota(kind === "role" ? "PoliciesPerRole" : "PoliciesPerUser", others.length + 1);
    await insertAttachment(tx, {
      account,
      policy_arn: arn,
      owner_id: owner.id,
      owner_kind: kind,
      attached_at: state.clock.now(),
    });
  });
}

async function detach(
  state: IamState,
  account: string,
  kind: OwnerKind,
  ownerName: string | undefined,
  arn: string,
): Promise<void> {
  await change(state, async (tx) => {
    const owner = await requireOwner(tx, account, kind, ownerName);
    if (!(await deleteAttachment(tx, owner.id, arn))) throw noSuchEntity(`Policy ${arn} was not found.`);
  });
}

async function list(
  state: IamState,
  account: string,
  kind: OwnerKind,
  ownerName: string | undefined,
  request: PageRequest & { readonly PathPrefix?: string | undefined },
) {
  const owner = await requireOwner(state.database, account, kind, ownerName);
  const prefix = request.PathPrefix ?? "/";
  const attached = (await listAttached(state.database, owner.id))
    .map((row) => ({ PolicyArn: row.policy_arn, ...nameOf(row.policy_arn) }))
    .filter((policy) => policy.path.startsWith(prefix));
  const { items, truncation } = pageOf(
    attached,
    (policy: { PolicyArn: string }) => policy.PolicyArn,
    request,
  );
  return {
    AttachedPolicies: items.map(({ PolicyArn, PolicyName }) => ({ PolicyName, PolicyArn })),
    ...truncation,
  };
}

function nameOf(arn: string): { PolicyName: string; path: string } {
  const entity = managedPolicy(arn) ?? parseEntityArn(arn);
  return { PolicyName: entity?.name ?? arn, path: entity?.path ?? "/" };
}
