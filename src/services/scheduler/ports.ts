/** What EventBridge Scheduler needs of other parts; satisfied in server/compose-push.ts. */
import type { Transaction } from "../../store/database.ts";

export interface Roles {
  /** Whether a role is there and trusts a service that acts for a resource. */
  canBeAssumedBy(roleArn: string, service: string, sourceArn: string): Promise<boolean>;
}

export type MessageAttributes = Readonly<
  Record<string, { readonly DataType: string; readonly StringValue?: string; readonly BinaryValue?: string }>
>;

/** Where an invocation goes, as the role. */
export interface TargetRef {
  readonly arn: string;
  readonly roleArn: string;
  /** aws:SourceArn of the role's trust: the schedule's group. */
  readonly trustSourceArn: string;
  readonly sqs?: {
    readonly messageGroupId?: string;
    readonly deduplicationId?: string;
    readonly attributes?: MessageAttributes;
  };
  readonly kinesis?: { readonly partitionKey: string };
  readonly sns?: {
    readonly subject?: string;
    readonly attributes?: MessageAttributes;
    readonly messageGroupId?: string;
    readonly deduplicationId?: string;
  };
  readonly event?: {
    readonly source: string;
    readonly detailType: string;
    readonly resources?: readonly string[];
  };
}

export interface Sender {
  readonly service: "scheduler.amazonaws.com";
  readonly sourceArn: string;
  readonly account: string;
  readonly region: string;
}

/** One invocation of one target. */
export interface Parcel {
  readonly id: string;
  readonly target: TargetRef;
  readonly sender: Sender;
  readonly body: Buffer;
  /** Stands in the body for the number of the attempt. */
  readonly attemptText: string;
  readonly retry: { readonly attemptsMax: number; readonly ageMsMax: number };
  readonly deadLetter?: {
    readonly queueArn: string;
    /** As whom it is sent. */
    readonly roleArn: string;
    readonly attributes: MessageAttributes;
    readonly tells: "scheduler";
    /** Instead of what the target got. */
    readonly body?: string;
  };
  readonly metrics: {
    readonly namespace: "AWS/Scheduler";
    readonly dimensions: readonly Readonly<Record<string, string>>[];
    readonly attempt: string;
    readonly targetFailed: string;
    readonly targetThrottled: string;
    readonly failed: string;
    readonly deadLettered: string;
    readonly deadLetterFailed: string;
  };
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
export interface Courier {
  fault(
    target: TargetRef,
    sender: Sender,
  ): Promise<{ readonly code: string; readonly message: string } | undefined>;
  /** In the caller's transaction. */
  hand(tx: Transaction, parcel: Parcel): Promise<unknown>;
}
