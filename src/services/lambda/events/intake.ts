/** Writes accepted events: those that come while others are being made durable wait for these, and become durable together. */
import { setImmediate } from "node:timers/promises";
import type { Database } from "../../../store/database.ts";
import type { BatchedJob, Queue } from "../../../store/queue.ts";

export const EVENT_TOPIC = "lambda.events";

/** Longest wait for further events, in milliseconds of the machine. */
const GATHER_MS_MAX = 2;

/** Events of one transaction. */
interface Batch {
  readonly jobs: BatchedJob[];
  readonly written: Promise<void>;
}

export class Intake {
  readonly #database: Database;
  readonly #queue: Queue;
  /** The events that the next transaction writes, until it begins. */
  #next: Batch | undefined;
  /** Resolves once the transaction before it has ended, well or not. */
  #before: Promise<unknown> = Promise.resolve();
  /** Callers that have lately waited at once. */
  #callers = 0;

  constructor(database: Database, queue: Queue) {
    this.#database = database;
    this.#queue = queue;
  }

  /** Resolves once the event is durable. */
  write(job: BatchedJob): Promise<void> {
    this.#next ??= this.#begin();
    this.#next.jobs.push(job);
    return this.#next.written;
  }

  /**
   * One transaction at a time: a commit is durable no sooner than the sync that runs already, so a transaction that began beside it
   * would cost as much and gain nothing.
   */
  #begin(): Batch {
    const jobs: BatchedJob[] = [];
    const close = () => {
      if (this.#next?.jobs === jobs) this.#next = undefined;
    };
    const written = this.#before
      .then(() => this.#gather(jobs))
      .then(() =>
        this.#database.tx((transaction) => {
          close();
          return this.#queue.enqueueTogether(transaction, EVENT_TOPIC, jobs);
        }),
      );
    const ended = () => {
      // Where it never began.
      close();
      this.#callers = jobs.length + (this.#next?.jobs.length ?? 0);
    };
    this.#before = written.then(ended, ended);
    return { jobs, written };
  }

  /**
   * Waits for half of the callers, as long as each turn of the event loop brings one: then the events of one half become durable while
   * those of the other half come in. A server with more to do than it can would otherwise sync for every few of them.
   */
  async #gather(jobs: readonly BatchedJob[]): Promise<void> {
    const until = performance.now() + GATHER_MS_MAX;
    for (let seen = 0; jobs.length > seen && jobs.length < this.#callers / 2 && performance.now() < until;) {
      seen = jobs.length;
      await setImmediate();
    }
  }
}
