/** The permissions boundaries of roles and users: Put…PermissionsBoundary and Delete…PermissionsBoundary. */
import type { Input, RequestContext } from "../../../aws/service.ts";
import type { Reader } from "../../../store/database.ts";
import { noSuchEntity } from "../errors.ts";
import { isAttachable, requireOwner } from "../owners.ts";
import { change } from "../state.ts";
import type { IamState } from "../state.ts";
import type { OwnerKind } from "../store-policies.ts";

type Client = typeof import("@aws-sdk/client-iam");

export async function putRolePermissionsBoundary(
  state: IamState,
  input: Input<Client, "PutRolePermissionsBoundary">,
  { account }: RequestContext,
): Promise<object> {
  await setBoundary(state, account, "role", input.RoleName, input.PermissionsBoundary ?? null);
  return {};
}

export async function putUserPermissionsBoundary(
  state: IamState,
  input: Input<Client, "PutUserPermissionsBoundary">,
  { account }: RequestContext,
): Promise<object> {
  await setBoundary(state, account, "user", input.UserName, input.PermissionsBoundary ?? null);
  return {};
}

export async function deleteRolePermissionsBoundary(
  state: IamState,
  input: Input<Client, "DeleteRolePermissionsBoundary">,
  { account }: RequestContext,
): Promise<object> {
  await setBoundary(state, account, "role", input.RoleName, null);
  return {};
}

export async function deleteUserPermissionsBoundary(
  state: IamState,
  input: Input<Client, "DeleteUserPermissionsBoundary">,
  { account }: RequestContext,
): Promise<object> {
  await setBoundary(state, account, "user", input.UserName, null);
  return {};
}

/** @throws AwsError NoSuchEntity where the policy does not exist. */
export async function checkBoundary(reader: Reader, account: string, arn: string): Promise<void> {
  if (!(await isAttachable(reader, account, arn)))
    throw noSuchEntity(`Scope ARN: ${arn} does not exist or is not attachable.`);
}

async function setBoundary(
  state: IamState,
  account: string,
  kind: OwnerKind,
  name: string | undefined,
  arn: string | null,
): Promise<void> {
  await change(state, async (tx) => {
    const owner = await requireOwner(tx, account, kind, name);
    if (arn !== null) await checkBoundary(tx, account, arn);
    else if (owner.boundaryArn === null)
      throw noSuchEntity(
        `${kind === "role" ? "Role" : "User"} ${name} does not have a permissions boundary.`,
      );
    await owner.update(tx, { boundary_arn: arn });
  });
}
