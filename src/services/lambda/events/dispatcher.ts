/** Runs queued events: claims them, invokes, acknowledges; retries as AWS does; gives claimed ones back when the server stops. */
import { ThrottledError } from "../../../invoke/index.ts";
import type { Invoker } from "../../../invoke/index.ts";
import { decodeBlock, encodeBlock } from "../../../kit/block.ts";
import type { Clock } from "../../../kit/clock.ts";
import type { Ids } from "../../../kit/id.ts";
import type { Database } from "../../../store/database.ts";
import type { Job, Queue } from "../../../store/queue.ts";
import type { Log } from "../../../telemetry/log.ts";
import type { Configuration } from "../configuration.ts";
import type { Catalogue, Target } from "../catalogue.ts";
import { CHAIN_RUNS_MAX, countRun } from "../lineage.ts";
import { findVersion } from "../lookup.ts";
import { functionArn } from "../names.ts";
import type { FunctionReference } from "../names.ts";
import type { EventConfigRow } from "../store-event-configs.ts";
import { newTraceHeader } from "../trace.ts";
import { Consumer } from "../../../store/queue/consumer.ts";
import type { Deliveries } from "./deliveries.ts";
import type { DeadLetter } from "./destinations.ts";
import type { QueuedEvent } from "./event.ts";
import type { EventMetrics } from "./event-metrics.ts";
import { EVENT_TOPIC } from "./intake.ts";
import type { Pace } from "./pace.ts";
import type { Condition, Response } from "./record.ts";
import { afterDelay, afterFunctionError, isTooOld } from "./retry.ts";
import type { Decision } from "./retry.ts";

/** How much of a function's error the log tells, in bytes. */
const REASON_BYTES_MAX = 1_000;

/** What becomes of an event that may not run: of a recursive loop, or of a function that is switched off. */
const GIVE_UP: Decision = { kind: "give up", condition: "RetriesExhausted" };

/** HTTP statuses, as dead letters tell them. */
const ANSWERED = 200;
const THROTTLED = 429;
const FAILED = 500;

interface Deps {
  readonly database: Database;
  readonly queue: Queue;
  readonly invoker: Invoker;
  readonly catalogue: Catalogue;
  readonly deliveries: Pick<Deliveries, "put" | "putDeadLetter">;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly eventMetrics: EventMetrics;
  readonly pace: Pace;
  readonly limits: { readonly asyncConcurrency: number };
}

/** An event whose turn it is, and how it is to be treated. */
interface Attempt {
  readonly job: Job;
  readonly event: QueuedEvent;
  /** What was invoked. */
  readonly reference: FunctionReference;
  readonly config: EventConfigRow | undefined;
}

/** What is known of an attempt once it has ended. */
interface Result {
  readonly roleArn?: string;
  /** Absent where the function did not run. */
  readonly response?: Response;
  /** What it ran with. */
  readonly traceHeader?: string;
  /** For the log. */
  readonly reason?: string;
  /** An HTTP status, for dead letters: 200 where the function has answered with an error. */
  readonly errorCode?: number;
}

