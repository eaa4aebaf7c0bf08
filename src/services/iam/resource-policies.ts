/** Policies on resources, for services whose resources have them: what is wrong with a document, and what one says of a caller. */
import type { Principal } from "../../aws/service.ts";
import { callerContext } from "./authorizer.ts";
import type { ConditionContext } from "./authorizer.ts";
import { PolicySyntaxError, evaluate, parseResourcePolicy, principalMatch } from "./policy/index.ts";
import type { PolicyPrincipal, PrincipalSet } from "./policy/index.ts";
import type { IamState } from "./state.ts";

/**
 * What a resource's policy says of a caller: that it denies; that it names them or everyone; that it names their role, which boundaries
 * and session policies still limit; that it names only their account, which then has to allow the action by its own policies; or nothing.
 */
export type ResourceDecision = "denied" | "principal" | "role" | "account" | "none";

export interface ResourcePolicyRequest {
  readonly principal: Principal;
  readonly action: string;
  readonly resource: string;
  readonly conditions: ConditionContext;
}

export interface ResourcePolicies {
  /** What is wrong with a document whose statements apply to the resource that has it; undefined for nothing. */
  fault(text: string): string | undefined;
  decide(text: string, request: ResourcePolicyRequest): Promise<ResourceDecision>;
}

export function createResourcePolicies(state: IamState): ResourcePolicies {
  return {
    fault(text) {
      try {
        parseResourcePolicy(text);
        return undefined;
      } catch (error) {
        if (error instanceof PolicySyntaxError) return error.message;
        throw error;
      }
    },
    async decide(text, { principal, action, resource, conditions }) {
      const context = await callerContext(state, principal, conditions);
      const asker = { kind: "aws", ...principal } as const;
      const { decision, matched } = evaluate(
        [parseResourcePolicy(text)],
        { action, resource, context },
        asker,
      );
      if (decision === "explicitDeny") return "denied";
      const named = matched.flatMap(({ principals }) => (principals ? [grantOf(principals, asker)] : []));
      return (["principal", "role", "account"] as const).find((one) => named.includes(one)) ?? "none";
    },
  };
}

function grantOf(set: PrincipalSet, asker: PolicyPrincipal & { kind: "aws" }): ResourceDecision {
  const { roleArn: _role, ...themselves } = asker;
  if (principalMatch(set, themselves) === "direct") return "principal";
  const match = principalMatch(set, asker);
  return match === "direct" ? "role" : match;
}
