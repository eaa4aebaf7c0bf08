/** Makes a shard's progress durable: changes that come while others are being written wait for these, and are written together, in order. */
import type { Transaction } from "../../store/database.ts";

/** What else a commit writes, in its transaction. */
export type Extra = (tx: Transaction) => Promise<void>;

export class Commits {
  /** Writes the progress of this moment, and the extras. */
  readonly #write: (extras: readonly Extra[]) => Promise<void>;
  #extras: Extra[] = [];
  #next: Promise<void> | undefined;
  #before: Promise<unknown> = Promise.resolve();

  constructor(write: (extras: readonly Extra[]) => Promise<void>) {
    this.#write = write;
  }

  /** Resolves once all that was done before the call is durable. */
  commit(extra?: Extra): Promise<void> {
    if (extra) this.#extras.push(extra);
    this.#next ??= this.#after(this.#before);
    return this.#next;
  }

  /** Resolves once nothing is being written, well or not. */
  async settled(): Promise<void> {
    await this.#before.catch(() => {});
  }

  #after(before: Promise<unknown>): Promise<void> {
    const written = before.then(() => {
      const extras = this.#extras;
      this.#extras = [];
      this.#next = undefined;
      return this.#write(extras);
    });
    // One that fails ends the shard's consumer; those behind it fail with it.
    written.catch(() => {});
    this.#before = written;
    return written;
  }
}
