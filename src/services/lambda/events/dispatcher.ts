/** Runs queued events: claims them, invokes, acknowledges; retries as AWS does; gives claimed ones back when the server stops. */
import type { Invoker } from "../../../invoke/index.ts";
import type { Clock } from "../../../kit/clock.ts";
import type { Ids } from "../../../kit/id.ts";
import type { Database } from "../../../store/database.ts";
import type { Job, Queue } from "../../../store/queue.ts";
import type { Log } from "../../../telemetry/log.ts";
import type { Catalogue, Target } from "../catalogue.ts";
import { functionArn } from "../names.ts";
import { newTraceHeader } from "../trace.ts";
import { decodeEvent, encodeEvent } from "./event.ts";
import type { EventHeader } from "./event.ts";
import { EVENT_TOPIC } from "./event-queue.ts";
import { afterDelay, afterFunctionError, isTooOld } from "./retry.ts";
import type { Decision } from "./retry.ts";

/** After a crash a claimed event runs again when its lease has run out; a running one is extended well before. */
const LEASE_MS = 10_000;
const EXTEND_MS = 3_000;
/** One function may take this share of what runs at once, so that a slow one does not stop the others. */
const FUNCTION_SHARE_MAX = 0.5;
/** Claimed events that wait for their function's share, as a multiple of what runs at once. */
const WAITING_SHARE_MAX = 2;
/** Pause after a failure of the queue itself. */
const QUEUE_ERROR_PAUSE_MS = 1_000;

interface Deps {
  readonly database: Database;
  readonly queue: Queue;
  readonly invoker: Invoker;
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly limits: { readonly asyncConcurrency: number };
}

