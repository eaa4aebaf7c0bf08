/** The durable queue of asynchronous invocations: what was put in with a committed transaction runs, whatever happens to the server. */
import type { Clock } from "../../../kit/clock.ts";
import type { Database, Transaction } from "../../../store/database.ts";
import type { NewJob, Queue } from "../../../store/queue.ts";
import { functionArn } from "../names.ts";
import type { FunctionReference } from "../names.ts";
import { encodeBlock } from "./event.ts";
import type { EventMetrics } from "./event-metrics.ts";
import type { Pace } from "./pace.ts";
import type { EventHeader } from "./event.ts";

export const EVENT_TOPIC = "lambda.events";

/** Events that are written in one transaction. */
const TOGETHER_MAX = 256;

/** What is queued: the request id is the one the function sees, in every attempt. */
export interface NewEvent {
  readonly requestId: string;
  readonly payload: Uint8Array;
  readonly traceHeader?: string | undefined;
}

export interface EventQueue {
  /** Puts an event in, in the caller's transaction. */
  put(transaction: Transaction, target: FunctionReference, event: NewEvent): Promise<void>;
  /** Puts an event in; resolves once that is durable. Events that come at the same time are written together. */
  accept(target: FunctionReference, event: NewEvent): Promise<void>;
}

interface Deps {
  readonly database: Database;
  readonly queue: Queue;
  readonly clock: Clock;
  readonly eventMetrics: EventMetrics;
  readonly pace: Pick<Pace, "accepted">;
}

export function createEventQueue({ database, queue, clock, eventMetrics, pace }: Deps): EventQueue {
  /** The events that the next transaction writes, until it begins. */
  let next: { readonly jobs: NewJob[]; readonly written: Promise<void> } | undefined;
  const begin = () => {
    const jobs: NewJob[] = [];
    const close = () => {
      if (next?.jobs === jobs) next = undefined;
    };
    const written = database.tx(async (transaction) => {
      close();
      for (const job of jobs) await queue.enqueue(transaction, job);
    });
    // Where it never began.
    written.catch(close);
    return { jobs, written };
  };
  return {
    async put(transaction, target, event) {
      await queue.enqueue(transaction, jobOf(target, event, clock.now()));
      transaction.afterCommit(() => eventMetrics.add(target, "AsyncEventsReceived"));
    },
    accept(target, event) {
      if (next === undefined || next.jobs.length === TOGETHER_MAX) next = begin();
      next.jobs.push(jobOf(target, event, clock.now()));
      eventMetrics.add(target, "AsyncEventsReceived");
      pace.accepted();
      return next.written;
    },
  };
}

function jobOf(target: FunctionReference, event: NewEvent, now: number): NewJob {
  const { account, region, name, qualifier } = target;
  const { requestId, payload, traceHeader } = event;
  const header: EventHeader = {
    requestId,
    account,
    region,
    name,
    ...(qualifier === undefined ? {} : { qualifier }),
    ...(traceHeader === undefined ? {} : { traceHeader }),
    acceptedAt: now,
    failures: 0,
    delays: 0,
  };
  return { topic: EVENT_TOPIC, group: functionArn(target), payload: encodeBlock(header, payload) };
}
