/** What SNS needs from other parts; satisfied in server/compose-push.ts. */
import type { ResourcePolicies as Policies } from "../../aws/resource-policies.ts";
import type { Transaction } from "../../store/database.ts";

export type ResourcePolicies = Pick<Policies, "parse" | "principalFault" | "ask">;

export interface Roles {
  /** Whether a role's own policies allow an action on a resource. */
  allows(roleArn: string, action: string, resourceArn: string): Promise<boolean>;
}

export type MessageAttributes = Readonly<
  Record<string, { readonly DataType: string; readonly StringValue?: string; readonly BinaryValue?: string }>
>;

/** One delivery to one subscriber. */
export interface Parcel {
  readonly id: string;
  readonly target: {
    readonly arn: string;
    readonly sqs?: {
      readonly messageGroupId?: string;
      readonly deduplicationId?: string;
      readonly attributes?: MessageAttributes;
    };
    readonly http?: {
      readonly method: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly timeoutMs: number;
      readonly perSecondMax?: number;
    };
  };
  readonly sender: {
    readonly service: "sns.amazonaws.com" | `sns.${string}.amazonaws.com`;
    readonly sourceArn: string;
    readonly account: string;
    readonly region: string;
  };
  readonly body: Buffer;
  readonly traceHeader?: string;
  readonly retry: {
    readonly attemptsMax: number;
    readonly ageMsMax: number;
    readonly delaysMs?: readonly number[];
  };
  readonly deadLetter?: {
    readonly queueArn: string;
    readonly attributes: MessageAttributes;
    readonly body?: string;
    readonly messageGroupId?: string;
    readonly deduplicationId?: string;
  };
  readonly metrics?: {
    readonly namespace: "AWS/SNS";
    readonly dimensions: readonly Readonly<Record<string, string>>[];
    readonly delivered: string;
    readonly retried?: string;
    readonly failed: string;
    readonly deadLettered: string;
    readonly deadLetterFailed: string;
  };
}

/** Which http(s) endpoints the server calls. */
export interface Endpoints {
  /** Why a URL is not called, as far as it tells by itself. */
  fault(url: string): string | undefined;
}

/** What carries messages to subscribers, in the transaction that publishes them. */
export interface Courier {
  hand(tx: Transaction, parcel: Parcel): Promise<unknown>;
}
