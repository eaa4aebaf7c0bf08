/** A rate with a burst: so many at once, refilled continuously. */
export class TokenBucket {
  #tokens: number;
  #at: number;

  /** Full at first. @param now Milliseconds of any clock that only goes forward. */
  constructor(capacity: number, now: number) {
    this.#tokens = capacity;
    this.#at = now;
  }

  /** Takes one, of at most `capacity` that refill at `perSecond`. False when there is none. */
  take(now: number, perSecond: number, capacity: number): boolean {
    const tokens = Math.min(capacity, this.#tokens + ((now - this.#at) * perSecond) / 1_000);
    this.#at = now;
    this.#tokens = tokens >= 1 ? tokens - 1 : tokens;
    return tokens >= 1;
  }

  /** Puts back one that was not used after all. */
  putBack(): void {
    this.#tokens++;
  }
}
