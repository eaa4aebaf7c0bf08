/** What DynamoDB needs from other parts; satisfied in server/compose.ts. */
import type { ConditionValues, Principal } from "../../aws/service.ts";

/** What a policy says of a caller: that it denies, names them or everyone, names their role, names only their account; or nothing. */
export type PolicyDecision = "denied" | "principal" | "role" | "account" | "none";

export interface ResourcePolicies {
  /** Reads a policy whose statements name resources. @throws with what is wrong */
  parse(text: string): unknown;
  /** What is wrong with the users and roles of an account that a document names: the first that does not exist. */
  principalFault(text: string, account: string): Promise<string | undefined>;
  decide(
    text: string,
    request: {
      readonly principal: Principal;
      readonly action: string;
      readonly resource: string;
      readonly conditions: ConditionValues;
    },
  ): Promise<PolicyDecision>;
}
