/** A durable work queue: asynchronous invocations and hand-offs between services. */
import type { Transaction } from "./database.ts";

export interface Job {
  readonly id: string;
  readonly topic: string;
  /** The group a consumer may order or bound by, e.g. a function's ARN; "" when there is none. */
  readonly group: string;
  readonly payload: Buffer;
  /** How many times it has been claimed, this claim included. */
  readonly attempts: number;
  /** Epoch milliseconds. */
  readonly enqueuedAt: number;
  /** Proves the claim; a job whose lease ran out and was claimed again is not acknowledged by the old claim. */
  readonly receipt: string;
}

export interface NewJob {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly group?: string;
  /** Epoch milliseconds before which it is not claimed; at once when absent. */
  readonly notBefore?: number;
  /** Given by a caller that needs to know it (an async invocation's request id); unique within the topic. */
  readonly id?: string;
}

/** A job of many that are added together. */
export interface BatchedJob {
  readonly group: string;
  readonly payload: Uint8Array;
}

export interface Queue {
  /** Adds a job in the caller's transaction; consumers wake after its commit. Answers the job's id. */
  enqueue(transaction: Transaction, job: NewJob): Promise<string>;
  /**
   * Adds jobs of one topic that came together, due at once: written as one, at a fraction of the cost of each alone. They are told
   * apart, and get their ids, when they are claimed.
   */
  enqueueTogether(transaction: Transaction, topic: string, jobs: readonly BatchedJob[]): Promise<void>;
  /** Claims up to `count` due jobs for `leaseMs`. Resolves at once, with none when none are due. */
  claim(topic: string, count: number, leaseMs: number): Promise<Job[]>;
  /** Resolves when a job of the topic may be due (enqueued, retried, lease run out) or the signal aborts. Does not poll. */
  wait(topic: string, signal: AbortSignal): Promise<void>;
  /** Lets claims go on; those that were lost meanwhile stay lost. Answers how many go on. */
  extendAll(jobs: readonly Job[], leaseMs: number): Promise<number>;
  /** Removes a finished job. False when the claim was lost. */
  acknowledge(job: Job, transaction?: Transaction): Promise<boolean>;
  /** Gives a job back, due at `notBefore` (epoch ms). */
  retryAt(job: Job, notBefore: number, reason: string): Promise<boolean>;
  /** Gives up on a job and keeps it, with the reason, among the buried. */
  bury(job: Job, reason: string, transaction?: Transaction): Promise<boolean>;
  depth(topic: string): Promise<{ due: number; delayed: number; claimed: number; buried: number }>;
}
