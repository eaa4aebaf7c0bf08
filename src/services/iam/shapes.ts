/** Rows in the shapes that IAM answers. */
import type { Role, User } from "@aws-sdk/client-iam";
import { roleArn, userArn } from "./arn.ts";
import type { RoleRow, UserRow } from "./store.ts";
import { toTags } from "./tags.ts";

/** Documents are answered percent-encoded by RFC 3986. */
export function encodeDocument(document: string): string {
  return encodeURIComponent(document).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** IAM's times have whole seconds. */
export function toDate(milliseconds: number): Date {
  return new Date(Math.floor(milliseconds / 1_000) * 1_000);
}

/** What ListRoles answers of a role; GetRole adds more with {@link toRole}. */
export function toRoleSummary(row: RoleRow): Role {
  return {
    Path: row.path,
    RoleName: row.name,
    RoleId: row.role_id,
    Arn: roleArn(row.account, row.path, row.name),
    CreateDate: toDate(row.created_at),
    AssumeRolePolicyDocument: encodeDocument(row.trust_policy),
    ...(row.description !== null && { Description: row.description }),
    MaxSessionDuration: row.max_session_seconds,
  };
}

export function toRole(row: RoleRow): Role {
  const tags = toTags(row.tags);
  return {
    ...toRoleSummary(row),
    ...boundaryOf(row.boundary_arn),
    ...(tags.length > 0 && { Tags: tags }),
  };
}

/** What ListUsers answers of a user; GetUser adds more with {@link toUser}. */
export function toUserSummary(row: UserRow): User {
  return {
    Path: row.path,
    UserName: row.name,
    UserId: row.user_id,
    Arn: userArn(row.account, row.path, row.name),
    CreateDate: toDate(row.created_at),
  };
}

export function toUser(row: UserRow): User {
  const tags = toTags(row.tags);
  return {
    ...toUserSummary(row),
    ...boundaryOf(row.boundary_arn),
    ...(tags.length > 0 && { Tags: tags }),
  };
}

function boundaryOf(arn: string | null): Pick<Role, "PermissionsBoundary"> {
  if (arn === null) return {};
  return {
    PermissionsBoundary: {
      PermissionsBoundaryType: "Policy" as "PermissionsBoundaryPolicy",
      PermissionsBoundaryArn: arn,
    },
  };
}
