/**
 * Does what comes due at times that stand in the database: schedules. Each server runs one; rows decide which of them does a
 * thing, since it is done in the transaction that moves its row on.
 */
import type { Clock } from "../kit/clock.ts";
import { InTurn } from "../kit/in-turn.ts";
import type { Log } from "../telemetry/log.ts";
import type { Signals } from "./signals.ts";

/** What is due, and doing it. */
export interface DueWork {
  /** Told of by Signals, in the transaction that brings forward what is due first. */
  readonly topic: string;
  /** When the first is due, in epoch milliseconds; undefined when none is. */
  nextDue(): Promise<number | undefined>;
  /** Does what is due at `now`, or some of it; nothing twice, whoever else is at it. */
  runDue(now: number): Promise<void>;
}

interface Deps {
  readonly clock: Clock;
  readonly signals: Signals;
  readonly log: Log;
}

/** After a failure of the database, in milliseconds. */
const ERROR_PAUSE_MS = 1_000;

export class DueRunner {
  readonly #deps: Deps;
  readonly #work: DueWork;
  readonly #ending = new AbortController();
  readonly #turns = new InTurn();
  #loop: Promise<void> | undefined;

  constructor(deps: Deps, work: DueWork) {
    this.#deps = deps;
    this.#work = work;
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /** Begins nothing more, and waits for what is at work. */
  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#loop;
    await this.#turns.run(this.#work.topic, async () => {});
  }

  /** When the first is due, in epoch milliseconds. */
  nextDue(): Promise<number | undefined> {
    return this.#work.nextDue();
  }

  /** Does all that is due now. @returns when the next is due, in epoch milliseconds */
  settle(): Promise<number | undefined> {
    return this.#turns.run(this.#work.topic, async () => {
      for (;;) {
        const at = await this.#work.nextDue();
        const now = this.#deps.clock.now();
        if (at === undefined || at > now || this.#ending.signal.aborted) return at;
        await this.#work.runDue(now);
      }
    });
  }

  async #run(): Promise<void> {
    const { clock, signals, log } = this.#deps;
    const { signal } = this.#ending;
    while (!signal.aborted) {
      const round = new AbortController();
      const changed = signals.wait(this.#work.topic, AbortSignal.any([signal, round.signal]));
      try {
        const at = await this.settle();
        if (at !== undefined) signals.remind(this.#work.topic, at);
      } catch (error) {
        log.error("What is due could not be done; it is tried again", { topic: this.#work.topic, error });
        clock.after(ERROR_PAUSE_MS, () => round.abort());
      }
      await changed;
    }
  }
}
