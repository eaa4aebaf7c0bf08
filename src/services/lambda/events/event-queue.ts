/** The durable queue of asynchronous invocations: what was put in with a committed transaction runs, whatever happens to the server. */
import { encodeBlock } from "../../../kit/block.ts";
import type { Clock } from "../../../kit/clock.ts";
import type { Database, Transaction } from "../../../store/database.ts";
import type { BatchedJob, Queue } from "../../../store/queue.ts";
import { functionArn } from "../names.ts";
import type { FunctionReference } from "../names.ts";
import type { EventHeader } from "./event.ts";
import type { EventMetrics } from "./event-metrics.ts";
import { EVENT_TOPIC, Intake } from "./intake.ts";
import type { Pace } from "./pace.ts";

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
  const intake = new Intake(database, queue);
  return {
    async put(transaction, target, event) {
      await queue.enqueue(transaction, { topic: EVENT_TOPIC, ...jobOf(target, event, clock.now()) });
      transaction.afterCommit(() => eventMetrics.add(target, "AsyncEventsReceived"));
    },
    accept(target, event) {
      eventMetrics.add(target, "AsyncEventsReceived");
      pace.accepted();
      return intake.write(jobOf(target, event, clock.now()));
    },
  };
}

function jobOf(target: FunctionReference, event: NewEvent, now: number): BatchedJob {
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
  return { group: functionArn(target), payload: encodeBlock(header, payload) };
}
