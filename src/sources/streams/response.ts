/**
 * What the function's answer says of the batch: which record failed first, and the state of a tumbling window.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-windows.html
 */
import { readBatchAnswer } from "../batch-item-failures.ts";
import type { Result } from "./failure.ts";

export interface Answer {
  readonly result: Result;
  /** The window's state as JSON, where the answer has one. */
  readonly state?: string;
}

interface Expected {
  readonly sequenceNumbers: readonly string[];
  readonly reportsItemFailures: boolean;
  /** Whether the records are in a window: then an answer without state is a failure. */
  readonly needsState: boolean;
}

export function readAnswer(payload: Buffer, expected: Expected): Answer {
  const state = expected.needsState ? stateOf(payload) : undefined;
  if (expected.needsState && state === undefined) return { result: { kind: "failed" } };
  const result = expected.reportsItemFailures
    ? firstFailure(payload, expected.sequenceNumbers)
    : ({ kind: "done" } as const);
  return { result, ...(state !== undefined && { state }) };
}

/** The lowest failed record is where the checkpoint stops; an item that names none of the batch fails it whole. */
function firstFailure(payload: Buffer, sequenceNumbers: readonly string[]): Result {
  const places = new Map<unknown, number>(sequenceNumbers.map((one, place) => [one, place]));
  const answer = readBatchAnswer(payload, (identifier) => places.get(identifier));
  if (answer.outcome === "partial") return { kind: "done until", at: Math.min(...answer.failed) };
  return { kind: answer.outcome === "success" ? "done" : "failed" };
}

function stateOf(payload: Buffer): string | undefined {
  try {
    const { state } = JSON.parse(payload.toString()) as { state?: unknown };
    return state === undefined || state === null ? undefined : JSON.stringify(state);
  } catch {
    return undefined;
  }
}
