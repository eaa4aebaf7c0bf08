/**
 * The record of a batch that was given up, as its destination gets it.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
 */
import type { EventShape } from "./events.ts";
import type { StreamRecord } from "./ports.ts";

export type Condition = "RetryAttemptsExhausted" | "RecordAgeExceeded";

export interface Discarded {
  readonly condition: Condition;
  readonly functionArn: string;
  readonly shardId: string;
  readonly streamArn: string;
  readonly batchInfo: EventShape<StreamRecord>["batchInfo"];
  readonly batchSize: number;
  readonly first: StreamRecord;
  readonly last: StreamRecord;
  /** Of the last attempt; a new one where there was none. */
  readonly requestId: string;
  /** Times the function was called with it. */
  readonly invokes: number;
  /** What the function's last run ended with; absent where it never ran. */
  readonly response: { readonly executedVersion: string; readonly isError: boolean } | undefined;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** @param payload The whole event as text, which buckets get too. */
export function discardedRecord(discarded: Discarded, payload: string | undefined): Buffer {
  const { condition, functionArn, requestId, invokes, response, first, last } = discarded;
  return Buffer.from(
    JSON.stringify({
      requestContext: { requestId, functionArn, condition, approximateInvokeCount: invokes },
      ...(response && {
        responseContext: {
          statusCode: 200,
          executedVersion: response.executedVersion,
          functionError: response.isError ? "Unhandled" : null,
        },
      }),
      version: "1.0",
      timestamp: instant(discarded.at),
      [discarded.batchInfo]: {
        shardId: discarded.shardId,
        startSequenceNumber: first.sequenceNumber,
        endSequenceNumber: last.sequenceNumber,
        approximateArrivalOfFirstRecord: instant(first.arrivalMs),
        approximateArrivalOfLastRecord: instant(last.arrivalMs),
        batchSize: discarded.batchSize,
        streamArn: discarded.streamArn,
      },
      ...(payload !== undefined && { payload }),
    }),
  );
}

function instant(ms: number): string {
  return new Date(ms).toISOString();
}
