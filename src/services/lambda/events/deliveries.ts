/** Carries records from the transaction in which their event ended to their destinations; nothing is lost on the way. */
import { decodeBlock, encodeBlock } from "../../../kit/block.ts";
import { backOffMs } from "../../../kit/back-off.ts";
import type { Clock } from "../../../kit/clock.ts";
import type { Transaction } from "../../../store/database.ts";
import type { Job, Queue } from "../../../store/queue.ts";
import type { Log } from "../../../telemetry/log.ts";
import { functionArn } from "../names.ts";
import { Consumer } from "../../../store/queue/consumer.ts";
import { Undeliverable, destinationOf } from "./destinations.ts";
import type { DeadLetter, Delivery, DestinationDeps } from "./destinations.ts";
import type { QueuedEvent } from "./event.ts";
import type { EventMetrics } from "./event-metrics.ts";
import { invocationRecord } from "./record.ts";
import type { Ending } from "./record.ts";

const DELIVERY_TOPIC = "lambda.deliveries";
/** Deliveries at once: they are short. */
const CONCURRENCY = 16;
/** A destination that fails for this long, other than by refusing, is given up. */
const DELIVERY_AGE_MS_MAX = 6 * 3_600_000;

interface Deps extends DestinationDeps {
  readonly queue: Queue;
  readonly clock: Clock;
  readonly log: Log;
  readonly eventMetrics: EventMetrics;
}

type DeliveryHeader = Omit<Delivery, "record">;

/** An event that has ended, and where its record goes. */
export interface NewDelivery {
  readonly event: QueuedEvent;
  readonly ending: Ending;
  readonly destination: string;
  /** The role it is delivered with. */
  readonly roleArn: string;
  /** The chain of requests that the record goes on. */
  readonly traceHeader: string | undefined;
}

/** An event that has failed for good. */
export interface NewDeadLetter extends Omit<NewDelivery, "ending"> {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly deadLetter: DeadLetter;
}

export class Deliveries {
  readonly #deps: Deps;
  readonly #consumer: Consumer;

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#consumer = new Consumer(deps, {
      topic: DELIVERY_TOPIC,
      concurrency: CONCURRENCY,
      handle: (job) => this.#deliver(job),
    });
  }

  start(): void {
    this.#consumer.start();
  }

  /** Delivers no more, and waits for what is under way; the next server goes on. */
  stop(graceMs: number): Promise<void> {
    return this.#consumer.stop(graceMs);
  }

  /** Begins a delivery in the transaction that ends the event. */
  async put(
    tx: Transaction,
    { event, ending, destination, roleArn, traceHeader }: NewDelivery,
  ): Promise<void> {
    const { account, region, name } = event.header;
    const bytesMax = destinationOf(this.#deps, destination)?.recordBytesMax ?? 0;
    const record = invocationRecord(event, ending, bytesMax);
    const sender = { account, region, name, roleArn };
    await this.putRecord(tx, { sender, destination, at: ending.at, traceHeader, record });
  }

  /** Begins the delivery of an event that has failed for good to its function's dead-letter queue. */
  async putDeadLetter(
    tx: Transaction,
    { event, at, deadLetter, destination, roleArn, traceHeader }: NewDeadLetter,
  ): Promise<void> {
    const { account, region, name } = event.header;
    const sender = { account, region, name, roleArn };
    await this.putRecord(tx, { sender, destination, at, traceHeader, deadLetter, record: event.payload });
  }

  /** Begins the delivery of a record that is made already. */
  async putRecord(tx: Transaction, { record, ...delivery }: Omit<Delivery, "id">): Promise<void> {
    const header: DeliveryHeader = { ...delivery, id: this.#deps.ids.uuid() };
    await this.#deps.queue.enqueue(tx, {
      topic: DELIVERY_TOPIC,
      group: header.destination,
      payload: encodeBlock(header, record),
    });
  }

  async #deliver(job: Job): Promise<void> {
    const { queue, clock } = this.#deps;
    const { header, payload } = decodeBlock(job.payload) as { header: DeliveryHeader; payload: Buffer };
    try {
      const destination = destinationOf(this.#deps, header.destination);
      const fault = destination
        ? await destination.fault(header.sender, header.destination, keyPrefixOf(header))
        : "no records are delivered there";
      if (!destination || fault !== undefined) return await this.#giveUp(job, header, fault);
      await destination.deliver({ ...header, record: payload }, (tx) => queue.acknowledge(job, tx));
    } catch (error) {
      if (error instanceof Undeliverable || clock.now() - header.at > DELIVERY_AGE_MS_MAX)
        await this.#giveUp(job, header, error);
      else await queue.retryAt(job, clock.now() + backOffMs(job.attempts - 1), String(error));
    }
  }

  async #giveUp(
    job: Job,
    { sender, destination, deadLetter }: DeliveryHeader,
    reason: unknown,
  ): Promise<void> {
    const { queue, log, eventMetrics } = this.#deps;
    const metric = deadLetter ? "DeadLetterErrors" : "DestinationDeliveryFailures";
    eventMetrics.add({ ...sender, qualifier: undefined }, metric);
    const what = deadLetter ? "An event" : "The record of an asynchronous invocation";
    log.warn(`${what} could not be delivered`, {
      function: functionArn(sender),
      destination,
      reason: reason instanceof Error ? reason.message : reason,
    });
    await queue.acknowledge(job);
  }
}

/** What a role must be allowed to write below; undefined where it follows from the function. */
function keyPrefixOf({ objectKey }: DeliveryHeader): string | undefined {
  return objectKey?.split("/", 3).join("/").concat("/");
}
