/** What event source mappings need of other parts; satisfied in server/compose.ts. */
import type { Transaction } from "../store/database.ts";
import type { InvokeOutcome, MappedFunction } from "./source.ts";

/** Lambda's functions, as sources call them. */
export interface MappedFunctions {
  /** The function, version or alias behind an ARN; undefined where it is gone. */
  describe(functionArn: string): Promise<MappedFunction | undefined>;
  /** Runs it once, synchronously. Never rejects. */
  invokeSync(
    functionArn: string,
    invocation: { readonly payload: Buffer; readonly traceHeaders: readonly string[] },
  ): Promise<InvokeOutcome>;
}

/** Execution roles. */
export interface ExecutionRoles {
  /** Whether what acts for the role may do something to a resource, by the role's policies and the resource's own. */
  mayUse(roleArn: string, action: string, resource: UsedResource): Promise<boolean>;
}

export interface UsedResource {
  readonly arn: string;
  /** The text of its own policy; undefined where it has none. */
  readonly policy?: string | undefined;
}

/** Where the records of failed events go. */
export interface RecordDestinations {
  /**
   * What keeps records from being delivered to an ARN, as the end of a sentence; undefined when nothing does.
   * @param keyPrefix Where objects would lie, if it is a bucket.
   */
  fault(sender: RecordSender, destinationArn: string, keyPrefix: string): Promise<string | undefined>;
  /** Begins a delivery in the caller's transaction. */
  put(
    tx: Transaction,
    delivery: {
      readonly sender: RecordSender;
      readonly destination: string;
      readonly record: Buffer;
      /** Where the destination is a bucket. */
      readonly objectKey: string;
      readonly traceHeader: string | undefined;
    },
  ): Promise<void>;
}

/** The function whose record it is, and the role that delivers it. */
export interface RecordSender {
  readonly functionArn: string;
  readonly roleArn: string;
}

/** Queues, read in this process. */
export interface QueueReader {
  /** Undefined where there is no such queue. */
  describe(queueArn: string): Promise<
    | {
        readonly fifo: boolean;
        readonly visibilityTimeoutSeconds: number;
        /** The text of its policy. */
        readonly policy: string | undefined;
      }
    | undefined
  >;
  /** Up to `max` messages of at most `bytesMax` together; waits until there is one, `waitMs` is over, or the signal aborts. */
  receive(
    queueArn: string,
    options: {
      readonly max: number;
      readonly bytesMax: number;
      readonly waitMs: number;
      readonly signal: AbortSignal;
      readonly visibilityTimeoutSeconds?: number;
    },
  ): Promise<readonly QueueMessage[]>;
  delete(queueArn: string, receiptHandles: readonly string[]): Promise<void>;
  changeVisibility(queueArn: string, receiptHandles: readonly string[], seconds: number): Promise<void>;
  /** Gives messages back without the receive having counted; hidden for `delaySeconds`. */
  giveBack(queueArn: string, receiptHandles: readonly string[], delaySeconds: number): Promise<void>;
}

export interface QueueMessage {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly md5OfBody: string;
  /** As ReceiveMessage names them. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly messageAttributes: Readonly<Record<string, QueueMessageAttribute>>;
  readonly md5OfMessageAttributes?: string | undefined;
}

export interface QueueMessageAttribute {
  readonly DataType?: string | undefined;
  readonly StringValue?: string | undefined;
  readonly BinaryValue?: Uint8Array | undefined;
}
