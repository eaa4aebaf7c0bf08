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
      if (to === end && feed !== -1) this.end();
      else if (this.#restBytes >= this.#bytesMax) this.#cut();
    }
  }

  /** A line that is too long becomes several, none of them lost, no character torn. */
  #cut(): void {
    const line = Buffer.concat(this.#rest, this.#restBytes);
    const end = characterStart(line, line.length);
    this.#rest = end < line.length ? [line.subarray(end)] : [];
    this.#restBytes = line.length - end;
    this.#emit(line.subarray(0, end));
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

/** Where to cut UTF-8 at `at` or a little before, so that no character is torn; `at` itself where the bytes are no UTF-8. */
export function characterStart(bytes: Buffer, at: number): number {
  let start = at - 1;
  while (start > 0 && start > at - 4 && isContinuation(bytes[start])) start -= 1;
  const lead = bytes[start] ?? 0;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  return start > 0 && length > at - start ? start : at;
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
