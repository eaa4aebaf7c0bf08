/** What EventBridge needs of other parts; satisfied in server/compose.ts. */
import type { Courier as ServerCourier } from "../../aws/parcel.ts";
import type { ResourcePolicies as Policies } from "../../aws/resource-policies.ts";

/** Calls http(s) URLs, where the server may. */
export interface HttpCaller {
  /** Why a URL is not called, as far as it tells by itself. */
  fault(url: string): string | undefined;
  /** Redirects are not followed. @throws Error that says why there is no answer */
  call(call: {
    readonly url: string;
    readonly method: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: Uint8Array;
    readonly timeoutMs: number;
  }): Promise<{ readonly status: number; readonly body: Buffer }>;
}

export type ResourcePolicies = Pick<Policies, "parse" | "principalFault" | "ask">;

export interface Roles {
  /** Whether a role is there and trusts a service that acts for a resource. */
  canBeAssumedBy(roleArn: string, service: string, sourceArn: string): Promise<boolean>;
  /** Whether a role's own policies allow an action on a resource. */
  allows(roleArn: string, action: string, resourceArn: string): Promise<boolean>;
}

/** What takes events to targets. */
export type Courier = Pick<ServerCourier, "hand" | "refuse">;
