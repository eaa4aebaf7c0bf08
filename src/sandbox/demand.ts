/** How many things to keep ready: as many as were wanted lately, within bounds. */

/** How far back demand is looked at, in milliseconds. */
const WINDOW_MS = 60_000;

export class Demand {
  readonly #least: number;
  readonly #most: number;
  #times: number[] = [];

  /** @param least Kept ready once there was any demand. @param most Never more than this. */
  constructor(least: number, most: number) {
    this.#least = least;
    this.#most = most;
  }

  /** One was wanted. */
  note(now: number): void {
    this.#times.push(now);
    if (this.#times.length > this.#most) this.#times.shift();
  }

  /** How many should be ready. */
  target(now: number): number {
    if (this.#times.length === 0) return 0;
    const recent = this.#times.filter((time) => now - time < WINDOW_MS).length;
    return Math.min(this.#most, Math.max(this.#least, recent));
  }
}
