/** What DynamoDB needs from other parts; satisfied in server/compose.ts. */
import type { ResourcePolicies as Policies } from "../../aws/resource-policies.ts";

export type ResourcePolicies = Pick<Policies, "parse" | "principalFault" | "decide">;
