/** What SQS needs from other parts; satisfied in server/compose.ts. */
import type { ResourcePolicies as Policies } from "../../aws/resource-policies.ts";

export type ResourcePolicies = Pick<Policies, "parse" | "principalFault" | "ask">;

export interface Roles {
  /** Whether what acts for a role may do something to a resource, by the role's policies and the resource's own. */
  mayUse(
    roleArn: string,
    action: string,
    resource: { readonly arn: string; readonly policy?: string | undefined },
  ): Promise<boolean>;
}
