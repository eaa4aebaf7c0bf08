/** What CloudWatch Logs needs from other parts; satisfied in server/compose.ts. */
import type { Courier as ServerCourier } from "../../aws/parcel.ts";
import type { ResourcePolicies as Policies } from "../../aws/resource-policies.ts";

export type ResourcePolicies = Pick<Policies, "parse" | "ask">;

export interface Roles {
  canBeAssumedBy(roleArn: string, servicePrincipal: string): Promise<boolean>;
}

/** Hands messages to subscriptions' destinations. */
export type Courier = Pick<ServerCourier, "fault" | "hand">;
