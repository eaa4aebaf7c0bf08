/** Percentiles of any number of values in bounded memory: exact for the first thousands, then within one percent. Pure. */

/** Values that are kept as they are. */
const EXACT_MAX = 10_000;
/** Each bucket is so much wider than the one before; a value is off by half of it at most. */
const GROWTH = 1.02;
const LOG_GROWTH = Math.log(GROWTH);

export class Quantiles {
  #exact: number[] | undefined = [];
  readonly #positive = new Map<number, number>();
  readonly #negative = new Map<number, number>();
  #zeros = 0;
  #count = 0;

  add(value: number): void {
    this.#count++;
    if (this.#exact) {
      this.#exact.push(value);
      if (this.#exact.length <= EXACT_MAX) return;
      const all = this.#exact;
      this.#exact = undefined;
      for (const one of all) this.#bucket(one);
    } else this.#bucket(value);
  }

  /** The value that `percent` of all are not above; undefined where there are none. */
  at(percent: number): number | undefined {
    if (this.#count === 0) return undefined;
    const rank = Math.max(0, Math.ceil((Math.min(100, Math.max(0, percent)) / 100) * this.#count) - 1);
    if (this.#exact) return this.#exact.toSorted((a, b) => a - b)[rank];
    let before = 0;
    for (const [value, count] of this.#ordered()) {
      before += count;
      if (before > rank) return value;
    }
    return undefined;
  }

  #bucket(value: number): void {
    if (value === 0) {
      this.#zeros++;
      return;
    }
    const side = value > 0 ? this.#positive : this.#negative;
    const index = Math.ceil(Math.log(Math.abs(value)) / LOG_GROWTH);
    side.set(index, (side.get(index) ?? 0) + 1);
  }

  #ordered(): [value: number, count: number][] {
    return [
      ...upwards(this.#negative)
        .reverse()
        .map(([index, count]): [number, number] => [-middle(index), count]),
      [0, this.#zeros],
      ...upwards(this.#positive).map(([index, count]): [number, number] => [middle(index), count]),
    ];
  }
}

/** Of a bucket. */
function middle(index: number): number {
  return (2 * GROWTH ** index) / (1 + GROWTH);
}

function upwards(side: ReadonlyMap<number, number>): [index: number, count: number][] {
  return [...side].sort(([a], [b]) => a - b);
}
