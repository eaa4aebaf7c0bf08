/** What S3 needs from other services; satisfied in server/compose.ts. */
import type { ResourcePolicies as Policies } from "../../aws/resource-policies.ts";
import type { Reader, Transaction } from "../../store/database.ts";

/** The Lambda functions that bucket notifications call. */
export interface NotificationFunctions {
  /** Whether the function exists, and its resource policy lets s3.amazonaws.com invoke it for this bucket. */
  check(
    functionArn: string,
    sender: NotificationSender,
    reader?: Reader,
  ): Promise<"ok" | "missing" | "denied">;
  /** Hands an event to the function's asynchronous queue, in the caller's transaction. */
  invokeAsync(
    transaction: Transaction,
    notification: FunctionNotification,
  ): Promise<"queued" | "missing" | "too-large">;
}

export interface FunctionNotification {
  readonly functionArn: string;
  readonly payload: Uint8Array;
  /** X-Amzn-Trace-Id of the request that changed the object. */
  readonly traceHeader?: string;
}

/** The queues that bucket notifications go to. */
export interface NotificationQueues {
  /** Whether the queue exists, and its policy lets s3.amazonaws.com send to it for this bucket. */
  check(queueArn: string, sender: NotificationSender): Promise<"ok" | "missing" | "denied">;
  /** Adds a message in the caller's transaction. */
  send(transaction: Transaction, message: QueueNotification): Promise<"sent" | "missing" | "too-large">;
}

/** The topics that bucket notifications go to. */
export interface NotificationTopics {
  /** Whether the topic exists, and its policy lets s3.amazonaws.com publish for this bucket. */
  check(topicArn: string, sender: NotificationSender, tx?: Transaction): Promise<"ok" | "missing" | "denied">;
  /** Publishes in the caller's transaction. */
  publish(
    transaction: Transaction,
    message: {
      readonly topicArn: string;
      readonly message: string;
      readonly subject: string;
      readonly traceHeader?: string;
    },
  ): Promise<"published" | "missing" | "too-large">;
}

export interface NotificationSender {
  readonly service: "s3.amazonaws.com";
  /** The bucket's. */
  readonly sourceArn: string;
  readonly sourceAccount: string;
}

export interface QueueNotification {
  readonly queueArn: string;
  readonly body: string;
  readonly traceHeader?: string;
  readonly sender: NotificationSender;
}

/** The event buses that changes of objects are put on. */
export interface NotificationBuses {
  /** In the caller's transaction, with all that follows from it. */
  put(
    transaction: Transaction,
    event: {
      readonly busArn: string;
      /** JSON. */
      readonly text: string;
      readonly source: "aws.s3";
      readonly detailType: string;
      readonly resources: readonly string[];
      readonly account: string;
      readonly region: string;
      readonly traceHeader?: string;
    },
  ): Promise<unknown>;
}

/** What bucket policies say: the documents are S3's, the language is IAM's. */
export type ResourcePolicies = Pick<Policies, "parse" | "principalFault" | "decide" | "ask">;
