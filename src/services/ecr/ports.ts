/** What ECR needs from other parts; satisfied in server/compose.ts. */
import type { ResourcePolicies as Policies } from "../../aws/resource-policies.ts";

export type ResourcePolicies = Pick<Policies, "fault" | "decide" | "ask">;

export interface Credentials {
  /** When an access key ends, in epoch milliseconds; undefined for one that does not. */
  expiryOf(accessKeyId: string): Promise<number | undefined>;
}
