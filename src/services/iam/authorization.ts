/** What IAM's requests need of the caller's policies: actions on users, roles and policies, by their ARNs with paths. */
import type { OperationName, RequestContext, Requirement, ServiceAuthorization } from "../../aws/service.ts";
import { tagConditions, tagKeyConditions } from "../../aws/tag-conditions.ts";
import { findPolicy } from "./owners.ts";
import { policyArn, roleArn, userArn } from "./arn.ts";
import type { IamState } from "./state.ts";
import { getRole, getUser, getUserById } from "./store.ts";

type Client = typeof import("@aws-sdk/client-iam");

/** The members that say what an operation of any of these kinds works on. */
interface Members {
  readonly UserName?: string;
  readonly NewUserName?: string;
  readonly NewPath?: string;
  readonly RoleName?: string;
  readonly PolicyName?: string;
  readonly PolicyArn?: string;
  readonly Path?: string;
  readonly PathPrefix?: string;
  readonly PermissionsBoundary?: string;
  readonly Tags?: readonly { readonly Key?: string; readonly Value?: string }[];
  readonly TagKeys?: readonly string[];
}

/** What an operation works on: an entity that is there, one to be made, all of a kind below a path, or a policy. */
type Subject =
  | "user"
  | "role"
  | "policy"
  | "new user"
  | "new role"
  | "new policy"
  | "users"
  | "roles"
  | "policies"
  | "renamed user";

/** @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html */
const SUBJECTS: Readonly<Partial<Record<OperationName<Client>, Subject>>> = {
  AttachRolePolicy: "role",
  AttachUserPolicy: "user",
  CreateAccessKey: "user",
  CreatePolicy: "new policy",
  CreatePolicyVersion: "policy",
  CreateRole: "new role",
  CreateUser: "new user",
  DeleteAccessKey: "user",
  DeletePolicy: "policy",
  DeletePolicyVersion: "policy",
  DeleteRole: "role",
  DeleteRolePermissionsBoundary: "role",
  DeleteRolePolicy: "role",
  DeleteUser: "user",
  DeleteUserPermissionsBoundary: "user",
  DeleteUserPolicy: "user",
  DetachRolePolicy: "role",
  DetachUserPolicy: "user",
  GetPolicy: "policy",
  GetPolicyVersion: "policy",
  GetRole: "role",
  GetRolePolicy: "role",
  GetUser: "user",
  GetUserPolicy: "user",
  ListAccessKeys: "user",
  ListAttachedRolePolicies: "role",
  ListAttachedUserPolicies: "user",
  ListEntitiesForPolicy: "policy",
  ListGroupsForUser: "user",
  ListInstanceProfilesForRole: "role",
  ListPolicies: "policies",
  ListPolicyTags: "policy",
  ListPolicyVersions: "policy",
  ListRolePolicies: "role",
  ListRoleTags: "role",
  ListRoles: "roles",
  ListUserPolicies: "user",
  ListUserTags: "user",
  ListUsers: "users",
  PutRolePermissionsBoundary: "role",
  PutRolePolicy: "role",
  PutUserPermissionsBoundary: "user",
  PutUserPolicy: "user",
  SetDefaultPolicyVersion: "policy",
  TagPolicy: "policy",
  TagRole: "role",
  TagUser: "user",
  UntagPolicy: "policy",
  UntagRole: "role",
  UntagUser: "user",
  UpdateAccessKey: "user",
  UpdateAssumeRolePolicy: "role",
  UpdateRole: "role",
  UpdateRoleDescription: "role",
  UpdateUser: "renamed user",
};

/** Operations with the key `iam:PermissionsBoundary`: the boundary that is given, else the one that is there. */
const BOUNDED = /^(Attach|Detach|Put|Delete)(Role|User)(Policy|PermissionsBoundary)$|^Create(Role|User)$/;
const POLICY_ATTACHED = /^(Attach|Detach)(Role|User)Policy$/;
const CREATED_WITH_TAGS: Readonly<Record<string, string>> = {
  CreatePolicy: "iam:TagPolicy",
  CreateRole: "iam:TagRole",
  CreateUser: "iam:TagUser",
};

/** IAM's part in deciding who may do what. */
export function authorization(state: Store): ServiceAuthorization {
  const subjects = new Map(Object.entries(SUBJECTS));
  return {
    operations: new Set(subjects.keys()),
    async requirements(operation, input, context) {
      const subject = subjects.get(operation);
      if (!subject) return [];
      const members = await withRealPolicies(state, input, context);
      const found = await RESOURCES[subject](state, members, context);
      return found.flatMap((one) => requirementsFor(operation, members, one));
    },
  };
}

