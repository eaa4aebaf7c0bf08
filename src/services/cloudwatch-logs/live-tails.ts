/**
 * Hands events, once they are durable, to the live tails of their group. Nothing is polled; a tail shows what its own server takes in.
 * Where several may share a database, `stored-tail.ts` looks there instead.
 */
import type { LogEvent } from "./chunk.ts";

export type TailListener = (
  groupId: number,
  streamName: string,
  events: readonly LogEvent[],
  ingestedAt: number,
) => void;

export class LiveTails {
  readonly #listeners = new Map<number, Set<TailListener>>();
  /** How many sessions an account has in a region. */
  readonly #sessions = new Map<string, number>();
  readonly #ending = new AbortController();

  /** Aborts when the service stops: every tail ends. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  hasRoom({ account, region, most }: { account: string; region: string; most: number }): boolean {
    return (this.#sessions.get(`${account} ${region}`) ?? 0) < most;
  }

  /** Counts a session until the answered function is called. */
  enter({ account, region }: { readonly account: string; readonly region: string }): () => void {
    const key = `${account} ${region}`;
    this.#sessions.set(key, (this.#sessions.get(key) ?? 0) + 1);
    return () => {
      const left = (this.#sessions.get(key) ?? 1) - 1;
      if (left > 0) this.#sessions.set(key, left);
      else this.#sessions.delete(key);
    };
  }

  listensTo(groupId: number): boolean {
    return this.#listeners.has(groupId);
  }

  publish(groupId: number, streamName: string, events: readonly LogEvent[], ingestedAt: number): void {
    for (const listener of this.#listeners.get(groupId) ?? [])
      listener(groupId, streamName, events, ingestedAt);
  }

  /** Listens to groups until the answered function is called. */
  listen(groupIds: readonly number[], listener: TailListener): () => void {
    for (const groupId of groupIds) {
      const set = this.#listeners.get(groupId) ?? new Set();
      this.#listeners.set(groupId, set.add(listener));
    }
    return () => {
      for (const groupId of groupIds) {
        const set = this.#listeners.get(groupId);
        set?.delete(listener);
        if (set?.size === 0) this.#listeners.delete(groupId);
      }
    };
  }

  stop(): void {
    this.#ending.abort();
  }
}
