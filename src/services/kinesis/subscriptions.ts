/** Who is subscribed to a shard: one subscription for each consumer and shard; a later one takes over. */

/** How long after a subscription was begun another is refused. */
const SETTLED_MS = 5_000;

export interface Subscription {
  /** Aborts when another takes over, or the service stops. */
  readonly signal: AbortSignal;
  /** Whether it was another that took over. */
  readonly isSuperseded: boolean;
  end(): void;
}

interface Held {
  readonly since: number;
  readonly taken: AbortController;
  hasEnded: boolean;
}

/** Subscriptions remembered, before those that have ended are forgotten. */
const HELD_MAX = 10_000;

export class Subscriptions {
  readonly #held = new Map<string, Held>();
  readonly #ending = new AbortController();

  /** Undefined where another has begun within the last seconds. @param now Epoch milliseconds. */
  begin(consumerArn: string, shardNo: number, now: number): Subscription | undefined {
    const key = `${consumerArn} ${shardNo}`;
    const other = this.#held.get(key);
    if (other && now - other.since < SETTLED_MS) return undefined;
    other?.taken.abort();
    const taken = new AbortController();
    const held = { since: now, taken, hasEnded: false };
    if (this.#held.size >= HELD_MAX) this.#forgetEnded(now);
    this.#held.set(key, held);
    return {
      signal: AbortSignal.any([taken.signal, this.#ending.signal]),
      get isSuperseded() {
        return taken.signal.aborted;
      },
      // It is remembered: soon after it began there is no other, even when it has ended meanwhile.
      end: () => {
        held.hasEnded = true;
      },
    };
  }

  #forgetEnded(now: number): void {
    for (const [key, { since, hasEnded }] of this.#held)
      if (hasEnded && now - since >= SETTLED_MS) this.#held.delete(key);
  }

  stop(): void {
    this.#ending.abort();
  }
}
