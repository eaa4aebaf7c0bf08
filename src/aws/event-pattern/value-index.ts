/** What conditions on one field lead to, found by the field's value. */
import type { Condition } from "./access.ts";
import { nameOf } from "./leaf.ts";
import { numberValue } from "./json.ts";
import { folded } from "./operators.ts";
import { RangeIndex } from "./range-index.ts";

export class ValueIndex<Item> {
  readonly #exact = new Map<string, Item[]>();
  readonly #folded = new Map<string, Item[]>();
  readonly #prefixes = new EndIndex<Item>((text, length) => text.slice(0, length));
  readonly #suffixes = new EndIndex<Item>((text, length) => text.slice(text.length - length));
  readonly #ranges = new RangeIndex<Item>();
  readonly #present: Item[] = [];

  add(condition: Condition, item: Item): void {
    switch (condition.kind) {
      case "exact":
        return push(this.#exact, condition.text, item);
      case "folded":
        return push(this.#folded, condition.text, item);
      case "prefix":
        return this.#prefixes.add(condition.text, item);
      case "suffix":
        return this.#suffixes.add(condition.text, item);
      case "range":
        return this.#ranges.add(condition.from, condition.to, item);
      case "present":
        this.#present.push(item);
    }
  }

  remove(condition: Condition, item: Item): void {
    switch (condition.kind) {
      case "exact":
        return drop(this.#exact, condition.text, item);
      case "folded":
        return drop(this.#folded, condition.text, item);
      case "prefix":
        return this.#prefixes.remove(condition.text, item);
      case "suffix":
        return this.#suffixes.remove(condition.text, item);
      case "range":
        return this.#ranges.remove(condition.from, condition.to, item);
      case "present":
        cut(this.#present, item);
    }
  }

  get isEmpty(): boolean {
    const parts = [this.#exact, this.#folded, this.#prefixes, this.#suffixes, this.#ranges];
    return this.#present.length === 0 && parts.every(({ size }) => size === 0);
  }

  /** Adds to `found` what a scalar leads to; nothing for what is no scalar. */
  collect(value: unknown, found: Set<Item>): void {
    const name = nameOf(value);
    if (name === undefined) return;
    take(this.#present, found);
    take(this.#exact.get(name), found);
    if (typeof value === "string") {
      this.#prefixes.collect(value, found);
      this.#suffixes.collect(value, found);
      if (this.#folded.size > 0) take(this.#folded.get(folded(value)), found);
      return;
    }
    const number = numberValue(value);
    if (number !== undefined) this.#ranges.collect(number, found);
  }
}

/** Beginnings or ends of texts: one look-up for each length that there is. */
class EndIndex<Item> {
  readonly #byLength = new Map<number, Map<string, Item[]>>();
  readonly #cut: (text: string, length: number) => string;

  constructor(cut: (text: string, length: number) => string) {
    this.#cut = cut;
  }

  add(text: string, item: Item): void {
    const known = this.#byLength.get(text.length);
    if (known) return push(known, text, item);
    this.#byLength.set(text.length, new Map([[text, [item]]]));
  }

  remove(text: string, item: Item): void {
    const known = this.#byLength.get(text.length);
    if (!known) return;
    drop(known, text, item);
    if (known.size === 0) this.#byLength.delete(text.length);
  }

  get size(): number {
    return this.#byLength.size;
  }

  collect(text: string, found: Set<Item>): void {
    for (const [length, items] of this.#byLength)
      if (length <= text.length) take(items.get(this.#cut(text, length)), found);
  }
}

function push<Item>(map: Map<string, Item[]>, key: string, item: Item): void {
  const known = map.get(key);
  if (known) known.push(item);
  else map.set(key, [item]);
}

function drop<Item>(map: Map<string, Item[]>, key: string, item: Item): void {
  const known = map.get(key);
  if (!known) return;
  cut(known, item);
  if (known.length === 0) map.delete(key);
}

function cut<Item>(items: Item[], item: Item): void {
  const at = items.indexOf(item);
  if (at >= 0) items.splice(at, 1);
}

function take<Item>(items: readonly Item[] | undefined, found: Set<Item>): void {
  if (items) for (const item of items) found.add(item);
}
