/** Collects bytes that come in pieces, without letting many tiny pieces cost more than the bytes themselves. */

/** A Buffer costs about a hundred bytes whatever it holds: this many of them become one. */
const LOOSE_MAX = 1_024;

export class ByteCollector {
  #whole: Buffer[] = [];
  #loose: Buffer[] = [];

  push(piece: Buffer): void {
    this.#loose.push(piece);
    if (this.#loose.length < LOOSE_MAX) return;
    this.#whole.push(Buffer.concat(this.#loose));
    this.#loose = [];
  }

  /** Buffers that are held now. */
  get pieces(): number {
    return this.#whole.length + this.#loose.length;
  }

  clear(): void {
    this.#whole = [];
    this.#loose = [];
  }

  /** Everything pushed since the last `clear`; a single piece as it came, without a copy. */
  bytes(): Buffer {
    const [only, ...others] = [...this.#whole, ...this.#loose];
    if (!only) return Buffer.alloc(0);
    return others.length === 0 ? only : Buffer.concat([only, ...others]);
  }
}
