/** Group commit: one slow sync of a file serves everyone whose change was made before it started. */

/**
 * Callers announce a change with {@link SharedSync.changed} and wait for it; at most one sync runs at a time, and the
 * next one covers all changes announced until it starts.
 */
export class SharedSync {
  readonly #sync: () => Promise<void>;
  /** Begins with one: what an earlier process wrote may not be durable yet. */
  #changes = 1;
  #synced = 0;
  #inFlight: { upTo: number; done: Promise<void> } | undefined;
  #next: Promise<void> | undefined;

  constructor(sync: () => Promise<void>) {
    this.#sync = sync;
  }

  /** Announces a change that has just been made; resolves once it is durable, rejects when the sync failed. */
  changed(): Promise<void> {
    this.#changes += 1;
    return this.settled();
  }

  /** Whether every announced change is durable. */
  get isSettled(): boolean {
    return this.#synced === this.#changes;
  }

  /** Resolves once every change announced so far is durable. */
  settled(): Promise<void> {
    if (this.isSettled) return Promise.resolve();
    if (this.#inFlight !== undefined && this.#inFlight.upTo === this.#changes) return this.#inFlight.done;
    this.#next ??= this.#run(this.#inFlight?.done);
    return this.#next;
  }

  async #run(previous: Promise<void> | undefined): Promise<void> {
    // A failed sync is reported to those who waited for it; the next one finds out for itself.
    await previous?.catch(() => undefined);
    const upTo = this.#changes;
    const done = this.#syncUpTo(upTo);
    this.#inFlight = { upTo, done };
    this.#next = undefined;
    try {
      await done;
    } finally {
      this.#inFlight = undefined;
    }
  }

  async #syncUpTo(changes: number): Promise<void> {
    await this.#sync();
    this.#synced = changes;
  }
}
