/** Says what a caller may do by IAM's policies: their own, their boundary's, their session's. */
import type { Principal } from "../../aws/service.ts";
import { decide } from "./policy/index.ts";
import type { CallerDecision, ContextValues } from "./policy/index.ts";
import { parseEntityArn } from "./arn.ts";
import type { Identity } from "./identity-policies.ts";
import type { IamState } from "./state.ts";
import { getRole } from "./store.ts";

/** Facts of one request that conditions may ask for, by key in any case: `aws:SourceIp`, `s3:prefix`. */
export type ConditionContext = Readonly<Record<string, string | readonly string[]>>;

export interface Authorizer {
  /** Whether the caller's policies allow the action (`s3:GetObject`) on the resource (an ARN or `*`). */
  allows(
    principal: Principal,
    action: string,
    resource: string,
    context?: ConditionContext,
  ): Promise<boolean>;
  /** The same with its reason, for callers that also have a resource policy: an explicit deny is final. */
  decide(
    principal: Principal,
    action: string,
    resource: string,
    context?: ConditionContext,
  ): Promise<CallerDecision>;
}

const NOTHING: CallerDecision = { decision: "implicitDeny", matched: [], because: ["identity"] };

export function createAuthorizer(state: IamState): Authorizer {
  const decideFor: Authorizer["decide"] = async (principal, action, resource, context = {}) => {
    if (principal.type === "root") return { decision: "allowed", matched: [], because: [] };
    if (principal.type === "anonymous") return NOTHING;
    const identity = await identityOf(state, principal);
    if (!identity) return NOTHING;
    const session = await sessionPolicies(state, principal);
    const values = { ...principalContext(state, principal, identity), ...lowerCaseKeys(context) };
    return decide({ action, resource, context: values }, { ...identity, session });
  };
  return {
    decide: decideFor,
    allows: async (...request) => (await decideFor(...request)).decision === "allowed",
  };
}

/** The facts of a caller's request, as conditions ask for them: those of the caller and of the time, and those given. */
export async function callerContext(
  state: IamState,
  principal: Principal,
  conditions: ConditionContext,
): Promise<ContextValues> {
  const identity = principal.type === "anonymous" ? undefined : await identityOf(state, principal);
  const known = identity
    ? principalContext(state, principal, identity)
    : {
        ...timeContext(state),
        "aws:principalarn": principal.arn,
        "aws:principalaccount": principal.account,
        "aws:principaltype": principal.type === "root" ? "Account" : "Anonymous",
        "aws:userid": principal.userId,
      };
  return { ...known, ...lowerCaseKeys(conditions) };
}

/** Whether a role's own policies allow an action; false for a role that does not exist. */
export async function roleAllows(
  state: IamState,
  roleArn: string,
  action: string,
  resource: string,
): Promise<boolean> {
  return (await roleDecision(state, roleArn, action, resource))?.decision === "allowed";
}

/** What a role's own policies and its boundary say, and the facts about it that conditions ask for; undefined without the role. */
export async function roleDecision(
  state: IamState,
  roleArn: string,
  action: string,
  resource: string,
): Promise<(CallerDecision & { readonly context: ConditionContext }) | undefined> {
  const entity = parseEntityArn(roleArn);
  const role =
    entity?.kind === "role" ? await getRole(state.database, entity.account, entity.name) : undefined;
  if (!role || !entity) return undefined;
  const policies = await state.policies.of(role.role_id, role.boundary_arn);
  const context = {
    ...timeContext(state),
    "aws:principalarn": roleArn,
    "aws:principalaccount": role.account,
    "aws:principaltype": "AssumedRole",
    ...tagContext(role.tags),
  };
  return { ...decide({ action, resource, context }, policies), context };
}

/** The user or role behind a caller. */
function identityOf(state: IamState, principal: Principal): Promise<Identity | undefined> {
  const [id = ""] = principal.userId.split(":", 1);
  return state.policies.identity(principal.type === "assumed-role" ? "role" : "user", id);
}

async function sessionPolicies(state: IamState, principal: Principal) {
  if (!isTemporary(principal)) return undefined;
  return state.policies.session(principal.accessKeyId ?? "");
}

function isTemporary(principal: Principal): boolean {
  return principal.accessKeyId?.startsWith("ASIA") === true;
}

/** The same where nothing is known of the caller but an ARN, if that. */
export function bareContext(
  state: IamState,
  caller: { readonly account: string; readonly arn: string } | undefined,
  conditions: ConditionContext,
): ContextValues {
  return {
    ...timeContext(state),
    ...(caller && { "aws:principalarn": caller.arn, "aws:principalaccount": caller.account }),
    ...lowerCaseKeys(conditions),
  };
}

function principalContext(state: IamState, principal: Principal, identity: Identity): ContextValues {
  return {
    ...timeContext(state),
    "aws:principalarn": principal.roleArn ?? principal.arn,
    "aws:principalaccount": principal.account,
    "aws:principaltype": principal.type === "user" ? "User" : "AssumedRole",
    "aws:userid": principal.userId,
    ...(identity.name !== undefined && { "aws:username": identity.name }),
    // No session is opened with a second factor; with long-term keys AWS does not tell.
    ...(isTemporary(principal) && { "aws:multifactorauthpresent": "false" }),
    ...tagContext(identity.tags),
  };
}

function timeContext(state: IamState): ContextValues {
  const now = state.clock.now();
  return {
    "aws:currenttime": new Date(now).toISOString(),
    "aws:epochtime": String(Math.floor(now / 1_000)),
  };
}

function tagContext(tags: string): ContextValues {
  const entries = Object.entries(JSON.parse(tags) as Record<string, string>);
  return Object.fromEntries(entries.map(([key, value]) => [`aws:principaltag/${key.toLowerCase()}`, value]));
}

function lowerCaseKeys(context: ConditionContext): ContextValues {
  return Object.fromEntries(Object.entries(context).map(([key, value]) => [key.toLowerCase(), value]));
}