export class Dispatcher {
  readonly #deps: Deps;
  readonly #abort = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #runningOf = new Map<string, number>();
  /** Claimed, and waiting until their function has room. */
  readonly #waiting: Job[] = [];
  #loop: Promise<void> | undefined;
  /** Wakes the loop when a running event has ended. */
  #freed: () => void = () => {};

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /** Claims nothing more, gives back what waits, and waits for what runs; what then still runs, the next server runs again. */
  async stop(graceMs: number): Promise<void> {
    const { queue, clock } = this.#deps;
    this.#abort.abort();
    this.#freed();
    await this.#loop;
    for (const job of this.#waiting.splice(0)) await queue.retryAt(job, clock.now(), "The server stopped");
    let timer: NodeJS.Timeout | undefined;
    const grace = new Promise<void>((resolve) => (timer = setTimeout(resolve, graceMs)));
    await Promise.race([Promise.all(this.#running), grace]);
    clearTimeout(timer);
  }

  async #run(): Promise<void> {
    const { queue, log, limits } = this.#deps;
    const extending = setInterval(() => {
      for (const job of this.#waiting) this.#extend(job);
    }, EXTEND_MS);
    while (!this.#abort.signal.aborted) {
      try {
        this.#beginWaiting();
        const room = Math.min(
          limits.asyncConcurrency - this.#running.size,
          limits.asyncConcurrency * WAITING_SHARE_MAX - this.#waiting.length,
        );
        if (room <= 0) {
          await new Promise<void>((resolve) => (this.#freed = resolve));
          continue;
        }
        const jobs = await queue.claim(EVENT_TOPIC, room, LEASE_MS);
        this.#waiting.push(...jobs);
        if (jobs.length === 0) await this.#untilSomethingHappens();
      } catch (error) {
        if (this.#abort.signal.aborted) break;
        log.error("The event queue could not be read", { error });
        await pause(QUEUE_ERROR_PAUSE_MS, this.#abort.signal);
      }
    }
    clearInterval(extending);
  }

  /** Until an event is due; or, where some wait for their function, until one that runs has ended. */
  async #untilSomethingHappens(): Promise<void> {
    const freed = new AbortController();
    if (this.#waiting.length > 0) this.#freed = () => freed.abort();
    await this.#deps.queue.wait(EVENT_TOPIC, AbortSignal.any([this.#abort.signal, freed.signal]));
    this.#freed = () => {};
  }

  /** Begins every waiting event whose function has room, oldest first. */
  #beginWaiting(): void {
    const { limits } = this.#deps;
    const ofFunctionMax = Math.max(1, Math.floor(limits.asyncConcurrency * FUNCTION_SHARE_MAX));
    for (const job of this.#waiting.splice(0)) {
      const ofFunction = this.#runningOf.get(job.group) ?? 0;
      if (this.#running.size < limits.asyncConcurrency && ofFunction < ofFunctionMax) this.#begin(job);
      else this.#waiting.push(job);
    }
  }

  #begin(job: Job): void {
    this.#runningOf.set(job.group, (this.#runningOf.get(job.group) ?? 0) + 1);
    const work = this.#perform(job)
      .catch((error: unknown) =>
        this.#deps.log.error("An event could not be handled", { job: job.id, error }),
      )
      .finally(() => {
        const left = (this.#runningOf.get(job.group) ?? 1) - 1;
        if (left > 0) this.#runningOf.set(job.group, left);
        else this.#runningOf.delete(job.group);
        this.#running.delete(work);
        this.#freed();
      });
    this.#running.add(work);
  }

  #extend(job: Job): void {
    const { queue, log } = this.#deps;
    queue
      .extend(job, LEASE_MS)
      .catch((error: unknown) => log.warn("An event's lease was not extended", { error }));
  }

  async #perform(job: Job): Promise<void> {
    const { queue, clock, log } = this.#deps;
    const { header, payload } = decodeEvent(job.payload);
    if (isTooOld(header, clock.now()))
      return this.#settle(job, { kind: "give up", condition: "EventAgeExceeded" }, "too old");
    const extending = setInterval(() => this.#extend(job), EXTEND_MS);
    try {
      const reference = { ...header, qualifier: header.qualifier };
      const target = await this.#deps.catalogue.target(reference).catch((error: Error) => error);
      if (target instanceof Error) {
        if (target.name === "ResourceNotFoundException") {
          log.warn("An event's function no longer exists; it is dropped", eventFields(header));
          await queue.acknowledge(job);
        } else await this.#settle(job, afterDelay(header, clock.now()), target.message);
        return;
      }
      await this.#invoke(job, header, payload, target);
    } finally {
      clearInterval(extending);
    }
  }

  async #invoke(job: Job, header: EventHeader, payload: Buffer, target: Target): Promise<void> {
    const { invoker, clock, ids, queue } = this.#deps;
    const outcome = await invoker
      .invoke(target.version, {
        requestId: header.requestId,
        payload,
        invokedFunctionArn: functionArn(header, header.qualifier),
        traceHeader: header.traceHeader ?? newTraceHeader(clock, ids),
        wantLogTail: false,
      })
      .catch((error: Error) => error);
    const failed = outcome instanceof Error || outcome.functionError !== undefined;
    if (failed && this.#abort.signal.aborted) await queue.retryAt(job, clock.now(), "The server stopped");
    else if (outcome instanceof Error)
      await this.#settle(job, afterDelay(header, clock.now()), outcome.message);
    else if (outcome.functionError)
      await this.#settle(
        job,
        afterFunctionError(header, clock.now()),
        outcome.payload.toString("utf8", 0, 1_000),
      );
    else await queue.acknowledge(job);
  }

  /** Puts the event back with its counts, atomically in the place of the claimed one; or drops it, as AWS does without a destination. */
  async #settle(job: Job, decision: Decision, reason: string): Promise<void> {
    const { database, queue, log } = this.#deps;
    const { header, payload } = decodeEvent(job.payload);
    if (decision.kind === "give up") {
      log.warn("An event is dropped", { ...eventFields(header), condition: decision.condition, reason });
      await queue.acknowledge(job);
      return;
    }
    await database.tx(async (tx) => {
      if (!(await queue.acknowledge(job, tx))) return;
      await queue.enqueue(tx, {
        topic: EVENT_TOPIC,
        group: job.group,
        payload: encodeEvent(decision.header, payload),
        notBefore: decision.at,
      });
    });
  }
}

function eventFields(header: EventHeader): Record<string, unknown> {
  return { function: functionArn(header, header.qualifier), requestId: header.requestId };
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
