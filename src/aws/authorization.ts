/** Authorizes requests: root may do everything in its account that no resource denies, users and roles what their policies allow. */
import { accessDenied } from "./auth/access-denied.ts";
import type { DenialReason } from "./auth/access-denied.ts";
import { headerText } from "./http/wire-request.ts";
import type {
  ConditionValues,
  Principal,
  RequestContext,
  Requirement,
  ResourceGrant,
  Service,
} from "./service.ts";

/** The kinds of policies that a caller's requests are held against. */
export type PolicyKind = "identity" | "boundary" | "session";

export interface PolicyDecision {
  readonly decision: "allowed" | "explicitDeny" | "implicitDeny";
  /** The kind with the explicit deny, or the kinds that do not allow. */
  readonly because: readonly PolicyKind[];
}

/** The port through which the front door asks what a caller's own policies say. Satisfied by IAM in compose.ts. */
export interface CallerPolicies {
  decide(
    principal: Principal,
    action: string,
    resource: string,
    conditions: ConditionValues,
  ): Promise<PolicyDecision>;
}

type Authorize = (context: RequestContext, input: Readonly<Record<string, unknown>>) => Promise<void>;

/** The front door's stage between reading a request and running it. */
export function createAuthorization(services: readonly Service[], policies: CallerPolicies): Authorize {
  const byName = new Map(services.map((service) => [service.name, service]));
  for (const service of services) requireKnown(service);
  return async (context, input) => {
    const { type } = context.principal;
    const service = byName.get(context.service);
    // Where no policy could let them in, anonymous callers come this far only for the operations that AWS lets anyone call.
    if (type === "anonymous" && service?.authorization?.admitsAnonymous !== true) return;
    if (type === "root" && service?.authorization?.bindsRoot !== true) return;
    const conditions = requestConditions(context);
    const check = (requirement: Requirement) =>
      authorizeOne(policies, service, requirement, conditions, context);
    context.authorize = check;
    const requirements = await service?.authorization?.requirements(context.operation, input, context);
    for (const requirement of requirements ?? []) await check(requirement);
  };
}

/** An operation whose requirements nobody has thought of would be open to everyone: a mistake of ours, found at start. */
function requireKnown({ name, operations, authorization }: Service): void {
  for (const operation of operations.keys())
    if (!authorization?.operations.has(operation))
      throw new Error(`What ${name} ${operation} needs of its callers' policies is not known`);
}

/** @throws AwsError AccessDenied, as the service words it */
async function authorizeOne(
  policies: CallerPolicies,
  service: Service | undefined,
  requirement: Requirement,
  conditions: ConditionValues,
  context: RequestContext,
): Promise<void> {
  const { principal } = context;
  const { action, resource, alternative } = requirement;
  const owner = requirement.owner ?? (resource.split(":")[4] || principal.account);
  const facts = { ...conditions, "aws:resourceaccount": owner, ...requirement.conditions };
  const own = await policies.decide(principal, action, resource, facts);
  const grant =
    own.decision === "explicitDeny"
      ? "none"
      : await service?.authorization?.resourceGrant?.({ ...requirement, conditions: facts }, context);
  if (grant === "denied") throw accessDenied(context, requirement, { isExplicit: true, kind: "resource" });
  if (own.decision === "allowed") {
    // Where the ARN tells the owner, the service asks by itself whether another account's resource lets the caller in.
    if (requirement.owner === undefined || owner === principal.account) return;
    if (grant !== undefined && grant !== "none") return;
    throw accessDenied(context, requirement, { isExplicit: false, kind: "resource" });
  }
  if (
    alternative !== undefined &&
    (await policies.decide(principal, alternative, resource, facts)).decision === "allowed"
  )
    return;
  if (grant !== undefined && isEnough(grant, owner, own.because, context)) return;
  const reason: DenialReason = {
    isExplicit: own.decision === "explicitDeny",
    kind: own.because[0] ?? "identity",
  };
  throw accessDenied(context, requirement, reason);
}

/** Within one account a resource's policy is enough by itself; across accounts both sides must allow, and nobody has but the one. */
function isEnough(
  grant: ResourceGrant,
  owner: string,
  lacking: readonly PolicyKind[],
  { principal }: RequestContext,
): boolean {
  if (principal.type !== "anonymous" && owner !== principal.account) return false;
  if (grant === "principal") return true;
  return grant === "role" && lacking.every((kind) => kind === "identity");
}

/**
 * The keys that every request has, besides those of the principal and the time, which IAM knows.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
 */
export function requestConditions(context: RequestContext): ConditionValues {
  const { sourceIp, headers, region, service } = context;
  const userAgent = headerText(headers, "user-agent");
  const referer = headerText(headers, "referer");
  return {
    "aws:requestedregion": GLOBAL_SERVICES.has(service) ? GLOBAL_REGION : region,
    "aws:securetransport": "false",
    "aws:viaawsservice": "false",
    "aws:principalisawsservice": "false",
    ...(sourceIp !== undefined && { "aws:sourceip": sourceIp.replace(/^::ffff:/, "") }),
    ...(userAgent !== undefined && { "aws:useragent": userAgent }),
    ...(referer !== undefined && { "aws:referer": referer }),
  };
}

const GLOBAL_SERVICES: ReadonlySet<string> = new Set(["iam"]);
const GLOBAL_REGION = "us-east-1";
