/** What Kinesis needs from other parts; satisfied in server/compose.ts. */
import type { ConditionValues, Principal } from "../../aws/service.ts";

export interface ResourcePolicies {
  /** Reads a policy whose statements name resources. @throws with what is wrong */
  parse(text: string): unknown;
  /** What is wrong with the users and roles of an account that a document names: the first that does not exist. */
  principalFault(text: string, account: string): Promise<string | undefined>;
  /**
   * What the policy of a stream or consumer says of a caller: that it denies; that it names them or everyone; that it names their role;
   * that it names only their account; or nothing.
   */
  decide(
    text: string,
    request: {
      readonly principal: Principal;
      readonly action: string;
      readonly resource: string;
      readonly conditions: ConditionValues;
    },
  ): Promise<"denied" | "principal" | "role" | "account" | "none">;
  /** The same of a service, or of a caller of whom nothing is known but an ARN. */
  ask(
    text: string,
    question: {
      readonly action: string;
      readonly resources: readonly string[];
      readonly conditions?: ConditionValues;
    },
    caller: { readonly service: string } | { readonly account: string; readonly arn: string },
  ): Promise<"denied" | "principal" | "role" | "account" | "none">;
}

export interface Roles {
  /** Whether a role's own policies allow an action on a resource. */
  allows(roleArn: string, action: string, resourceArn: string): Promise<boolean>;
}
