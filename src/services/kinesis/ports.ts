/** What Kinesis needs from other parts; satisfied in server/compose.ts. */
import type { ResourcePolicies as Policies } from "../../aws/resource-policies.ts";

export type ResourcePolicies = Pick<Policies, "parse" | "principalFault" | "decide" | "ask">;

export interface Roles {
  /** Whether a role's own policies allow an action on a resource. */
  allows(roleArn: string, action: string, resourceArn: string): Promise<boolean>;
}
