/** When an asynchronous event runs again, and when it is given up (AWS: two retries, one and two minutes; six hours). */
import type { EventHeader } from "./event.ts";

/** Waits before the first and the second retry after a function error. */
const FUNCTION_ERROR_WAITS_MS = [60_000, 120_000];
const EVENT_AGE_MS_MAX = 6 * 3_600_000;
const DELAY_MS_MIN = 1_000;
const DELAY_MS_MAX = 5 * 60_000;

export type Decision =
  | { readonly kind: "again"; readonly at: number; readonly header: EventHeader }
  | { readonly kind: "give up"; readonly condition: "RetriesExhausted" | "EventAgeExceeded" };

/** After the function failed: counts against the two retries. */
export function afterFunctionError(header: EventHeader, now: number): Decision {
  const wait = FUNCTION_ERROR_WAITS_MS[header.failures];
  if (wait === undefined) return { kind: "give up", condition: "RetriesExhausted" };
  return again({ ...header, failures: header.failures + 1, delays: 0 }, now + wait);
}

/** After a throttle or a failure of ours: doubling waits, which count against nothing but the event's age. */
export function afterDelay(header: EventHeader, now: number): Decision {
  const wait = Math.min(DELAY_MS_MAX, DELAY_MS_MIN * 2 ** Math.min(header.delays, 30));
  return again({ ...header, delays: header.delays + 1 }, now + wait);
}

/** An event that waited longer than its age allows does not run any more. */
export function isTooOld(header: EventHeader, now: number): boolean {
  return now - header.acceptedAt > EVENT_AGE_MS_MAX;
}

function again(header: EventHeader, at: number): Decision {
  if (isTooOld(header, at)) return { kind: "give up", condition: "EventAgeExceeded" };
  return { kind: "again", at, header };
}
