/** Runs queued events: claims them, invokes, acknowledges; retries as AWS does; gives claimed ones back when the server stops. */
import type { Invoker } from "../../../invoke/index.ts";
import type { Clock } from "../../../kit/clock.ts";
import type { Ids } from "../../../kit/id.ts";
import type { Database } from "../../../store/database.ts";
import type { Job, Queue } from "../../../store/queue.ts";
import type { Log } from "../../../telemetry/log.ts";
import type { Catalogue, Target } from "../catalogue.ts";
import { functionArn } from "../names.ts";
import type { EventConfigRow } from "../store-event-configs.ts";
import { newTraceHeader } from "../trace.ts";
import { Consumer } from "./consumer.ts";
import { decodeEvent, encodeEvent } from "./event.ts";
import type { EventHeader, QueuedEvent } from "./event.ts";
import { EVENT_TOPIC } from "./event-queue.ts";
import { afterDelay, afterFunctionError, isTooOld } from "./retry.ts";
import type { Decision } from "./retry.ts";

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
  readonly #consumer: Consumer;

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#consumer = new Consumer(deps, {
      topic: EVENT_TOPIC,
      concurrency: deps.limits.asyncConcurrency,
      handle: (job) => this.#perform(job),
    });
  }

  start(): void {
    this.#consumer.start();
  }

  /** Runs no new events, and waits for what runs; what then still runs, the next server runs again. */
  stop(graceMs: number): Promise<void> {
    return this.#consumer.stop(graceMs);
  }

  async #perform(job: Job): Promise<void> {
    const { queue, clock, log } = this.#deps;
    const event = decodeEvent(job.payload);
    const { header } = event;
    const reference = { ...header, qualifier: header.qualifier };
    const config = await this.#deps.catalogue.eventConfig(reference);
    if (isTooOld(header, config, clock.now()))
      return this.#settle(job, { kind: "give up", condition: "EventAgeExceeded" }, "too old");
    const target = await this.#deps.catalogue.target(reference).catch((error: Error) => error);
    if (!(target instanceof Error)) return this.#invoke(job, event, target, config);
    if (target.name !== "ResourceNotFoundException")
      return this.#settle(job, afterDelay(header, config, clock.now()), target.message);
    log.warn("An event's function no longer exists; it is dropped", eventFields(header));
    await queue.acknowledge(job);
  }

  async #invoke(
    job: Job,
    { header, payload }: QueuedEvent,
    target: Target,
    config: EventConfigRow | undefined,
  ): Promise<void> {
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
    if (failed && this.#consumer.isStopped) await queue.retryAt(job, clock.now(), "The server stopped");
    else if (outcome instanceof Error)
      await this.#settle(job, afterDelay(header, config, clock.now()), outcome.message);
    else if (outcome.functionError)
      await this.#settle(
        job,
        afterFunctionError(header, config, clock.now()),
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