export class Dispatcher {
  readonly #deps: Deps;
  readonly #consumer: Consumer;

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#consumer = new Consumer(deps, {
      topic: EVENT_TOPIC,
      concurrency: deps.limits.asyncConcurrency,
      mayBegin: () => deps.pace.take(),
      handle: (job) => this.#perform(job),
    });
    deps.pace.onMore = () => this.#consumer.goOn();
  }

  start(): void {
    this.#consumer.start();
  }

  /** Runs no new events, and waits for what runs; what then still runs, the next server runs again. */
  stop(graceMs: number): Promise<void> {
    return this.#consumer.stop(graceMs);
  }

  async #perform(job: Job): Promise<void> {
    const { clock, catalogue } = this.#deps;
    const event = decodeBlock(job.payload) as QueuedEvent;
    const { header } = event;
    const reference = { ...header, qualifier: header.qualifier };
    const config = await catalogue.eventConfig(reference);
    const attempt = { job, event, reference, config };
    if (isTooOld(header, config, clock.now()))
      return this.#settle(attempt, { kind: "give up", condition: "EventAgeExceeded" });
    const target = await catalogue.target(reference).catch((error: Error) => error);
    if (!(target instanceof Error)) return this.#invoke(attempt, target);
    if (target.name === "ResourceNotFoundException") return this.#forget(attempt);
    await this.#settle(attempt, afterDelay(header, config, clock.now()), { reason: target.message });
  }

  async #invoke(attempt: Attempt, target: Target): Promise<void> {
    const { invoker, clock, ids, queue, eventMetrics } = this.#deps;
    const { job, event, reference, config } = attempt;
    const { header, payload } = event;
    const { roleArn } = target.version;
    const { traceHeader, runs } = countRun(
      header.traceHeader ?? newTraceHeader(clock, ids),
      target.lineageId,
    );
    if (runs > CHAIN_RUNS_MAX && target.recursiveLoop === "Terminate") {
      eventMetrics.add(reference, "RecursiveInvocationsDropped");
      return this.#settle(attempt, GIVE_UP, { roleArn, reason: "it was called in a recursive loop" });
    }
    eventMetrics.add(reference, "AsyncEventAge", clock.now() - header.acceptedAt);
    const outcome = await invoker
      .invoke(target.version, {
        requestId: header.requestId,
        payload,
        invokedFunctionArn: functionArn(header, header.qualifier),
        traceHeader,
        wantLogTail: false,
        isAsynchronous: true,
      })
      .catch((error: Error) => error);
    const failed = outcome instanceof Error || outcome.functionError !== undefined;
    if (failed && this.#consumer.isStopped) {
      await queue.retryAt(job, clock.now(), "The server stopped");
      return;
    }
    if (outcome instanceof Error) {
      const isSwitchedOff = outcome instanceof ThrottledError && outcome.isSwitchedOff;
      const decision = isSwitchedOff ? GIVE_UP : afterDelay(header, config, clock.now());
      const errorCode = outcome instanceof ThrottledError ? THROTTLED : FAILED;
      return this.#settle(attempt, decision, { roleArn, reason: outcome.message, errorCode });
    }
    const { executedVersion } = target;
    const response = { executedVersion, functionError: outcome.functionError, payload: outcome.payload };
    if (!failed) return this.#end(attempt, "Success", { roleArn, response, traceHeader });
    const reason = outcome.payload.toString("utf8", 0, REASON_BYTES_MAX);
    const decision = afterFunctionError(header, config, clock.now());
    await this.#settle(attempt, decision, { roleArn, response, traceHeader, reason, errorCode: ANSWERED });
  }

  /** Puts the event back with its counts, atomically in the place of the claimed one; or ends it. */
  async #settle(attempt: Attempt, decision: Decision, result: Result = {}): Promise<void> {
    const { database, queue, log } = this.#deps;
    const { job, event } = attempt;
    if (decision.kind === "give up") {
      const { condition } = decision;
      log.warn("An event has failed for good", { ...eventFields(event), condition, reason: result.reason });
      return this.#end(attempt, condition, result);
    }
    await database.tx(async (tx) => {
      if (!(await queue.acknowledge(job, tx))) return;
      await queue.enqueue(tx, {
        topic: EVENT_TOPIC,
        group: job.group,
        payload: encodeBlock(decision.header, event.payload),
        notBefore: decision.at,
      });
    });
  }

  /** Acknowledges an event; its record goes to the destination in the same transaction. */
  async #end(
    { job, event, reference, config }: Attempt,
    condition: Condition,
    result: Result,
  ): Promise<void> {
    const { database, queue, clock, deliveries, eventMetrics } = this.#deps;
    const hasFailed = condition !== "Success";
    if (hasFailed) eventMetrics.add(reference, "AsyncEventsDropped");
    const destination = hasFailed ? config?.onFailure : config?.onSuccess;
    const asked = hasFailed || (destination && !result.roleArn);
    const configuration = asked ? await this.#configurationOf(reference) : undefined;
    const roleArn = result.roleArn ?? configuration?.role;
    const deadLetters = hasFailed ? configuration?.deadLetterArn : undefined;
    if ((!destination && !deadLetters) || roleArn === undefined) {
      await queue.acknowledge(job);
      return;
    }
    const { response, traceHeader = event.header.traceHeader } = result;
    const runs = event.header.failures + (response ? 1 : 0);
    const at = clock.now();
    const delivery = { event, roleArn, traceHeader };
    const deadLetter = deadLetterOf(event, condition, result);
    await database.tx(async (tx) => {
      if (!(await queue.acknowledge(job, tx))) return;
      const ending = { condition, at, runs, response };
      if (destination) await deliveries.put(tx, { ...delivery, ending, destination });
      if (deadLetters)
        await deliveries.putDeadLetter(tx, { ...delivery, at, deadLetter, destination: deadLetters });
    });
  }

  /** How the version is configured that would have run; undefined where the function is gone. */
  async #configurationOf(reference: FunctionReference): Promise<Configuration | undefined> {
    const found = await findVersion(this.#deps.database, reference).catch((error: Error) => error);
    if (!(found instanceof Error)) return found.row.configuration;
    if (found.name === "ResourceNotFoundException") return undefined;
    throw found;
  }

  async #forget({ job, event, reference }: Attempt): Promise<void> {
    this.#deps.eventMetrics.add(reference, "AsyncEventsDropped");
    this.#deps.log.warn("An event's function no longer exists; it is dropped", eventFields(event));
    await this.#deps.queue.acknowledge(job);
  }
}

/** What a dead letter says of the event's end. */
function deadLetterOf({ header }: QueuedEvent, condition: Condition, result: Result): DeadLetter {
  const { response, reason, errorCode = FAILED } = result;
  const errorMessage = response ? errorMessageOf(response.payload) : (reason ?? condition);
  return { requestId: header.requestId, errorCode, errorMessage };
}

/** The message of a function's error, or all of an answer that has none. */
function errorMessageOf(payload: Buffer): string {
  const text = payload.toString();
  try {
    const { errorMessage } = JSON.parse(text) as { errorMessage?: unknown };
    return typeof errorMessage === "string" ? errorMessage : text;
  } catch {
    return text;
  }
}

function eventFields({ header }: QueuedEvent): Record<string, unknown> {
  return { function: functionArn(header, header.qualifier), requestId: header.requestId };
}
