/** Remembers the results of a pure function of a text, for texts that come again and again. */

/** Results kept; then all are forgotten, since a caller may send as many different texts as they like. */
const RESULTS_MAX = 1_000;
/** A longer text is not worth the memory that a hostile caller could make it take. */
const TEXT_CHARS_MAX = 1_024;

export class Memo<T> {
  readonly #compute: (text: string) => T;
  readonly #results = new Map<string, T>();

  constructor(compute: (text: string) => T) {
    this.#compute = compute;
  }

  get(text: string): T {
    const known = this.#results.get(text);
    if (known !== undefined) return known;
    const result = this.#compute(text);
    if (text.length <= TEXT_CHARS_MAX) {
      if (this.#results.size >= RESULTS_MAX) this.#results.clear();
      this.#results.set(text, result);
    }
    return result;
  }
}
