/** The {@link Queue} as a table: a claim is a row with a receipt and the end of its lease. */
import type { Clock } from "../../kit/clock.ts";
import type { Ids } from "../../kit/id.ts";
import type { Database, SqlValue, Transaction } from "../database.ts";
import type { BatchedJob, Job, NewJob, Queue } from "../queue.ts";
import { decodeBatch, encodeBatch, inBatches } from "./batch.ts";
import { ACKNOWLEDGE, BATCHED, BURY, CLAIM, DEPTH, DUE_BATCHES, EXTEND } from "./statements.ts";
import { INSERT, INSERT_BATCH, INSERT_OPENED, NEXT_DUE, RETRY, TAKE_BATCH } from "./statements.ts";
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

/** A batch that waits. */
interface BatchRow {
  due_at: number;
  tie: number;
  instance: string;
  jobs: number;
}

/** A job of an opened batch; one that is not claimed waits. */
interface OpenedRow extends ClaimedRow {
  readonly isClaimed: boolean;
}

/** What a claim asks for. */
interface Claim {
  readonly topic: string;
  readonly count: number;
  readonly now: number;
  readonly until: number;
  readonly receipt: string;
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

  async enqueueTogether(transaction: Transaction, topic: string, jobs: readonly BatchedJob[]): Promise<void> {
    const now = this.#deps.clock.now();
    for (const batch of inBatches(jobs)) {
      const tie = (this.#tie += 1);
      const content = encodeBatch(batch);
      await transaction.run(INSERT_BATCH, topic, now, tie, this.#instance, batch.length, content);
    }
    await this.#announce(transaction, topic, now);
  }

  async claim(topic: string, count: number, leaseMs: number): Promise<Job[]> {
    const { clock, ids, transact } = this.#deps;
    const now = clock.now();
    const next = await this.#nextDue(topic);
    if (next === undefined || next > now) return [];
    const receipt = ids.uuid();
    const claim = { topic, count, now, until: now + leaseMs, receipt };
    const rows = await transact((transaction) => this.#claim(transaction, claim));
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
    const next = await this.#nextDue(topic);
    if (next !== undefined) this.#deps.wakeups.announce(topic, next);
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
    const batched = await this.#deps.database.get<{ jobs: number | null }>(BATCHED, topic);
    const depth = { due: batched?.jobs ?? 0, delayed: 0, claimed: 0, buried: 0 };
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

  /** Claims the jobs that were due before the batches that it takes to make up the number, and opens these for the rest. */
  async #claim(transaction: Transaction, claim: Claim): Promise<ClaimedRow[]> {
    const { engine } = this.#deps.database;
    const { topic, count, now, until, receipt } = claim;
    const batches = await transaction.all<BatchRow>(DUE_BATCHES[engine], topic, now, count);
    const before = lastOf(batches, count)?.due_at ?? now;
    const rows = await transaction.all<ClaimedRow>(CLAIM[engine], topic, before, count, until, receipt);
    const opened: OpenedRow[] = [];
    for (const batch of batches) {
      if (rows.length >= count) break;
      for (const job of await this.#open(transaction, batch, claim)) {
        const isClaimed = rows.length < count;
        if (isClaimed) rows.push(job);
        opened.push({ ...job, isClaimed });
      }
    }
    await insertOpened(transaction, opened, claim);
    if (rows.length > 0) await this.#announce(transaction, topic, until);
    return rows;
  }

  /** The jobs of a batch, which is one no more. */
  async #open(transaction: Transaction, batch: BatchRow, { topic }: Claim): Promise<ClaimedRow[]> {
    const { due_at, tie, instance } = batch;
    const taken = await transaction.all<{ content: Buffer }>(TAKE_BATCH, topic, due_at, tie, instance);
    return taken
      .flatMap(({ content }) => decodeBatch(content))
      .map(({ group, payload }) => {
        const own = (this.#tie += 1);
        const id = this.#newId(due_at, own);
        return { id, job_group: group, payload, attempts: 1, enqueued_at: due_at, tie: own };
      });
  }

  /** When the next job is due, in epoch milliseconds; undefined where there is none. */
  async #nextDue(topic: string): Promise<number | undefined> {
    const next = await this.#deps.database.get<{ job: number | null; batch: number | null }>(
      NEXT_DUE,
      topic,
      topic,
    );
    const due = Math.min(next?.job ?? Infinity, next?.batch ?? Infinity);
    return due === Infinity ? undefined : due;
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

/** The last of the batches that it takes to make up so many jobs; undefined where they do not suffice. */
function lastOf(batches: readonly BatchRow[], count: number): BatchRow | undefined {
  let jobs = 0;
  return batches.find((batch) => (jobs += batch.jobs) >= count);
}

/** In few statements: each may let the event loop come round, while other transactions wait for this one. */
async function insertOpened(
  transaction: Transaction,
  rows: readonly OpenedRow[],
  { topic, until, receipt }: Claim,
): Promise<void> {
  let at = 0;
  for (const { jobs, statement } of INSERT_OPENED)
    for (; rows.length - at >= jobs; at += jobs) {
      const parameters = rows.slice(at, at + jobs).flatMap((row): SqlValue[] => {
        const job = [topic, row.id, row.job_group, row.payload];
        return row.isClaimed
          ? [...job, "claimed", until, row.tie, row.attempts, row.enqueued_at, receipt]
          : [...job, "waiting", row.enqueued_at, row.tie, 0, row.enqueued_at, ""];
      });
      await transaction.run(statement, ...parameters);
    }
}
