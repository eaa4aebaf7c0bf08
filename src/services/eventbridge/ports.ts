/** What EventBridge needs of other parts; satisfied in server/compose.ts. */
import type { ConditionValues, Principal } from "../../aws/service.ts";
import type { Transaction } from "../../store/database.ts";

/** What takes events to targets: the server's courier. */
export interface Courier {
  /** In the caller's transaction. What a target refuses goes to the dead-letter queue. */
  hand(tx: Transaction, parcel: Parcel): Promise<"delivered" | "waiting" | "refused">;
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
    readonly logs?: { readonly stream: string };
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

/** What a bus's policy says of a caller. */
export type PolicyAnswer = "denied" | "principal" | "role" | "account" | "none";

export type PolicyCaller =
  | { readonly service: string }
  | Principal
  | { readonly account: string; readonly arn: string };

export interface ResourcePolicies {
  /** Reads a document whose statements name resources. @throws Error, with what is wrong. */
  parse(text: string): unknown;
  /** What is wrong with the users and roles of an account that a document names: the first that does not exist. */
  principalFault(text: string, account: string): Promise<string | undefined>;
  ask(
    text: string,
    question: {
      readonly action: string;
      readonly resources: readonly string[];
      readonly conditions?: ConditionValues;
    },
    caller: PolicyCaller,
  ): Promise<PolicyAnswer>;
}

export interface Roles {
  /** Whether a role's own policies allow an action on a resource. */
  allows(roleArn: string, action: string, resourceArn: string): Promise<boolean>;
}
