/**
 * What follows from one attempt at a batch. Function errors use up retries, throttles and failures of the platform do not; a batch that is
 * split, or cut behind records that are done, uses up none.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
 */
import type { StreamSettings } from "./settings.ts";

/** What is known of a batch, or of what is left of one. */
export interface Attempts {
  readonly size: number;
  /** Times the function failed at its first record, as far as they use up retries. */
  readonly failures: number;
  /** Throttles and failures of the platform since the function last ran. */
  readonly delays: number;
}

export type Result =
  /** The function took all of it. */
  | { readonly kind: "done" }
  /** It took those before `at`, and reports this one as failed. */
  | { readonly kind: "done until"; readonly at: number }
  /** The function failed. */
  | { readonly kind: "failed" }
  /** The function did not run. */
  | { readonly kind: "not run" }
  /** No event can hold it; one record alone never gets into one. */
  | { readonly kind: "too large" };

/** `done` records at the head are done; then what happens to the rest, if there is one. */
export type Decision =
  | { readonly kind: "advance"; readonly done: number }
  | { readonly kind: "again"; readonly done: number; readonly rest: Attempts; readonly waitMs: number }
  | { readonly kind: "split"; readonly at: number }
  | { readonly kind: "discard"; readonly done: number };

type Policy = Pick<StreamSettings, "retries" | "bisects">;

export function decide(attempts: Attempts, result: Result, policy: Policy): Decision {
  const { size, failures } = attempts;
  switch (result.kind) {
    case "done":
      return { kind: "advance", done: size };
    case "too large":
      return size > 1 ? halves(attempts) : { kind: "discard", done: 0 };
    case "not run": {
      const rest = { size, failures, delays: attempts.delays + 1 };
      return { kind: "again", done: 0, rest, waitMs: delayMs(attempts.delays) };
    }
    case "done until":
    case "failed": {
      const done = result.kind === "failed" ? 0 : result.at;
      return done > 0 ? cutBehind(attempts, done, policy) : afterFailure(attempts, policy);
    }
    default:
      throw result satisfies never;
  }
}

/** The checkpoint moves to the failed record: with it a new count begins, which the cut of a bisected batch does not add to. */
function cutBehind({ size }: Attempts, at: number, { retries, bisects }: Policy): Decision {
  const rest = { size: size - at, failures: bisects && size - at > 1 ? 0 : 1, delays: 0 };
  if (rest.failures > retries) return { kind: "discard", done: at };
  return { kind: "again", done: at, rest, waitMs: retryMs(rest.failures) };
}

function afterFailure({ size, failures }: Attempts, { retries, bisects }: Policy): Decision {
  if (bisects && size > 1) return halves({ size });
  if (failures + 1 > retries) return { kind: "discard", done: 0 };
  const rest = { size, failures: failures + 1, delays: 0 };
  return { kind: "again", done: 0, rest, waitMs: retryMs(rest.failures) };
}

function halves({ size }: Pick<Attempts, "size">): Decision {
  return { kind: "split", at: Math.ceil(size / 2) };
}

const RETRY_MS_MIN = 100;
const DELAY_MS_MIN = 200;
const WAIT_MS_MAX = 60_000;

/** The wait before a retry: doubling from a tenth of a second to a minute. */
function retryMs(failures: number): number {
  return failures === 0 ? 0 : backOff(RETRY_MS_MIN, failures - 1);
}

function delayMs(delays: number): number {
  return backOff(DELAY_MS_MIN, delays);
}

function backOff(first: number, times: number): number {
  return Math.min(WAIT_MS_MAX, first * 2 ** Math.min(times, 20));
}

/** How many records at the head of a batch are too old to be sent. @param arrivals Epoch milliseconds. */
export function tooOld(arrivals: readonly number[], ageMsMax: number, now: number): number {
  const first = arrivals.findIndex((arrival) => now - arrival <= ageMsMax);
  return first === -1 ? arrivals.length : first;
}
