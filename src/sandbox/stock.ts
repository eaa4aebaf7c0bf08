/** Keeps a few costly things ready ahead of use, and makes the next ones in the background. */
import type { Log } from "../telemetry/log.ts";

export interface StockDeps<T> {
  readonly name: string;
  /** Things kept ready. */
  readonly target: number;
  make(): Promise<T>;
  destroy(thing: T): Promise<void>;
  readonly log: Log;
}

export class Stock<T> {
  readonly #deps: StockDeps<T>;
  readonly #ready: T[] = [];
  readonly #making = new Set<Promise<void>>();
  #closed = false;

  constructor(deps: StockDeps<T>) {
    this.#deps = deps;
  }

  /** A ready thing, or one made now; the stock fills up behind the caller. */
  async take(): Promise<T> {
    const thing = this.#ready.pop() ?? (await this.#deps.make());
    this.fill();
    return thing;
  }

  /** Starts making what is missing, one after the other, so that no burst of tools slows a cold start. */
  fill(): void {
    if (this.#closed || this.#making.size > 0 || this.#ready.length >= this.#deps.target) return;
    const one = this.#deps
      .make()
      .then(async (thing) => {
        if (this.#closed) await this.#deps.destroy(thing);
        else this.#ready.push(thing);
        return true;
      })
      .catch((error: unknown) => {
        this.#deps.log.warn(`cannot prepare a ${this.#deps.name} ahead of use`, { error });
        return false;
      })
      .then((made) => {
        this.#making.delete(one);
        // After a failure the next sandbox tries, and tells its caller.
        if (made) this.fill();
      });
    this.#making.add(one);
  }

  /** Destroys what is ready and what is being made. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#making);
    await Promise.all(this.#ready.splice(0).map((thing) => this.#deps.destroy(thing)));
  }
}
