/** What EventBridge needs of other parts; satisfied in server/compose.ts. */
import type { ResourcePolicies as Policies } from "../../aws/resource-policies.ts";
import type { Transaction } from "../../store/database.ts";

/** What takes events to targets: the server's courier. */
export interface Courier {
  /** In the caller's transaction. What a target refuses goes to the dead-letter queue. */
  hand(tx: Transaction, parcel: Parcel): Promise<"delivered" | "waiting" | "refused">;
  /** The same for what no target would take. */
  refuse(tx: Transaction, parcel: Parcel, failure: ParcelFailure): Promise<void>;
}

export interface ParcelFailure {
  readonly code: "hop" | "not-json" | "invalid";
  readonly message: string;
}

export interface Parcel {
  readonly id: string;
  readonly target: {
    readonly arn: string;
    readonly roleArn?: string;
    readonly sqs?: { readonly messageGroupId?: string };
    readonly kinesis?: { readonly partitionKey: string };
    /** With `whole` the body is the whole event. */
    readonly event?: { readonly source: string; readonly detailType: string; readonly whole: boolean };
    readonly logs?: { readonly stream: string; readonly timestamp?: number };
    readonly apiDestination?: {
      readonly pathValues: readonly string[];
      readonly headers: Readonly<Record<string, string>>;
      readonly query: Readonly<Record<string, string>>;
    };
  };
  readonly sender: {
    readonly service: string;
    readonly sourceArn: string;
    readonly account: string;
    readonly region: string;
  };
  readonly body: Buffer;
  readonly traceHeader?: string;
  /** When the event came, in epoch milliseconds. */
  readonly ingestedAt?: number;
  readonly retry: { readonly attemptsMax: number; readonly ageMsMax: number };
  readonly deadLetter?: {
    readonly queueArn: string;
    readonly attributes: Readonly<
      Record<string, { readonly DataType: "String"; readonly StringValue: string }>
    >;
    readonly tells: "eventbridge";
    readonly body?: string;
  };
  readonly metrics?: ParcelMetrics;
}

/** Names of what the courier counts of a parcel. */
export interface ParcelMetrics {
  readonly namespace: string;
  readonly dimensions: readonly Readonly<Record<string, string>>[];
  readonly attempt: string;
  readonly delivered: readonly string[];
  readonly retried: string;
  readonly failed: readonly string[];
  readonly deadLettered: string;
  readonly deadLetterFailed: string;
  readonly latency: { readonly started: string; readonly completed: string; readonly delivered: string };
  readonly also: Readonly<Record<string, readonly Readonly<Record<string, string>>[]>>;
}

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
