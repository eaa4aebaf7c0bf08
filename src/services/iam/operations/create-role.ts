/** CreateRole, with the checks of a role's trust policy that UpdateAssumeRolePolicy shares. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Reader } from "../../../store/database.ts";
import { alreadyExists, checkedDocument } from "../errors.ts";
import { invalidPrincipal, parseTrustPolicy } from "../policy/index.ts";
import { unknownPrincipal } from "../principals.ts";
import { checkQuota } from "../quotas.ts";
import { toRole } from "../shapes.ts";
import { change } from "../state.ts";
import type { IamState } from "../state.ts";
import { countRoles, getRole, insertRole } from "../store.ts";
import type { RoleRow } from "../store.ts";
import { withTags } from "../tags.ts";
import { uniqueId } from "../unique-id.ts";
import { checkBoundary } from "./permissions-boundary.ts";

type Client = typeof import("@aws-sdk/client-iam");

const SESSION_SECONDS_DEFAULT = 3_600;

export async function createRole(
  state: IamState,
  input: Input<Client, "CreateRole">,
  { account }: RequestContext,
): Promise<Output<Client, "CreateRole">> {
  const name = input.RoleName ?? "";
  const role: RoleRow = {
    account,
    name_key: name.toLowerCase(),
    name,
    path: input.Path ?? "/",
    role_id: uniqueId("AROA", state.ids),
    trust_policy: input.AssumeRolePolicyDocument ?? "",
    description: input.Description ?? null,
    max_session_seconds: input.MaxSessionDuration ?? SESSION_SECONDS_DEFAULT,
    boundary_arn: input.PermissionsBoundary ?? null,
    tags: withTags("{}", input.Tags),
    created_at: state.clock.now(),
  };
  await change(state, async (tx) => {
    await checkTrustPolicy(tx, account, role.trust_policy);
    if (role.boundary_arn !== null) await checkBoundary(tx, account, role.boundary_arn);
    if (await getRole(tx, account, name)) throw alreadyExists(`Role with name ${name} already exists.`);
    checkQuota("RolesPerAccount", (await countRoles(tx, account)) + 1);
    await insertRole(tx, role);
  });
  return { Role: toRole(role) };
}

/**
 * Refuses what is no trust policy, is too long, or names a user or role of this account that does not exist. Those
 * of other accounts are taken as they are: they may live on another installation, or on AWS.
 */
export async function checkTrustPolicy(reader: Reader, account: string, document: string): Promise<void> {
  checkQuota("ACLSizePerRole", document.length);
  const trust = checkedDocument(() => parseTrustPolicy(document));
  const unknown = await unknownPrincipal(reader, account, trust);
  if (unknown !== undefined)
    checkedDocument(() => {
      throw invalidPrincipal("AWS", unknown);
    });
}
