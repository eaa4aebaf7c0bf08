/** An asynchronous invocation as it waits in the queue: a header in JSON, then the payload's bytes untouched. */

/** Everything about an event but its payload. */
export interface EventHeader {
  readonly requestId: string;
  readonly account: string;
  readonly region: string;
  readonly name: string;
  /** As named by the caller; an alias is resolved when the event runs. */
  readonly qualifier?: string;
  readonly traceHeader?: string;
  /** When it was accepted, in epoch milliseconds. */
  readonly acceptedAt: number;
  /** Runs that ended in a function error. */
  readonly failures: number;
  /** Throttles and failures of ours in a row, for their back-off. */
  readonly delays: number;
}

export interface QueuedEvent {
  readonly header: EventHeader;
  readonly payload: Buffer;
}
