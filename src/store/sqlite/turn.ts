/** Keeps a run of short synchronous database work from holding up everything else of the event loop. */
import { setImmediate } from "node:timers/promises";

/** How long the database may keep the event loop before others have a turn, in milliseconds. */
const TURN_MS = 4;

export class Turn {
  #startedAt = performance.now();
  #fresh: Promise<void> | undefined;

  /** The event loop has just come round; the time before was someone else's. */
  begin(): void {
    this.#startedAt = performance.now();
  }

  get isOver(): boolean {
    return performance.now() - this.#startedAt > TURN_MS;
  }

  /** Resolves after the event loop has gone round once. */
  next(): Promise<void> {
    this.#fresh ??= this.#comeRound();
    return this.#fresh;
  }

  async #comeRound(): Promise<void> {
    await setImmediate();
    this.#fresh = undefined;
    this.begin();
  }
}
