/** Writes of many callers: those that come while others are being made durable wait for these, and become durable together. */
import { setImmediate } from "node:timers/promises";
import type { Database, Transaction, TransactionOptions } from "./database.ts";

/** Longest wait for further writes, in milliseconds of the machine. */
const GATHER_MS_MAX = 2;
/** Part of the callers whose writes are waited for; those of the others come in while these become durable. */
const GATHERED_SHARE = 0.75;
/** A transaction that took so long waited for the CPU or a slow disk; nothing then waits for anything else. */
const SLOW_MS = 4;

/** What one transaction writes. */
interface Batch<T> {
  readonly items: T[];
  readonly written: Promise<void>;
}

export interface GatheredWritesOptions {
  readonly slowMs?: number;
  readonly transaction?: TransactionOptions;
}

export class GatheredWrites<T> {
  readonly #database: Database;
  readonly #put: (transaction: Transaction, items: readonly T[]) => Promise<void>;
  readonly #slowMs: number;
  readonly #options: TransactionOptions;
  /** What the next transaction writes, until it begins. */
  #next: Batch<T> | undefined;
  /** Resolves once the transaction before it has ended, well or not. */
  #before: Promise<unknown> = Promise.resolve();
  /** Callers that have lately waited at once. */
  #callers = 0;
  /** How long the last transaction took to be durable, in milliseconds of the machine. */
  #tookMs = 0;

  /** @param put Writes them, in one transaction; it may run again with the same ones, where transactions collided. */
  constructor(
    database: Database,
    put: (transaction: Transaction, items: readonly T[]) => Promise<void>,
    { slowMs = SLOW_MS, transaction = {} }: GatheredWritesOptions = {},
  ) {
    this.#database = database;
    this.#put = put;
    this.#slowMs = slowMs;
    this.#options = transaction;
  }

  /** Resolves once the item is durable; rejects, with nothing written of it or of those that came with it, when that failed. */
  write(item: T): Promise<void> {
    this.#next ??= this.#begin();
    this.#next.items.push(item);
    return this.#next.written;
  }

  /**
   * One transaction at a time: a commit is durable no sooner than the sync that runs already, so a transaction that began beside it
   * would cost as much and gain nothing. But where each takes long, waiting for one before the next begins adds up, and none does.
   */
  #begin(): Batch<T> {
    const items: T[] = [];
    const written =
      this.#tookMs > this.#slowMs
        ? this.#write(items)
        : this.#before.then(() => this.#gather(items)).then(() => this.#write(items));
    const ended = () => {
      // Where it never began.
      this.#close(items);
      this.#callers = items.length + (this.#next?.items.length ?? 0);
    };
    this.#before = written.then(ended, ended);
    return { items, written };
  }

  async #write(items: readonly T[]): Promise<void> {
    const since = performance.now();
    await this.#database.tx((transaction) => {
      this.#close(items);
      return this.#put(transaction, items);
    }, this.#options);
    this.#tookMs = performance.now() - since;
  }

  /** Further items are of the next batch. */
  #close(items: readonly T[]): void {
    if (this.#next?.items === items) this.#next = undefined;
  }

  /**
   * Waits for most of the callers, as long as each turn of the event loop brings one: a server with more to do than it can would otherwise
   * sync for every few of them, and a sync costs as much as reading several requests.
   */
  async #gather(items: readonly T[]): Promise<void> {
    const until = performance.now() + GATHER_MS_MAX;
    for (
      let seen = 0;
      items.length > seen && items.length < this.#callers * GATHERED_SHARE && performance.now() < until;
    ) {
      seen = items.length;
      await setImmediate();
    }
  }
}