type Store = Pick<IamState, "database">;

/** The input with the policies' ARNs as they are: names are found in any case, and policies compare text. */
async function withRealPolicies(state: Store, input: Members, { account }: RequestContext): Promise<Members> {
  const { PolicyArn, PermissionsBoundary } = input;
  return {
    ...input,
    ...(PolicyArn !== undefined && { PolicyArn: await realPolicy(state, account, PolicyArn) }),
    ...(PermissionsBoundary !== undefined && {
      PermissionsBoundary: await realPolicy(state, account, PermissionsBoundary),
    }),
  };
}

interface Resource {
  readonly arn: string;
  readonly boundary?: string | null;
}

function requirementsFor(operation: string, input: Members, { arn, boundary }: Resource): Requirement[] {
  const bound = BOUNDED.test(operation) ? (input.PermissionsBoundary ?? boundary ?? undefined) : undefined;
  const requirement: Requirement = {
    action: `iam:${operation}`,
    resource: arn,
    conditions: {
      ...tagConditions(input.Tags),
      ...tagKeyConditions(input.TagKeys),
      ...(bound !== undefined && { "iam:permissionsboundary": bound }),
      ...(POLICY_ATTACHED.test(operation) && { "iam:policyarn": input.PolicyArn ?? "" }),
    },
  };
  const tagging = input.Tags?.length ? CREATED_WITH_TAGS[operation] : undefined;
  return tagging === undefined ? [requirement] : [requirement, { ...requirement, action: tagging }];
}

type Locate = (state: Store, input: Members, context: RequestContext) => Promise<Resource[]> | Resource[];

const RESOURCES: Readonly<Record<Subject, Locate>> = {
  user: userResources,
  "renamed user": renamedUser,
  async role({ database }, { RoleName: name = "" }, { account }) {
    const role = await getRole(database, account, name);
    if (!role) return [{ arn: roleArn(account, "/", name) }];
    return [{ arn: roleArn(account, role.path, role.name), boundary: role.boundary_arn }];
  },
  policy: (_, { PolicyArn = "" }) => [{ arn: PolicyArn }],
  "new user": (_, { Path = "/", UserName = "" }, { account }) => [{ arn: userArn(account, Path, UserName) }],
  "new role": (_, { Path = "/", RoleName = "" }, { account }) => [{ arn: roleArn(account, Path, RoleName) }],
  "new policy": (_, { Path = "/", PolicyName = "" }, { account }) => [
    { arn: policyArn(account, Path, PolicyName) },
  ],
  users: (_, { PathPrefix = "/" }, { account }) => [{ arn: userArn(account, PathPrefix, "") }],
  roles: (_, { PathPrefix = "/" }, { account }) => [{ arn: roleArn(account, PathPrefix, "") }],
  // No ARN, and AWS says it so: a list of policies is allowed on all resources or not at all.
  policies: (_, { PathPrefix = "/" }) => [{ arn: `policy path ${PathPrefix}` }],
};

async function realPolicy({ database }: Store, account: string, arn: string): Promise<string> {
  const policy = await findPolicy(database, account, arn);
  return policy ? policyArn(account, policy.path, policy.name) : arn;
}

/** The user who is named, or who calls; nothing for other callers that name none, whom the operation refuses. */
async function userResources(
  state: Store,
  { UserName }: Members,
  { account, principal }: RequestContext,
): Promise<Resource[]> {
  if (UserName === undefined && principal.type !== "user") return [];
  const user =
    UserName === undefined
      ? await getUserById(state.database, principal.userId)
      : await getUser(state.database, account, UserName);
  if (!user) return [{ arn: userArn(account, "/", UserName ?? "") }];
  return [{ arn: userArn(account, user.path, user.name), boundary: user.boundary_arn }];
}

/** Whoever renames a user must be allowed to update the one that is there and the one that it becomes. */
async function renamedUser(state: Store, input: Members, context: RequestContext): Promise<Resource[]> {
  const user = await getUser(state.database, context.account, input.UserName ?? "");
  const path = input.NewPath ?? user?.path ?? "/";
  const becomes = userArn(context.account, path, input.NewUserName ?? user?.name ?? input.UserName ?? "");
  const now = await userResources(state, input, context);
  return now.some((one) => one.arn === becomes) ? now : [...now, { arn: becomes }];
}
