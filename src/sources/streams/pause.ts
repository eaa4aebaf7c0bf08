/** Waiting for a time, for a call of `wake`, or for the end. */
import type { Clock } from "../../kit/clock.ts";

export class Pause {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  #wake: (() => void) | undefined;
  #isWoken = false;

  constructor(clock: Clock, signal: AbortSignal) {
    this.#clock = clock;
    this.#signal = signal;
    signal.addEventListener("abort", () => this.wake(), { once: true });
  }

  /** Ends the wait that is under way, or the next one at once. */
  wake(): void {
    this.#isWoken = true;
    this.#wake?.();
  }

  /** Resolves at `until` (epoch milliseconds; never of itself where it is undefined), when woken, or when the signal aborts. */
  async wait(until?: number): Promise<void> {
    if (!this.#isWoken && !this.#signal.aborted)
      await new Promise<void>((resolve) => {
        const cancel =
          until === undefined
            ? undefined
            : this.#clock.after(Math.max(0, until - this.#clock.now()), () => this.#wake?.());
        this.#wake = () => {
          this.#wake = undefined;
          cancel?.();
          resolve();
        };
      });
    this.#isWoken = false;
  }
}
