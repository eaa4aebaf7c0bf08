/** What ECR needs from other parts; satisfied in server/compose.ts. */
import type { ConditionValues, Principal } from "../../aws/service.ts";

export interface ResourcePolicies {
  /** What is wrong with a repository's policy; undefined for nothing. */
  fault(text: string): string | undefined;
  /**
   * What a repository's policy says of a caller: that it denies; that it names them or everyone; that it names their role; that it names
   * only their account; or nothing.
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
  /** The same of a service that asks on its own behalf. */
  ask(
    text: string,
    question: {
      readonly action: string;
      readonly resources: readonly string[];
      readonly conditions: ConditionValues;
    },
    caller: { readonly service: string },
  ): Promise<"denied" | "principal" | "role" | "account" | "none">;
}

export interface Credentials {
  /** When an access key ends, in epoch milliseconds; undefined for one that does not. */
  expiryOf(accessKeyId: string): Promise<number | undefined>;
}
