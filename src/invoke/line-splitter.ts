/** Cuts an output stream into lines that end with their line feed, bounded in length. */

const lineFeed = 10;

export class LineSplitter {
  readonly #bytesMax: number;
  readonly #emit: (line: Buffer) => void;
  #rest: Buffer[] = [];
  #restBytes = 0;

  constructor(bytesMax: number, emit: (line: Buffer) => void) {
    this.#bytesMax = bytesMax;
    this.#emit = emit;
  }

  push(chunk: Buffer): void {
    let from = 0;
    while (from < chunk.length) {
      const feed = chunk.indexOf(lineFeed, from);
      const room = this.#bytesMax - this.#restBytes;
      const end = feed === -1 ? chunk.length : feed + 1;
      const to = Math.min(end, from + room);
      this.#rest.push(chunk.subarray(from, to));
      this.#restBytes += to - from;
      from = to;
      // A line that is too long becomes several, none of them lost.
      if (to === end && feed !== -1) this.end();
      else if (this.#restBytes >= this.#bytesMax) this.end();
    }
  }

  /** Emits a last line without line feed. */
  end(): void {
    if (this.#restBytes === 0) return;
    const line = this.#rest.length === 1 ? this.#rest[0] : Buffer.concat(this.#rest, this.#restBytes);
    this.#rest = [];
    this.#restBytes = 0;
    if (line) this.#emit(line);
  }
}
