/** Writes accepted events: those that come while others are being made durable wait for these, and become durable together. */
import { setImmediate } from "node:timers/promises";
import type { Database } from "../../../store/database.ts";
import type { BatchedJob, Queue } from "../../../store/queue.ts";

export const EVENT_TOPIC = "lambda.events";

/** Longest wait for further events, in milliseconds of the machine. */
const GATHER_MS_MAX = 2;
/** Part of the callers whose events are waited for; those of the others come in while these become durable. */
const GATHERED_SHARE = 0.75;
/** A transaction that took so long waited for the CPU or a slow disk; nothing then waits for anything else. */
const SLOW_MS = 4;

/** Events of one transaction. */
interface Batch {
  readonly jobs: BatchedJob[];
  readonly written: Promise<void>;
}

export class Intake {
  readonly #database: Database;
  readonly #queue: Queue;
  readonly #slowMs: number;
  /** The events that the next transaction writes, until it begins. */
  #next: Batch | undefined;
  /** Resolves once the transaction before it has ended, well or not. */
  #before: Promise<unknown> = Promise.resolve();
  /** Callers that have lately waited at once. */
  #callers = 0;
  /** How long the last transaction took to be durable, in milliseconds of the machine. */
  #tookMs = 0;

  constructor(database: Database, queue: Queue, slowMs = SLOW_MS) {
    this.#database = database;
    this.#queue = queue;
    this.#slowMs = slowMs;
  }

  /** Resolves once the event is durable. */
  write(job: BatchedJob): Promise<void> {
    this.#next ??= this.#begin();
    this.#next.jobs.push(job);
    return this.#next.written;
  }

  /**
   * One transaction at a time: a commit is durable no sooner than the sync that runs already, so a transaction that began beside it
   * would cost as much and gain nothing. But where each takes long, waiting for one before the next begins adds up, and none does.
   */
  #begin(): Batch {
    const jobs: BatchedJob[] = [];
    const written =
      this.#tookMs > this.#slowMs
        ? this.#put(jobs)
        : this.#before.then(() => this.#gather(jobs)).then(() => this.#put(jobs));
    const ended = () => {
      // Where it never began.
      this.#close(jobs);
      this.#callers = jobs.length + (this.#next?.jobs.length ?? 0);
    };
    this.#before = written.then(ended, ended);
    return { jobs, written };
  }

  async #put(jobs: readonly BatchedJob[]): Promise<void> {
    const since = performance.now();
    await this.#database.tx((transaction) => {
      this.#close(jobs);
      return this.#queue.enqueueTogether(transaction, EVENT_TOPIC, jobs);
    });
    this.#tookMs = performance.now() - since;
  }

  /** Further events are of the next batch. */
  #close(jobs: readonly BatchedJob[]): void {
    if (this.#next?.jobs === jobs) this.#next = undefined;
  }

  /**
   * Waits for most of the callers, as long as each turn of the event loop brings one: a server with more to do than it can would otherwise
   * sync for every few of them, and a sync costs as much as reading several requests.
   */
  async #gather(jobs: readonly BatchedJob[]): Promise<void> {
    const until = performance.now() + GATHER_MS_MAX;
    for (
      let seen = 0;
      jobs.length > seen && jobs.length < this.#callers * GATHERED_SHARE && performance.now() < until;
    ) {
      seen = jobs.length;
      await setImmediate();
    }
  }
}
