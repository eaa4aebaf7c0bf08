/** The {@link Queue} as a table: a claim is a row with a receipt and the end of its lease. */
import type { Clock } from "../../kit/clock.ts";
import type { Ids } from "../../kit/id.ts";
import type { Database, Transaction } from "../database.ts";
import type { Job, NewJob, Queue } from "../queue.ts";
import { ACKNOWLEDGE, BURY, CLAIM, DEPTH, EXTEND, INSERT, NEXT_DUE, RETRY } from "./statements.ts";
import type { Wakeups } from "./wakeups.ts";

export interface QueueDeps {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly database: Database;
  /** Runs a transaction of one statement that is atomic by itself. */
  readonly transact: Database["tx"];
  readonly wakeups: Wakeups;
  /** Tells the other servers, when there may be any. */
  readonly notify?: (transaction: Transaction, topic: string, dueAt: number) => Promise<void>;
}

interface ClaimedRow {
  id: string;
  job_group: string;
  payload: Buffer;
  attempts: number;
  enqueued_at: number;
  tie: number;
}

export class DurableQueue implements Queue {
  readonly #deps: QueueDeps;
  /** Tells the ids of this process from those of others. */
  readonly #instance: string;
  /** Grows with every enqueue of this process, so that jobs of one millisecond keep their order. */
  #tie = 0;

  constructor(deps: QueueDeps) {
    this.#deps = deps;
    this.#instance = deps.ids.hex(12);
  }

  async enqueue(transaction: Transaction, job: NewJob): Promise<string> {
    const now = this.#deps.clock.now();
    const tie = (this.#tie += 1);
    const id = job.id ?? this.#newId(now, tie);
    const dueAt = Math.max(job.notBefore ?? now, now);
    const added = await transaction.run(INSERT, job.topic, id, job.group ?? "", job.payload, dueAt, tie, now);
    if (added === 0) throw new Error(`Job ${id} is already in the queue ${job.topic}`);
    await this.#announce(transaction, job.topic, dueAt);
    return id;
  }

  async claim(topic: string, count: number, leaseMs: number): Promise<Job[]> {
    const { clock, ids, database, transact } = this.#deps;
    const now = clock.now();
    const next = await database.get<{ due_at: number }>(NEXT_DUE, topic);
    if (next === undefined || next.due_at > now) return [];
    const receipt = ids.uuid();
    const rows = await transact(async (transaction) => {
      const claimed = await transaction.all<ClaimedRow>(
        CLAIM[database.engine],
        topic,
        now,
        count,
        now + leaseMs,
        receipt,
      );
      if (claimed.length > 0) await this.#announce(transaction, topic, now + leaseMs);
      return claimed;
    });
    return rows
      .sort((left, right) => left.enqueued_at - right.enqueued_at || left.tie - right.tie)
      .map((row) => ({
        id: row.id,
        topic,
        group: row.job_group,
        payload: row.payload,
        attempts: row.attempts,
        enqueuedAt: row.enqueued_at,
        receipt,
      }));
  }

  async wait(topic: string, signal: AbortSignal): Promise<void> {
    // Registered before the look, so that nothing that happens in between is missed.
    const woken = this.#deps.wakeups.wait(topic, signal);
    const next = await this.#deps.database.get<{ due_at: number }>(NEXT_DUE, topic);
    if (next !== undefined) this.#deps.wakeups.announce(topic, next.due_at);
    await woken;
  }

  async extendAll(jobs: readonly Job[], leaseMs: number): Promise<number> {
    const until = this.#deps.clock.now() + leaseMs;
    const topics = new Set(jobs.map((job) => job.topic));
    return this.#deps.transact(async (transaction) => {
      let extended = 0;
      for (const { topic, id, receipt } of jobs)
        extended += await transaction.run(EXTEND, until, topic, id, receipt);
      for (const topic of topics) await this.#announce(transaction, topic, until);
      return extended;
    });
  }

  async acknowledge(job: Job, transaction?: Transaction): Promise<boolean> {
    return this.#change(transaction, (inner) => inner.run(ACKNOWLEDGE, job.topic, job.id, job.receipt));
  }

  async retryAt(job: Job, notBefore: number, reason: string): Promise<boolean> {
    return this.#change(undefined, async (transaction) => {
      const tie = (this.#tie += 1);
      const changed = await transaction.run(RETRY, notBefore, tie, reason, job.topic, job.id, job.receipt);
      if (changed > 0) await this.#announce(transaction, job.topic, notBefore);
      return changed;
    });
  }

  async bury(job: Job, reason: string, transaction?: Transaction): Promise<boolean> {
    const now = this.#deps.clock.now();
    return this.#change(transaction, (inner) => inner.run(BURY, now, reason, job.topic, job.id, job.receipt));
  }

  async depth(topic: string): Promise<{ due: number; delayed: number; claimed: number; buried: number }> {
    const depth = { due: 0, delayed: 0, claimed: 0, buried: 0 };
    const rows = await this.#deps.database.all<{ state: string; is_due: number; jobs: number }>(
      DEPTH,
      this.#deps.clock.now(),
      topic,
    );
    for (const row of rows) {
      if (row.state === "buried") depth.buried += row.jobs;
      else if (row.is_due === 1) depth.due += row.jobs;
      else if (row.state === "claimed") depth.claimed += row.jobs;
      else depth.delayed += row.jobs;
    }
    return depth;
  }

  /** Grows with time, so that new jobs lie side by side in the index, and a transaction of many touches few pages. */
  #newId(now: number, tie: number): string {
    return `${now.toString(36).padStart(9, "0")}-${tie.toString(36).padStart(6, "0")}-${this.#instance}`;
  }

  async #change(
    transaction: Transaction | undefined,
    change: (transaction: Transaction) => Promise<number>,
  ): Promise<boolean> {
    const changed = transaction ? await change(transaction) : await this.#deps.transact(change);
    return changed > 0;
  }

  async #announce(transaction: Transaction, topic: string, dueAt: number): Promise<void> {
    transaction.afterCommit(() => this.#deps.wakeups.announce(topic, dueAt));
    await this.#deps.notify?.(transaction, topic, dueAt);
  }
}
