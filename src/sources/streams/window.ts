/**
 * Tumbling windows: a lane's records are in windows by their arrival, each with a state that the function hands on from one invocation to
 * the next. A window ends with an invocation that has no records.
 */

export interface Window {
  /** Epoch milliseconds. */
  readonly start: number;
  readonly end: number;
  /** JSON. */
  readonly state: string;
  /** The lane that has it, of how many: see {@link windowSlot}. */
  readonly slot: string;
  /** Of its last record. */
  readonly lastSequenceNumber: string;
  readonly lastArrivalMs: number;
  /** The state has become too large: the window ends before its time. */
  readonly isTerminatedEarly: boolean;
}

/** Largest state of a window, in bytes of JSON. */
export const STATE_BYTES_MAX = 1_048_576;
/** A record may become readable a moment after the time at which it arrived: so long a window waits for such. */
const LATE_MS = 500;
export const EMPTY_STATE = "{}";

/** The window that a record opens when none is open. */
export function openWindow(arrivalMs: number, sizeMs: number): Pick<Window, "start" | "end" | "state"> {
  const start = Math.floor(arrivalMs / sizeMs) * sizeMs;
  return { start, end: start + sizeMs, state: EMPTY_STATE };
}

/** How many records at the head belong to the window; one that comes late is in the window that is open then. */
export function countWithin(window: Pick<Window, "end">, arrivals: readonly number[]): number {
  const first = arrivals.findIndex((arrival) => arrival >= window.end);
  return first === -1 ? arrivals.length : first;
}

/** When a window ends of itself, in epoch milliseconds: then no further record of it comes. */
export function closesAt({ end }: Pick<Window, "end">): number {
  return end + LATE_MS;
}

/** Names a lane's window. With another ParallelizationFactor a lane has other keys, and cannot go on with it. */
export function windowSlot(lane: number, lanes: number): string {
  return `${lane}/${lanes}`;
}

/** The window after an invocation. */
export function withState(
  window: Pick<Window, "start" | "end">,
  slot: string,
  state: string,
  last: { readonly sequenceNumber: string; readonly arrivalMs: number },
): Window {
  return {
    start: window.start,
    end: window.end,
    state,
    slot,
    lastSequenceNumber: last.sequenceNumber,
    lastArrivalMs: last.arrivalMs,
    isTerminatedEarly: Buffer.byteLength(state) > STATE_BYTES_MAX,
  };
}

/** What an event of a window has beside its records: JSON members, with a comma before the first. */
export function windowMembers(
  window: Pick<Window, "start" | "end" | "state">,
  place: { readonly shardId: string; readonly eventSourceArn: string },
  end: { readonly isFinal: boolean; readonly isTerminatedEarly: boolean },
): string {
  const times = { start: instant(window.start), end: instant(window.end) };
  return (
    `,"window":${JSON.stringify(times)},"state":${window.state},"shardId":${JSON.stringify(place.shardId)}` +
    `,"eventSourceARN":${JSON.stringify(place.eventSourceArn)},"isFinalInvokeForWindow":${end.isFinal}` +
    `,"isWindowTerminatedEarly":${end.isTerminatedEarly}`
  );
}

/** `2020-07-30T17:00:00Z` */
function instant(ms: number): string {
  return new Date(ms).toISOString().replace(".000Z", "Z");
}
