/** What SNS needs from other parts; satisfied in server/compose-push.ts. */
import type { Courier as ServerCourier } from "../../aws/parcel.ts";
import type { ResourcePolicies as Policies } from "../../aws/resource-policies.ts";

export type ResourcePolicies = Pick<Policies, "parse" | "principalFault" | "ask">;

export interface Roles {
  /** Whether a role's own policies allow an action on a resource. */
  allows(roleArn: string, action: string, resourceArn: string): Promise<boolean>;
}

/** Which http(s) endpoints the server calls. */
export interface Endpoints {
  /** Why a URL is not called, as far as it tells by itself. */
  fault(url: string): string | undefined;
}

/** What carries messages to subscribers, in the transaction that publishes them. */
export type Courier = Pick<ServerCourier, "hand">;
