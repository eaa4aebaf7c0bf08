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
  #filling: Promise<void> | undefined;
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
    if (this.#closed || this.#ready.length >= this.#deps.target) return;
    this.#filling ??= this.#makeMissing();
  }

  async #makeMissing(): Promise<void> {
    const { name, target, log } = this.#deps;
    try {
      while (!this.#closed && this.#ready.length < target) this.#ready.push(await this.#deps.make());
    } catch (error) {
      // The next sandbox tries, and tells its caller.
      log.warn(`cannot prepare a ${name} ahead of use`, { error });
    }
    this.#filling = undefined;
  }

  /** Destroys what is ready and what is being made. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#filling;
    await Promise.all(this.#ready.splice(0).map((thing) => this.#deps.destroy(thing)));
  }
}
