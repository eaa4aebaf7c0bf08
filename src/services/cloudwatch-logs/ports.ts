/** What CloudWatch Logs needs from other parts; satisfied in server/compose.ts. */
import type { ResourcePolicies as Policies } from "../../aws/resource-policies.ts";
import type { Transaction } from "../../store/database.ts";

export type ResourcePolicies = Pick<Policies, "parse" | "ask">;

/** Hands messages to subscriptions' destinations. */
export interface Courier {
  /** Why nothing can be delivered to a target; undefined where it is there and lets the sender in. */
  fault(
    target: Target,
    sender: Sender,
  ): Promise<{ readonly code: string; readonly message: string } | undefined>;
  /** Hands over in the caller's transaction; `waiting` is in a durable queue then. */
  hand(tx: Transaction, parcel: Parcel): Promise<Handed>;
}

export type Handed = "delivered" | "waiting" | "refused";

export interface Target {
  readonly arn: string;
  readonly roleArn?: string;
  readonly kinesis?: { readonly partitionKey: string };
}

export interface Sender {
  /** `logs.amazonaws.com` */
  readonly service: string;
  /** `arn:…:log-group:NAME:*` */
  readonly sourceArn: string;
  readonly account: string;
  readonly region: string;
}

export interface Parcel {
  readonly id: string;
  readonly target: Target;
  readonly sender: Sender;
  readonly body: Buffer;
  readonly traceHeader?: string;
  readonly retry: { readonly attemptsMax: number; readonly ageMsMax: number };
  readonly metrics?: {
    readonly namespace: string;
    readonly dimensions: readonly Readonly<Record<string, string>>[];
    readonly retried?: string;
    readonly failed?: string;
  };
}

export interface Roles {
  canBeAssumedBy(roleArn: string, servicePrincipal: string): Promise<boolean>;
}
