/** The record of an asynchronous invocation that a destination gets: AWS's shape, with payloads as they were, byte for byte. */
import { jsonFault } from "../json-text.ts";
import { LATEST, functionArn } from "../names.ts";
import type { EventHeader, QueuedEvent } from "./event.ts";

export type Condition = "Success" | "RetriesExhausted" | "EventAgeExceeded";

/** What the last run ended with. */
export interface Response {
  readonly executedVersion: string;
  readonly functionError?: string | undefined;
  readonly payload: Buffer;
}

/** How an event ended. */
export interface Ending {
  readonly condition: Condition;
  /** Epoch milliseconds. */
  readonly at: number;
  /** Times the function ran for it. */
  readonly runs: number;
  /** Absent where it never ran, or not in the end. */
  readonly response?: Response | undefined;
}

/**
 * The record as JSON. One of more than `bytesMax` goes without the two payloads.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
 */
export function invocationRecord({ header, payload }: QueuedEvent, ending: Ending, bytesMax: number): Buffer {
  const whole = assemble(header, ending, { request: payload, response: ending.response?.payload });
  return whole.length <= bytesMax ? whole : assemble(header, ending, {});
}

function assemble(
  header: EventHeader,
  { condition, at, runs, response }: Ending,
  payloads: { request?: Buffer; response?: Buffer | undefined },
): Buffer {
  const head = {
    version: "1.0",
    timestamp: new Date(at).toISOString(),
    requestContext: {
      requestId: header.requestId,
      functionArn: functionArn(header, header.qualifier ?? LATEST),
      condition,
      approximateInvokeCount: runs,
    },
  };
  const parts: (string | Buffer)[] = [JSON.stringify(head).slice(0, -1)];
  if (payloads.request) parts.push(`,"requestPayload":`, payloads.request);
  if (response) {
    const { executedVersion, functionError } = response;
    const context = { statusCode: 200, executedVersion, ...(functionError && { functionError }) };
    parts.push(`,"responseContext":${JSON.stringify(context)}`);
  }
  if (payloads.response) parts.push(`,"responsePayload":`, jsonOf(payloads.response));
  parts.push("}");
  return Buffer.concat(parts.map((part) => Buffer.from(part as string)));
}

/** A custom runtime may answer what is no JSON: it is told as a string. */
function jsonOf(payload: Buffer): Buffer {
  if (payload.length === 0) return Buffer.from("null");
  return jsonFault(payload) === undefined ? payload : Buffer.from(JSON.stringify(payload.toString()));
}
