/** How fast bytes may go out: at once until a burst is used up, then at a steady rate. */

export class RateBucket {
  readonly #burst: number;
  readonly #perMs: number;
  #bytes: number;
  #at: number;

  /**
   * @param burst What may go out at once, in bytes.
   * @param perSecond Bytes a second; 0 for no limit.
   * @param now Monotonic milliseconds.
   */
  constructor(burst: number, perSecond: number, now: number) {
    this.#burst = burst;
    this.#perMs = perSecond / 1_000;
    this.#bytes = burst;
    this.#at = now;
  }

  /** How long the next write has to wait, in milliseconds. */
  waitMs(now: number): number {
    if (this.#perMs === 0 || this.#bytes > 0) return 0;
    this.#bytes = Math.min(this.#burst, this.#bytes + (now - this.#at) * this.#perMs);
    this.#at = now;
    return this.#bytes > 0 ? 0 : Math.ceil((1 - this.#bytes) / this.#perMs);
  }

  /** A write may be larger than what is left; the next one waits for it. */
  spend(bytes: number): void {
    this.#bytes -= bytes;
  }
}
