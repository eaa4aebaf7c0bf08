/** What the courier needs of the services that it delivers to; satisfied in server/compose.ts. */
import type { Transaction } from "../store/database.ts";
import type { MessageAttributes } from "../aws/parcel.ts";

type Caller =
  | { readonly service: string; readonly sourceArn: string; readonly sourceAccount: string }
  | { readonly roleArn: string };

type Answer = Promise<"ok" | "missing" | "denied">;

export interface AssumedRoles {
  /** Whether a role is there and trusts a service that acts for a resource. */
  canBeAssumedBy(roleArn: string, service: string, sourceArn: string): Promise<boolean>;
}

export interface TargetFunctions {
  check(functionArn: string, caller: Caller, tx?: Transaction): Answer;
  invokeAsync(
    tx: Transaction,
    event: { readonly functionArn: string; readonly payload: Uint8Array; readonly traceHeader?: string },
  ): Promise<"queued" | "missing" | "too-large">;
}

export interface TargetQueues {
  check(queueArn: string, sender: Caller, tx?: Transaction): Answer;
  /** @throws AwsError for a message that the queue would refuse for another reason than its size */
  send(
    tx: Transaction,
    message: {
      readonly queueArn: string;
      readonly body: string;
      readonly attributes?: Readonly<
        Record<
          string,
          { readonly DataType: string; readonly StringValue?: string; readonly BinaryValue?: Uint8Array }
        >
      >;
      readonly traceHeader?: string;
      readonly groupId?: string;
      readonly deduplicationId?: string;
      readonly sender: Caller;
    },
  ): Promise<"sent" | "missing" | "too-large">;
}

export interface TargetTopics {
  check(topicArn: string, sender: Caller, tx?: Transaction): Answer;
  /** @throws AwsError for a message that the topic would refuse for another reason than its size */
  publish(
    tx: Transaction,
    message: {
      readonly topicArn: string;
      readonly message: string;
      readonly subject?: string;
      readonly attributes?: MessageAttributes;
      readonly messageGroupId?: string;
      readonly deduplicationId?: string;
      readonly traceHeader?: string;
    },
  ): Promise<"published" | "missing" | "too-large">;
}

export interface TargetStreams {
  check(streamArn: string, sender: Caller): Answer;
  put(
    tx: Transaction,
    record: { readonly streamArn: string; readonly partitionKey: string; readonly data: Uint8Array },
  ): Promise<"put" | "missing" | "throttled" | "too-large">;
}

export interface TargetLogGroups {
  check(groupArn: string, sender: Exclude<Caller, { roleArn: string }>, tx?: Transaction): Answer;
  put(
    tx: Transaction,
    groupArn: string,
    stream: string,
    events: readonly { readonly timestamp: number; readonly message: string }[],
    traceHeader?: string,
  ): Promise<"put" | "missing">;
}

export interface TargetBuses {
  check(
    busArn: string,
    sender: Caller,
    event: { readonly source: string; readonly detailType: string },
    tx?: Transaction,
  ): Answer;
  /** Puts an event; with `whole` the text is the whole of one that has been on another bus. */
  put(
    tx: Transaction,
    event: {
      readonly busArn: string;
      readonly text: string;
      readonly whole: boolean;
      readonly source: string;
      readonly detailType: string;
      readonly resources: readonly string[];
      readonly account: string;
      readonly region: string;
      readonly traceHeader?: string;
    },
  ): Promise<"put" | "missing" | "invalid">;
}

export interface TargetApiDestinations {
  check(arn: string, roleArn: string): Answer;
  /** The request as it is to be sent now; a text says why there is none. */
  prepare(
    arn: string,
    target: {
      readonly pathValues: readonly string[];
      readonly headers: Readonly<Record<string, string>>;
      readonly query: Readonly<Record<string, string>>;
    },
    body: Buffer,
  ): Promise<
    | {
        readonly url: string;
        readonly method: string;
        readonly headers: Readonly<Record<string, string>>;
        readonly body: Buffer;
        readonly perSecondMax: number;
        /** To be called where the endpoint did not take the sign-in; absent where another would be the same. */
        readonly forget?: () => void;
      }
    | string
  >;
}

export interface TargetOperations {
  /** Calls an operation as a role. Undefined once it is done; else the error of its API. */
  call(call: {
    readonly service: string;
    readonly action: string;
    /** JSON */
    readonly input: string;
    readonly roleArn: string;
    readonly region: string;
    /** The same for each attempt at one thing. */
    readonly token: string;
  }): Promise<
    | {
        readonly code: string;
        readonly message: string;
        readonly isTransient: boolean;
        readonly isThrottled: boolean;
      }
    | undefined
  >;
}
