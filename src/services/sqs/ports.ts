/** What SQS needs from other parts; satisfied in server/compose.ts. */
import type { ConditionValues, Principal } from "../../aws/service.ts";

/** What a queue's policy says of a caller. */
export type PolicyAnswer = "denied" | "principal" | "role" | "account" | "none";

export type PolicyCaller =
  | { readonly service: string }
  | Principal
  | { readonly account: string; readonly arn: string };

export interface ResourcePolicies {
  /** Reads a document whose statements name resources. @throws Error, with what is wrong. */
  parse(text: string): unknown;
  /** What is wrong with the users and roles of an account that a document names: the first that does not exist. */
  principalFault(text: string, account: string): Promise<string | undefined>;
  ask(
    text: string,
    question: {
      readonly action: string;
      readonly resources: readonly string[];
      readonly conditions?: ConditionValues;
    },
    caller: PolicyCaller,
  ): Promise<PolicyAnswer>;
}

export interface Roles {
  /** Whether what acts for a role may do something to a resource, by the role's policies and the resource's own. */
  mayUse(
    roleArn: string,
    action: string,
    resource: { readonly arn: string; readonly policy?: string | undefined },
  ): Promise<boolean>;
}
