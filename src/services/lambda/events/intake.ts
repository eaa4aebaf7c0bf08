/** Writes accepted events: those that come while others are being made durable become durable together. */
import { GatheredWrites } from "../../../store/gathered-writes.ts";
import type { Database } from "../../../store/database.ts";
import type { BatchedJob, Queue } from "../../../store/queue.ts";

export const EVENT_TOPIC = "lambda.events";

export class Intake {
  readonly #writes: GatheredWrites<BatchedJob>;

  /** @param slowMs From how long on, in milliseconds of the machine, a transaction counts as slow. */
  constructor(database: Database, queue: Queue, slowMs?: number) {
    this.#writes = new GatheredWrites(
      database,
      (transaction, jobs) => queue.enqueueTogether(transaction, EVENT_TOPIC, jobs),
      slowMs === undefined ? {} : { slowMs },
    );
  }

  /** Resolves once the event is durable. */
  write(job: BatchedJob): Promise<void> {
    return this.#writes.write(job);
  }
}
