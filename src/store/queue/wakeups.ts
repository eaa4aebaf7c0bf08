/** Who waits for a topic, and the one timer per topic that wakes them when its next job comes due. */
import type { Clock } from "../../kit/clock.ts";

/** Longest sleep, in milliseconds: the machine's clock may be set meanwhile. */
const SLEEP_MAX_MS = 60_000;

interface Topic {
  readonly waiters: Set<() => void>;
  cancelTimer: () => void;
  /** When the timer fires, epoch milliseconds. */
  wakeAt: number;
}

export class Wakeups {
  readonly #clock: Clock;
  readonly #topics = new Map<string, Topic>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves at the next wake-up of the topic, or when the signal aborts. */
  wait(name: string, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    const topic = this.#topics.get(name) ?? { waiters: new Set(), cancelTimer: () => {}, wakeAt: Infinity };
    this.#topics.set(name, topic);
    return new Promise((resolve) => {
      const done = () => {
        signal.removeEventListener("abort", done);
        topic.waiters.delete(done);
        if (topic.waiters.size === 0) this.#forget(name, topic);
        resolve();
      };
      topic.waiters.add(done);
      signal.addEventListener("abort", done, { once: true });
    });
  }

  /** Says that a job of the topic is, or comes, due (epoch milliseconds). */
  announce(name: string, dueAt: number): void {
    const topic = this.#topics.get(name);
    if (topic === undefined) return;
    if (dueAt <= this.#clock.now()) this.#wake(topic);
    else this.#sleepUntil(topic, dueAt);
  }

  /** Wakes everyone: word of something may have been missed. */
  announceAll(): void {
    for (const topic of this.#topics.values()) this.#wake(topic);
  }

  #sleepUntil(topic: Topic, dueAt: number): void {
    if (dueAt >= topic.wakeAt) return;
    topic.cancelTimer();
    topic.wakeAt = dueAt;
    const sleepMs = Math.min(Math.max(dueAt - this.#clock.now(), 1), SLEEP_MAX_MS);
    topic.cancelTimer = this.#clock.after(sleepMs, () => this.#wake(topic));
  }

  #wake(topic: Topic): void {
    topic.cancelTimer();
    topic.wakeAt = Infinity;
    for (const waiter of topic.waiters) waiter();
  }

  #forget(name: string, topic: Topic): void {
    topic.cancelTimer();
    if (this.#topics.get(name) === topic) this.#topics.delete(name);
  }
}
