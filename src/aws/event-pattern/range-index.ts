/** Ranges of numbers, found by a number that lies in them: a tree over the ranges in the order of their beginnings. */

interface Range<Item> {
  readonly from: number;
  readonly to: number;
  readonly item: Item;
}

export class RangeIndex<Item> {
  #ranges: Range<Item>[] = [];
  /** Of each range that is the middle of a part: where the part's ranges reach to at most. */
  #reach: number[] = [];
  #isSorted = true;
  #isMeasured = true;

  /** Both bounds belong to it. */
  add(from: number, to: number, item: Item): void {
    this.#ranges.push({ from, to, item });
    this.#isSorted = false;
    this.#isMeasured = false;
  }

  /** One range with these bounds. */
  remove(from: number, to: number, item: Item): void {
    const at = this.#ranges.findIndex((one) => one.item === item && one.from === from && one.to === to);
    if (at < 0) return;
    this.#ranges.splice(at, 1);
    this.#isMeasured = false;
  }

  get size(): number {
    return this.#ranges.length;
  }

  /** In time that grows with the logarithm of the ranges, and with those found. */
  collect(value: number, found: Set<Item>): void {
    if (!this.#isMeasured) this.#prepare();
    this.#look(0, this.#ranges.length, value, found);
  }

  #prepare(): void {
    // What is nearly in order is sorted in little more than one look at each.
    if (!this.#isSorted) this.#ranges.sort((one, other) => one.from - other.from || one.to - other.to);
    this.#isSorted = true;
    this.#reach.length = this.#ranges.length;
    this.#measure(0, this.#ranges.length);
    this.#isMeasured = true;
  }

  #measure(start: number, end: number): number {
    if (start >= end) return -Infinity;
    const middle = (start + end) >> 1;
    const own = this.#ranges[middle]?.to ?? -Infinity;
    const reach = Math.max(own, this.#measure(start, middle), this.#measure(middle + 1, end));
    this.#reach[middle] = reach;
    return reach;
  }

  #look(start: number, end: number, value: number, found: Set<Item>): void {
    if (start >= end) return;
    const middle = (start + end) >> 1;
    const range = this.#ranges[middle];
    if (!range || (this.#reach[middle] ?? -Infinity) < value) return;
    this.#look(start, middle, value, found);
    // All that come later begin later too.
    if (range.from > value) return;
    if (range.to >= value) found.add(range.item);
    this.#look(middle + 1, end, value, found);
  }
}
