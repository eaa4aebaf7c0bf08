/**
 * How many environments of one version run at the same time while its invocations take next to no time.
 *
 * Waking a process costs more than a function that answers within microseconds: with thirty callers at once, thirty processes push
 * each other out of the processor's caches, where two would have served them all sooner. So invocations of a quick function wait for
 * one of a few environments that are at work, instead of each waking its own. One that is not done soon does not count any more, and
 * the next takes its place, as Go's scheduler takes the processor from a thread that is blocked; where that goes on, nobody waits for
 * some time. What a function costs its callers this way is bounded: some milliseconds once, then ever more seldom.
 */
import { availableParallelism } from "node:os";

/** Environments that are at work at once: each processor has one, and one more is being given its next. */
const WIDTH = availableParallelism() + 1;
/** The last runs, of which the least disturbed tells what the function takes. */
const RUNS = 16;
/**
 * A function is quick when the server had nothing to do during one of its recent runs for less than this, in milliseconds. What a run
 * takes in all would not tell: with many callers that is mostly the others' work.
 */
const QUICK_MS = 0.5;
/** Between two looks at what runs. What was there at both is not quick. */
export const LOOK_MS = 2;
/** After so many looks in a row that found such, nobody waits any more. */
const SLOW_LOOKS_MAX = 8;
/** When it is tried again, in milliseconds: first, and at most. It doubles in between. */
const AGAIN_MS = 100;
const AGAIN_MS_MAX = 60_000;

export class Turns<Runner extends object> {
  /** Those at work that count, and since when. */
  readonly #running = new Map<Runner, number>();
  readonly #runs = new Float64Array(RUNS).fill(Number.POSITIVE_INFINITY);
  #run = 0;
  #isLimited = false;
  #lookedAt = 0;
  #slowLooks = 0;
  #againMs = AGAIN_MS;
  #againAt = 0;

  /** Whether the function is quick, so that its invocations take turns. */
  get isLimited(): boolean {
    return this.#isLimited;
  }

  /** Whether one more invocation had better wait for an environment that is at work. */
  get isFull(): boolean {
    return this.#isLimited && this.#running.size >= WIDTH;
  }

  /** @param now Monotonic milliseconds, as everywhere here. */
  began(runner: Runner, now: number): void {
    this.#running.set(runner, now);
  }

  /** @param idleMs How long the server had nothing to do during the run. */
  ended(runner: Runner, idleMs: number, now: number): void {
    // One that was slow, or is new, does not count.
    if (!this.#running.delete(runner)) return;
    this.#runs[this.#run] = idleMs;
    this.#run = (this.#run + 1) % RUNS;
    if (this.#run !== 0) return;
    const isQuick = this.#runs.some((run) => run < QUICK_MS);
    if (isQuick && this.#isLimited && this.#slowLooks === 0) this.#againMs = AGAIN_MS;
    this.#isLimited = isQuick && (this.#isLimited || now >= this.#againAt);
  }

  #giveUp(now: number): void {
    this.#isLimited = false;
    this.#againAt = now + this.#againMs;
    this.#againMs = Math.min(this.#againMs * 2, AGAIN_MS_MAX);
  }

  /** Those at work, the one that has been longest first. */
  get running(): readonly Runner[] {
    return [...this.#running.keys()];
  }

  /** To be called every `LOOK_MS` while somebody waits. Afterwards there may be place. Answers which are slow. */
  look(now: number): Runner[] {
    const slow: Runner[] = [];
    for (const [runner, began] of this.#running) {
      // The order is that of their beginning.
      if (began >= this.#lookedAt) break;
      this.#running.delete(runner);
      slow.push(runner);
    }
    this.#lookedAt = now;
    this.#slowLooks = slow.length > 0 ? this.#slowLooks + 1 : 0;
    if (this.#slowLooks >= SLOW_LOOKS_MAX) this.#giveUp(now);
    return slow;
  }
}
