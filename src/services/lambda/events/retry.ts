/** When an asynchronous event runs again, and when it is given up (AWS: two retries, one and two minutes; six hours). */
import { backOffMs } from "../../../kit/back-off.ts";
import type { EventConfigRow } from "../store-event-configs.ts";
import type { EventHeader } from "./event.ts";

/** Waits before the first and the second retry after a function error. */
const FUNCTION_ERROR_WAITS_MS = [60_000, 120_000];
const RETRY_ATTEMPTS_DEFAULT = 2;
const EVENT_AGE_SECONDS_DEFAULT = 6 * 3_600;

/** What is configured for the function, version or alias; AWS's defaults where nothing is. */
type Config = Pick<EventConfigRow, "retryAttempts" | "eventAgeSeconds"> | undefined;

export type Decision =
  | { readonly kind: "again"; readonly at: number; readonly header: EventHeader }
  | { readonly kind: "give up"; readonly condition: "RetriesExhausted" | "EventAgeExceeded" };

/** After the function failed: counts against the retries. */
export function afterFunctionError(header: EventHeader, config: Config, now: number): Decision {
  const wait = FUNCTION_ERROR_WAITS_MS[header.failures];
  if (wait === undefined || header.failures >= (config?.retryAttempts ?? RETRY_ATTEMPTS_DEFAULT))
    return { kind: "give up", condition: "RetriesExhausted" };
  return again({ ...header, failures: header.failures + 1, delays: 0 }, config, now + wait);
}

/** After a throttle or a failure of ours: doubling waits, which count against nothing but the event's age. */
export function afterDelay(header: EventHeader, config: Config, now: number): Decision {
  return again({ ...header, delays: header.delays + 1 }, config, now + backOffMs(header.delays));
}

/** An event that waited longer than its age allows does not run any more. */
export function isTooOld(header: EventHeader, config: Config, now: number): boolean {
  return now - header.acceptedAt > (config?.eventAgeSeconds ?? EVENT_AGE_SECONDS_DEFAULT) * 1_000;
}

function again(header: EventHeader, config: Config, at: number): Decision {
  if (isTooOld(header, config, at)) return { kind: "give up", condition: "EventAgeExceeded" };
  return { kind: "again", at, header };
}
