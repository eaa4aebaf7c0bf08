/** Decides requests by policies, in AWS's order: an explicit deny wins, then every kind of policy present must allow. */
import { conditionHolds, isNeverTold } from "./conditions.ts";
import type { PolicyDocument, PrincipalSet, Statement } from "./document.ts";
import { globMatches, preparePattern } from "./match.ts";
import type { ContextValues } from "./match.ts";

/** Who asks, as a document with a Principal element sees them. */
export type PolicyPrincipal =
  | { readonly kind: "service"; readonly name: string }
  | {
      readonly kind: "aws";
      readonly account: string;
      readonly arn: string;
      readonly userId: string;
      /** For an assumed role: the role's own ARN. */
      readonly roleArn?: string | undefined;
    };

export interface PolicyRequest {
  /** `s3:GetObject`; compared without case. */
  readonly action: string;
  /** An ARN, or `*` for actions that have none. */
  readonly resource: string;
  readonly context: ContextValues;
}

export type DecisionKind = "allowed" | "explicitDeny" | "implicitDeny";

export interface Decision {
  readonly decision: DecisionKind;
  /** The statements that applied, allowing or denying. */
  readonly matched: readonly Statement[];
}

export type CallerPolicyKind = keyof CallerPolicies;

/** A decision by all of a caller's policies. */
export interface CallerDecision extends Decision {
  /** The kind with the explicit deny, or the kinds that do not allow. */
  readonly because: readonly CallerPolicyKind[];
}

/** The policies of a caller. Each kind that is present must allow; a deny in any of them wins. */
export interface CallerPolicies {
  readonly identity: readonly PolicyDocument[];
  readonly boundary?: readonly PolicyDocument[] | undefined;
  /** Policies given with AssumeRole; together they allow what any of them allows. */
  readonly session?: readonly PolicyDocument[] | undefined;
}

const KINDS = ["identity", "boundary", "session"] as const satisfies readonly CallerPolicyKind[];

/** Decides a request by the caller's own policies (no Principal element). */
export function decide(request: PolicyRequest, policies: CallerPolicies): CallerDecision {
  const decisions = KINDS.flatMap((kind) => {
    const documents = policies[kind];
    return documents === undefined ? [] : [{ kind, ...evaluate(documents, request) }];
  });
  const matched = decisions.flatMap((one) => one.matched);
  const kindsThat = (decision: DecisionKind) =>
    decisions.flatMap((one) => (one.decision === decision ? [one.kind] : []));
  const denying = kindsThat("explicitDeny");
  if (denying.length > 0) return { decision: "explicitDeny", matched, because: denying };
  const lacking = kindsThat("implicitDeny");
  return { decision: lacking.length > 0 ? "implicitDeny" : "allowed", matched, because: lacking };
}

/** Decides a request by a set of documents of one kind; with `principal` for documents that have a Principal element. */
export function evaluate(
  documents: readonly PolicyDocument[],
  request: PolicyRequest,
  principal?: PolicyPrincipal,
): Decision {
  const matched = documents.flatMap((document) =>
    document.statements.filter((one) => statementApplies(one, document, request, principal)),
  );
  if (matched.some((one) => one.effect === "Deny")) return { decision: "explicitDeny", matched };
  return { decision: matched.length > 0 ? "allowed" : "implicitDeny", matched };
}

function statementApplies(
  statement: Statement,
  document: PolicyDocument,
  request: PolicyRequest,
  principal: PolicyPrincipal | undefined,
): boolean {
  const variables = document.version === "2012-10-17";
  const anyAction = (list: readonly string[]) => list.some((one) => actionMatches(one, request.action));
  const anyResource = (list: readonly string[]) =>
    list.some((one) => {
      const pattern = preparePattern(one, request.context, { wildcards: true, variables });
      return pattern !== undefined && globMatches(pattern, request.resource);
    });
  if (statement.actions && !anyAction(statement.actions)) return false;
  if (statement.notActions && anyAction(statement.notActions)) return false;
  if (statement.resources && !anyResource(statement.resources)) return false;
  if (statement.notResources && anyResource(statement.notResources)) return false;
  if (principal) {
    if (statement.principals && principalMatch(statement.principals, principal) === "none") return false;
    if (statement.notPrincipals && principalMatch(statement.notPrincipals, principal) !== "none")
      return false;
  }
  return statement.conditions.every((one) =>
    isNeverTold(one.key, request.context)
      ? statement.effect === "Deny"
      : conditionHolds(one, request.context, variables),
  );
}

function actionMatches(pattern: string, action: string): boolean {
  const prepared = preparePattern(pattern.toLowerCase(), {}, { wildcards: true, variables: false });
  return prepared !== undefined && globMatches(prepared, action.toLowerCase());
}

/**
 * How a Principal element names someone: themselves (`direct`, or everyone), only their `account` (which then has
 * to allow the action to them by their own policies), or not at all.
 */
export function principalMatch(set: PrincipalSet, principal: PolicyPrincipal): "direct" | "account" | "none" {
  // The two are the same, to services too: so AWS's console lets topics send to queues.
  if (set === "*" || set.AWS?.includes("*")) return "direct";
  if (principal.kind === "service") return set.Service?.includes(principal.name) ? "direct" : "none";
  const names = set.AWS ?? [];
  const own = [principal.arn, principal.userId, ...(principal.roleArn ? [principal.roleArn] : [])];
  if (names.some((name) => own.includes(name))) return "direct";
  const account = [principal.account, `arn:aws:iam::${principal.account}:root`];
  return names.some((name) => account.includes(name)) ? "account" : "none";
}
