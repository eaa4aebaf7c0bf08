/**
 * Many patterns, of which those are found that match an event. Each pattern stands under the rarest of its conditions; an event's fields
 * lead to few patterns, and only these are tried. So the cost grows with the fields and with what matches, not with the patterns.
 */
import { accessOf } from "./access.ts";
import type { Access } from "./access.ts";
import { isJsonObject, parseJson } from "./json.ts";
import type { EventPattern } from "./pattern.ts";
import { ValueIndex } from "./value-index.ts";

export interface PatternEntry<Item> {
  readonly item: Item;
  /** The pattern's JSON, which `compilePattern` has taken. */
  readonly text: string;
  readonly matches: EventPattern;
}

interface Node<Entry> {
  readonly children: Map<string, Node<Entry>>;
  values?: ValueIndex<Entry>;
}

export class PatternSet<Item> {
  readonly #root: Node<PatternEntry<Item>> = { children: new Map() };
  /** Those that no field leads to. */
  readonly #always: PatternEntry<Item>[] = [];
  readonly size: number;

  constructor(entries: readonly PatternEntry<Item>[]) {
    this.size = entries.length;
    const parsed = entries.map(({ text }) => parseJson(text) as Readonly<Record<string, unknown>>);
    const frequencies = countConditions(parsed);
    const weigh = (access: Access) => frequencies.get(keyOf(access)) ?? 0;
    for (const [at, entry] of entries.entries()) {
      const ways = accessOf(parsed[at] ?? {}, weigh);
      if (ways === undefined) this.#always.push(entry);
      else for (const way of ways) this.#add(way, entry);
    }
  }

  /** What stands for the patterns that match an event, as `parseJson` reads one. */
  match(event: unknown): Item[] {
    const found = new Set(this.#always);
    collect(this.#root, event, found);
    const matched: Item[] = [];
    for (const { item, matches } of found) if (matches(event)) matched.push(item);
    return matched;
  }

  #add({ path, condition }: Access, entry: PatternEntry<Item>): void {
    let node = this.#root;
    for (const key of path) {
      let child = node.children.get(key);
      if (!child) node.children.set(key, (child = { children: new Map() }));
      node = child;
    }
    (node.values ??= new ValueIndex()).add(condition, entry);
  }
}

/** Walks what the event and the patterns both have; an array stands for its elements. */
function collect<Entry>(node: Node<Entry>, value: unknown, found: Set<Entry>): void {
  if (Array.isArray(value)) {
    for (const element of value) collect(node, element, found);
    return;
  }
  node.values?.collect(value, found);
  if (node.children.size === 0 || !isJsonObject(value)) return;
  const keys = Object.keys(value);
  if (keys.length <= node.children.size) {
    for (const key of keys) {
      const child = node.children.get(key);
      if (child) collect(child, value[key], found);
    }
    return;
  }
  for (const [key, child] of node.children) if (Object.hasOwn(value, key)) collect(child, value[key], found);
}

/** How often each condition occurs in all patterns, whether it is one that a pattern is found by or not. */
function countConditions(patterns: readonly Readonly<Record<string, unknown>>[]): Map<string, number> {
  const counts = new Map<string, number>();
  const count = (access: Access) => {
    const key = keyOf(access);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  };
  for (const pattern of patterns) visit(pattern, count, []);
  return counts;
}

function visit(
  pattern: Readonly<Record<string, unknown>>,
  count: (access: Access) => void,
  path: readonly string[],
): void {
  for (const [key, value] of Object.entries(pattern)) {
    if (isJsonObject(value)) visit(value, count, [...path, key]);
    else if (key === "$or" && Array.isArray(value) && value.every(isJsonObject))
      for (const one of value) visit(one, count, path);
    else for (const access of accessOf({ [key]: value }, () => 0, path) ?? []) count(access);
  }
}

function keyOf({ path, condition }: Access): string {
  const what =
    condition.kind === "range"
      ? `${condition.from}..${condition.to}`
      : "text" in condition
        ? condition.text
        : "";
  return `${path.join("\u0000")}\u0001${condition.kind}\u0001${what}`;
}
