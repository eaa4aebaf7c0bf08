/** Roles and users as the owners of policies, tags and boundaries: what the operations on both have in common. */
import type { Principal } from "../../aws/service.ts";
import type { Reader, Transaction } from "../../store/database.ts";
import { noSuchEntity, validationError } from "./errors.ts";
import { managedPolicy } from "./managed-policies.ts";
import { parseEntityArn } from "./arn.ts";
import { getRole, getUser, getUserById, updateRole, updateUser } from "./store.ts";
import type { RoleRow, UserRow } from "./store.ts";
import { getPolicy } from "./store-policies.ts";
import type { OwnerKind, PolicyRow } from "./store-policies.ts";

/** @throws AwsError NoSuchEntity */
export async function requireRole(
  reader: Reader,
  account: string,
  name: string | undefined,
): Promise<RoleRow> {
  const role = await getRole(reader, account, name ?? "");
  if (!role) throw noSuchEntity(`The role with name ${name} cannot be found.`);
  return role;
}

/** @throws AwsError NoSuchEntity */
export async function requireUser(
  reader: Reader,
  account: string,
  name: string | undefined,
): Promise<UserRow> {
  const user = await getUser(reader, account, name ?? "");
  if (!user) throw noSuchEntity(`The user with name ${name} cannot be found.`);
  return user;
}

/** The named user, or the calling one; undefined for the account's root calling for itself. */
export async function userOrCaller(
  reader: Reader,
  principal: Principal,
  name: string | undefined,
): Promise<UserRow | undefined> {
  if (name !== undefined) return requireUser(reader, principal.account, name);
  if (principal.type === "root") return undefined;
  const user = principal.type === "user" ? await getUserById(reader, principal.userId) : undefined;
  if (!user) throw validationError("Must specify userName when calling with non-User credentials");
  return user;
}

export interface Owner {
  readonly kind: OwnerKind;
  readonly id: string;
  readonly name: string;
  readonly account: string;
  readonly boundaryArn: string | null;
  readonly tags: string;
  /** Writes what these operations change. */
  update(tx: Transaction, changed: { boundary_arn?: string | null; tags?: string }): Promise<void>;
}

/** @throws AwsError NoSuchEntity */
export async function requireOwner(
  reader: Reader,
  account: string,
  kind: OwnerKind,
  name: string | undefined,
): Promise<Owner> {
  if (kind === "role") {
    const row = await requireRole(reader, account, name);
    return {
      kind,
      id: row.role_id,
      name: row.name,
      account,
      boundaryArn: row.boundary_arn,
      tags: row.tags,
      update: (tx, changed) => updateRole(tx, { ...row, ...changed }),
    };
  }
  const row = await requireUser(reader, account, name);
  return {
    kind,
    id: row.user_id,
    name: row.name,
    account,
    boundaryArn: row.boundary_arn,
    tags: row.tags,
    update: (tx, changed) => updateUser(tx, { ...row, ...changed }),
  };
}

/** Whether a caller in `account` may attach the policy of this ARN: AWS's, or one of the account's own. */
export async function isAttachable(reader: Reader, account: string, arn: string): Promise<boolean> {
  return managedPolicy(arn) !== undefined || (await findPolicy(reader, account, arn)) !== undefined;
}

/** A customer-managed policy of the account by its ARN. */
export async function findPolicy(
  reader: Reader,
  account: string,
  arn: string,
): Promise<PolicyRow | undefined> {
  const entity = parseEntityArn(arn);
  if (entity?.kind !== "policy" || entity.account !== account) return undefined;
  const policy = await getPolicy(reader, account, entity.name);
  return policy?.path === entity.path ? policy : undefined;
}
