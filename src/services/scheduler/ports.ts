/** What EventBridge Scheduler needs of other parts; satisfied in server/compose-push.ts. */
import type { Courier as ServerCourier } from "../../aws/parcel.ts";

export interface Roles {
  /** Whether a role is there and trusts a service that acts for a resource. */
  canBeAssumedBy(roleArn: string, service: string, sourceArn: string): Promise<boolean>;
}

/** What every service's operations are, by their names in the SDKs: `sqs`, `createQueue`. */
export interface Operations {
  /** Why this server could never do it with such an input (JSON); `invalid` where AWS could not either. */
  fault(call: {
    readonly service: string;
    readonly action: string;
    readonly input: string;
  }): { readonly code: "unsupported" | "invalid"; readonly message: string } | undefined;
}

/** What takes invocations to their targets. */
export type Courier = Pick<ServerCourier, "fault" | "hand">;
