/** Work beside requests, such as removing what has had its time: one run at a time, and once more where it was asked for meanwhile. */
import { every } from "./clock.ts";
import type { Clock } from "./clock.ts";

interface Options {
  /** One run; it ends soon after the signal is aborted. */
  work(signal: AbortSignal): Promise<void>;
  /** Told of a run that failed; the next one tries again. */
  failed(error: unknown): void;
}

export class BackgroundWork {
  readonly #options: Options;
  readonly #ending = new AbortController();
  #cancel: (() => void) | undefined;
  #running: Promise<void> | undefined;
  #isWanted = false;

  constructor(options: Options) {
    this.#options = options;
  }

  /** Aborted when it is stopped. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** Runs every so many milliseconds of the clock, until it is stopped; the first time after these. */
  every(clock: Clock, ms: number): this {
    this.#cancel = every(clock, ms, () => this.soon());
    return this;
  }

  /** Runs, and does not wait for it; what is under way may have missed why, so that it runs once more. */
  soon(): void {
    this.#isWanted = true;
    this.#running ??= this.#run().finally(() => (this.#running = undefined));
  }

  /** Resolves once a run that began after this call is over, well or not. */
  async once(): Promise<void> {
    this.soon();
    await this.#running;
  }

  /** Runs no more, and waits for what runs. */
  async stop(): Promise<void> {
    this.#cancel?.();
    this.#ending.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    while (this.#isWanted && !signal.aborted) {
      this.#isWanted = false;
      try {
        await this.#options.work(signal);
      } catch (error) {
        if (!signal.aborted) this.#options.failed(error);
      }
    }
  }
}
