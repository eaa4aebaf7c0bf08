/** What S3 needs from other services; satisfied in server/compose.ts. */
import type { Transaction } from "../../store/database.ts";

/** The Lambda functions that bucket notifications call. */
export interface NotificationFunctions {
  /** Whether the function exists and its resource policy lets s3.amazonaws.com invoke it for this bucket. */
  check(functionArn: string, bucketArn: string, bucketAccount: string): Promise<"ok" | "missing" | "denied">;
  /** Hands an event to the function's asynchronous queue, in the caller's transaction. */
  invokeAsync(transaction: Transaction, notification: Notification): Promise<void>;
}

export interface Notification {
  readonly functionArn: string;
  readonly payload: Uint8Array;
  readonly bucketArn: string;
  readonly bucketAccount: string;
  /** X-Amzn-Trace-Id of the request that changed the object. */
  readonly traceHeader?: string;
}
