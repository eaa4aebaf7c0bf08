/** A clock for tests and development: it goes with the machine's, and `advance` lets hours pass in milliseconds. */
import { setImmediate } from "node:timers/promises";
import type { Clock } from "./clock.ts";
import { systemClock } from "./clock.ts";

/** Rounds of the event loop between two timers of an advance, so that what the one began is under way before the next. */
const ROUNDS_BETWEEN_TIMERS = 5;

interface Timer {
  /** Epoch milliseconds of this clock. */
  readonly at: number;
  readonly action: () => void;
}

export class MovableClock implements Clock {
  #ahead: number;
  readonly #timers = new Set<Timer>();
  /** The machine's timer for the first of ours. */
  #disarm: () => void = () => {};

  /** @param aheadMs What it is ahead of the machine's from the beginning. */
  constructor(aheadMs = 0) {
    this.#ahead = aheadMs;
  }

  /** What it is ahead of the machine's clock, in milliseconds. */
  get aheadMs(): number {
    return this.#ahead;
  }

  now(): number {
    return systemClock.now() + this.#ahead;
  }

  after(ms: number, action: () => void): () => void {
    const timer = { at: this.now() + ms, action };
    this.#timers.add(timer);
    this.#arm();
    return () => {
      if (this.#timers.delete(timer)) this.#arm();
    };
  }

  /** Moves the clock ahead by `ms`, and calls what comes due on the way in its order, each at its own time. */
  async advance(ms: number): Promise<void> {
    const end = this.now() + ms;
    for (let next = this.#first(); next !== undefined && next.at <= end; next = this.#first()) {
      this.#moveTo(next.at);
      this.#fire(next);
      for (let round = 0; round < ROUNDS_BETWEEN_TIMERS; round++) await setImmediate();
    }
    this.#moveTo(end);
    this.#arm();
  }

  /** Moves the clock ahead by `ms` at once: what came due on the way is called late, each once, in its order. */
  async leap(ms: number): Promise<void> {
    this.#moveTo(this.now() + ms);
    const late = [...this.#timers].filter(({ at }) => at <= this.now());
    for (const timer of late.sort((one, other) => one.at - other.at)) this.#fire(timer);
    for (let round = 0; round < ROUNDS_BETWEEN_TIMERS; round++) await setImmediate();
  }

  #moveTo(at: number): void {
    this.#ahead += Math.max(0, at - this.now());
  }

  #first(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) if (first === undefined || timer.at < first.at) first = timer;
    return first;
  }

  #arm(): void {
    this.#disarm();
    const first = this.#first();
    this.#disarm = first
      ? systemClock.after(Math.max(0, first.at - this.now()), () => this.#fire(first))
      : () => {};
  }

  #fire(timer: Timer): void {
    if (!this.#timers.delete(timer)) return;
    this.#arm();
    timer.action();
  }
}
