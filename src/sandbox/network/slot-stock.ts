/** Keeps slots ready ahead of use; those that callers wait for and those that refill the stock are made together, in batches. */
import type { Log } from "../../telemetry/log.ts";

/** Slots made by one shell. More would be cheaper still, and the first caller would wait longer. */
const BATCH_MAX = 4;
/** Batches made at once: the kernel changes its network in one place, one after the other. */
const BATCHES_MAX = 2;

export interface SlotStockDeps<T> {
  /** Slots kept ready; the stock is refilled when half of them are gone. */
  readonly target: number;
  make(count: number): Promise<T[]>;
  readonly log: Log;
}

interface Waiting<T> {
  readonly resolve: (slot: T) => void;
  readonly reject: (error: unknown) => void;
}

export class SlotStock<T> {
  readonly #deps: SlotStockDeps<T>;
  readonly #ready: T[] = [];
  readonly #waiting: Waiting<T>[] = [];
  readonly #batches = new Set<Promise<void>>();
  /** Slots that are being made. */
  #coming = 0;
  #isClosed = false;
  /** The last batch failed: nothing is made ahead until somebody asks, so that a failure is not repeated for ever. */
  #isFailing = false;

  constructor(deps: SlotStockDeps<T>) {
    this.#deps = deps;
    this.#work();
  }

  /** A ready slot, or the next that is made. */
  take(): Promise<T> {
    this.#isFailing = false;
    const slot = this.#ready.pop();
    const taken =
      slot === undefined
        ? new Promise<T>((resolve, reject) => this.#waiting.push({ resolve, reject }))
        : Promise.resolve(slot);
    this.#work();
    return taken;
  }

  /** Makes no more, and answers what was ready and what was being made. */
  async close(): Promise<T[]> {
    this.#isClosed = true;
    await Promise.all(this.#batches);
    for (const { reject } of this.#waiting.splice(0)) reject(new Error("the network is closed"));
    return this.#ready.splice(0);
  }

  #work(): void {
    while (!this.#isClosed && this.#batches.size < BATCHES_MAX) {
      const count = Math.min(this.#wanted(), BATCH_MAX);
      if (count <= 0) return;
      const batch = this.#make(count).finally(() => {
        this.#batches.delete(batch);
        this.#work();
      });
      this.#batches.add(batch);
    }
  }

  #wanted(): number {
    const { target } = this.#deps;
    if (this.#isFailing) return this.#waiting.length - this.#coming;
    const spare = this.#ready.length + this.#coming - this.#waiting.length;
    return spare < 0 || this.#ready.length < target / 2 ? Math.max(-spare, target - spare) : 0;
  }

  async #make(count: number): Promise<void> {
    this.#coming += count;
    try {
      const slots = await this.#deps.make(count).finally(() => (this.#coming -= count));
      for (const slot of slots) {
        const next = this.#waiting.shift();
        if (next) next.resolve(slot);
        else this.#ready.push(slot);
      }
    } catch (error) {
      this.#isFailing = true;
      // Another batch may still bring enough for those that wait longest.
      const callers = this.#waiting.splice(this.#coming);
      for (const { reject } of callers) reject(error);
      if (callers.length === 0) this.#deps.log.warn("cannot prepare network slots ahead of use", { error });
    }
  }
}
