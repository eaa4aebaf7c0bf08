/** Policies on resources, for services whose resources have them: what is wrong with a document, and what one says of a caller. */
import type { PolicyCaller, ResourcePolicies } from "../../aws/resource-policies.ts";
import { bareContext, callerContext, roleDecision } from "./authorizer.ts";
import {
  PolicySyntaxError,
  evaluate,
  invalidPrincipal,
  parsePolicy,
  parseResourcePolicy,
} from "./policy/index.ts";
import type { PolicyPrincipal, Statement } from "./policy/index.ts";
import { unknownPrincipal } from "./principals.ts";
import type { IamState } from "./state.ts";

const GRADES = ["principal", "role", "account"] as const;

export function createResourcePolicies(state: IamState): ResourcePolicies {
  const ask: ResourcePolicies["ask"] = async (text, { action, resources, conditions = {} }, caller) => {
    // As it was accepted when it was written; only the grammar matters now.
    const policy = parsePolicy(text);
    const principal = principalOf(caller);
    const context =
      "type" in caller
        ? await callerContext(state, caller, conditions)
        : bareContext(state, "arn" in caller && caller.arn !== "" ? caller : undefined, conditions);
    const matched = resources.flatMap(
      (resource) => evaluate([policy], { action, resource, context }, principal).matched,
    );
    if (matched.some((one) => one.effect === "Deny")) return "denied";
    const granted = new Set(matched.map((one) => gradeOf(one, principal)));
    return GRADES.find((grade) => granted.has(grade)) ?? "none";
  };
  return {
    ask,
    decide: (text, { principal, resource, ...question }) =>
      ask(text, { ...question, resources: [resource] }, principal),
    parse: (text) => parseResourcePolicy(text, "named resources"),
    async principalFault(text, account) {
      const unknown = await unknownPrincipal(state.database, account, parsePolicy(text));
      return unknown === undefined ? undefined : invalidPrincipal("AWS", unknown).message;
    },
    fault(text) {
      try {
        parseResourcePolicy(text, "its own resource");
        return undefined;
      } catch (error) {
        if (error instanceof PolicySyntaxError) return error.message;
        throw error;
      }
    },
  };
}

/** A resource on which a role is to be used. */
export interface UsedResource {
  readonly arn: string;
  /** Its own policy; undefined where it has none. */
  readonly policy?: string | undefined;
}

/**
 * Whether what acts for a role may do something to a resource, by the role's policies and the resource's: a deny of either is final; within
 * one account either is enough, though a policy that names the role does not reach beyond the role's boundary; across accounts both must
 * allow. False for a role that does not exist.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
export async function roleMayUse(
  state: IamState,
  { ask }: Pick<ResourcePolicies, "ask">,
  role: { readonly arn: string; readonly action: string },
  { arn, policy }: UsedResource,
): Promise<boolean> {
  const { action } = role;
  const own = await roleDecision(state, role.arn, action, arn);
  if (!own || own.decision === "explicitDeny") return false;
  const account = role.arn.split(":")[4] ?? "";
  const question = { action, resources: [arn], conditions: own.context };
  const said =
    policy === undefined ? "none" : await ask(policy, question, { account, arn: "", roleArn: role.arn });
  if (said === "denied") return false;
  const owner = arn.split(":")[4];
  const isOwn = owner === "" || owner === account;
  if (own.decision === "allowed") return isOwn || said !== "none";
  if (!isOwn) return false;
  return said === "principal" || (said === "role" && own.because.every((kind) => kind === "identity"));
}

function principalOf(caller: PolicyCaller): PolicyPrincipal {
  if ("service" in caller) return { kind: "service", name: caller.service };
  return { kind: "aws", userId: "", ...caller };
}

/** How a statement that applies names the caller. */
function gradeOf({ principals }: Statement, principal: PolicyPrincipal): (typeof GRADES)[number] {
  if (principals === undefined || principals === "*" || principal.kind === "service") return "principal";
  const names = principals.AWS ?? [];
  if (["*", principal.arn, principal.userId].some((own) => own !== "" && names.includes(own)))
    return "principal";
  return principal.roleArn !== undefined && names.includes(principal.roleArn) ? "role" : "account";
}
