/** Inline policies of roles and users: Put, Get, Delete and List. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { checkedDocument, limitExceeded, noSuchEntity } from "../errors.ts";
import { requireOwner } from "../owners.ts";
import { pageOf } from "../paging.ts";
import type { PageRequest } from "../paging.ts";
import { parseIdentityPolicy } from "../policy/index.ts";
import { documentSize, INLINE_CHARACTERS_MAX } from "../quotas.ts";
import { encodeDocument } from "../shapes.ts";
import { change } from "../state.ts";
import type { IamState } from "../state.ts";
import { deleteInline, getInline, listInline, putInline } from "../store-policies.ts";
import type { OwnerKind } from "../store-policies.ts";

type Client = typeof import("@aws-sdk/client-iam");

export async function putRolePolicy(
  state: IamState,
  input: Input<Client, "PutRolePolicy">,
  { account }: RequestContext,
): Promise<object> {
  await put(state, account, "role", input.RoleName, input.PolicyName ?? "", input.PolicyDocument ?? "");
  return {};
}

export async function putUserPolicy(
  state: IamState,
  input: Input<Client, "PutUserPolicy">,
  { account }: RequestContext,
): Promise<object> {
  await put(state, account, "user", input.UserName, input.PolicyName ?? "", input.PolicyDocument ?? "");
  return {};
}

export async function getRolePolicy(
  state: IamState,
  input: Input<Client, "GetRolePolicy">,
  { account }: RequestContext,
): Promise<Output<Client, "GetRolePolicy">> {
  const found = await get(state, account, "role", input.RoleName, input.PolicyName ?? "");
  return { RoleName: found.owner, PolicyName: found.name, PolicyDocument: found.document };
}

export async function getUserPolicy(
  state: IamState,
  input: Input<Client, "GetUserPolicy">,
  { account }: RequestContext,
): Promise<Output<Client, "GetUserPolicy">> {
  const found = await get(state, account, "user", input.UserName, input.PolicyName ?? "");
  return { UserName: found.owner, PolicyName: found.name, PolicyDocument: found.document };
}

export async function deleteRolePolicy(
  state: IamState,
  input: Input<Client, "DeleteRolePolicy">,
  { account }: RequestContext,
): Promise<object> {
  await remove(state, account, "role", input.RoleName, input.PolicyName ?? "");
  return {};
}

export async function deleteUserPolicy(
  state: IamState,
  input: Input<Client, "DeleteUserPolicy">,
  { account }: RequestContext,
): Promise<object> {
  await remove(state, account, "user", input.UserName, input.PolicyName ?? "");
  return {};
}

export async function listRolePolicies(
  state: IamState,
  input: Input<Client, "ListRolePolicies">,
  { account }: RequestContext,
): Promise<Output<Client, "ListRolePolicies">> {
  return list(state, account, "role", input.RoleName, input);
}

export async function listUserPolicies(
  state: IamState,
  input: Input<Client, "ListUserPolicies">,
  { account }: RequestContext,
): Promise<Output<Client, "ListUserPolicies">> {
  return list(state, account, "user", input.UserName, input);
}

async function put(
  state: IamState,
  account: string,
  kind: OwnerKind,
  ownerName: string | undefined,
  name: string,
  document: string,
): Promise<void> {
  await change(state, async (tx) => {
    const owner = await requireOwner(tx, account, kind, ownerName);
    checkedDocument(() => parseIdentityPolicy(document));
    const others = (await listInline(tx, owner.id)).filter((row) => row.name !== name);
    const size = others.reduce((sum, row) => sum + documentSize(row.document), documentSize(document));
    const max = INLINE_CHARACTERS_MAX[kind];
    if (size > max)
      throw limitExceeded(`Maximum policy size of ${max} bytes exceeded for ${kind} ${owner.name}`);
    await putInline(tx, owner.id, name, document);
  });
}

async function get(
  state: IamState,
  account: string,
  kind: OwnerKind,
  ownerName: string | undefined,
  name: string,
) {
  const owner = await requireOwner(state.database, account, kind, ownerName);
  const policy = await getInline(state.database, owner.id, name);
  if (!policy) throw noSuchInline(kind, name);
  return { owner: owner.name, name: policy.name, document: encodeDocument(policy.document) };
}

async function remove(
  state: IamState,
  account: string,
  kind: OwnerKind,
  ownerName: string | undefined,
  name: string,
): Promise<void> {
  await change(state, async (tx) => {
    const owner = await requireOwner(tx, account, kind, ownerName);
    if (!(await deleteInline(tx, owner.id, name))) throw noSuchInline(kind, name);
  });
}

async function list(
  state: IamState,
  account: string,
  kind: OwnerKind,
  ownerName: string | undefined,
  request: PageRequest,
) {
  const owner = await requireOwner(state.database, account, kind, ownerName);
  const names = (await listInline(state.database, owner.id)).map((row) => row.name);
  const { items, truncation } = pageOf(names, (name: string) => name, request);
  return { PolicyNames: [...items], ...truncation };
}

function noSuchInline(kind: OwnerKind, name: string) {
  return noSuchEntity(`The ${kind} policy with name ${name} cannot be found.`);
}
