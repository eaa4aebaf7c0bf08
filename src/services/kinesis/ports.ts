/** What Kinesis needs from other parts; satisfied in server/compose.ts. */
import type { ConditionValues, Principal } from "../../aws/service.ts";

export interface ResourcePolicies {
  /** Reads a policy whose statements name resources. @throws with what is wrong */
  parse(text: string): unknown;
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
}
