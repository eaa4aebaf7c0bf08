/**
 * Many patterns, of which those are found that match an event. Each pattern stands under the rarest of its conditions; an event's fields
 * lead to few patterns, and only these are tried. So the cost grows with the fields and with what matches, not with the patterns. Patterns come
 * and go one by one: what is rare is judged when a pattern comes.
 */
import { accessOf } from "./access.ts";
import type { Access } from "./access.ts";
import { undottedEvent, undottedPattern } from "./dots.ts";
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
  readonly #always = new Set<PatternEntry<Item>>();
  /** Each pattern's place. */
  readonly #ways = new Map<PatternEntry<Item>, readonly Access[]>();
  /** How often each condition occurs in all patterns, whether it is one that a pattern is found by or not. */
  readonly #frequencies = new Map<string, number>();

  constructor(entries: readonly PatternEntry<Item>[]) {
    const parsed = entries.map(({ text }) => parsePattern(text));
    for (const pattern of parsed) this.#tally(pattern, 1);
    for (const [at, entry] of entries.entries()) this.#place(entry, parsed[at] ?? {});
  }

  get size(): number {
    return this.#ways.size;
  }

  add(entry: PatternEntry<Item>): void {
    const pattern = parsePattern(entry.text);
    this.#tally(pattern, 1);
    this.#place(entry, pattern);
  }

  /** @param entry The very one that was added. */
  remove(entry: PatternEntry<Item>): void {
    const ways = this.#ways.get(entry);
    if (!ways) return;
    this.#ways.delete(entry);
    this.#always.delete(entry);
    for (const way of ways) take(this.#root, way, entry);
    this.#tally(parsePattern(entry.text), -1);
  }

  /** What stands for the patterns that match an event, as `parseJson` reads one. */
  match(event: unknown): Item[] {
    const found = new Set(this.#always);
    collect(this.#root, undottedEvent(event), found);
    const matched: Item[] = [];
    for (const { item, matches } of found) if (matches(event)) matched.push(item);
    return matched;
  }

  #place(entry: PatternEntry<Item>, pattern: Readonly<Record<string, unknown>>): void {
    const ways = accessOf(pattern, (access) => this.#frequencies.get(keyOf(access)) ?? 0);
    if (ways === undefined) this.#always.add(entry);
    else for (const way of ways) this.#add(way, entry);
    this.#ways.set(entry, ways ?? []);
  }

  #tally(pattern: Readonly<Record<string, unknown>>, by: 1 | -1): void {
    visit(
      pattern,
      (access) => {
        const key = keyOf(access);
        const count = (this.#frequencies.get(key) ?? 0) + by;
        if (count > 0) this.#frequencies.set(key, count);
        else this.#frequencies.delete(key);
      },
      [],
    );
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

/** Takes an entry from where a way leads; what is empty then goes. */
function take<Entry>(node: Node<Entry>, { path, condition }: Access, entry: Entry, at = 0): void {
  const key = path[at];
  if (key === undefined) {
    node.values?.remove(condition, entry);
    if (node.values?.isEmpty) delete node.values;
    return;
  }
  const child = node.children.get(key);
  if (!child) return;
  take(child, { path, condition }, entry, at + 1);
  if (!child.values && child.children.size === 0) node.children.delete(key);
}

function parsePattern(text: string): Readonly<Record<string, unknown>> {
  return undottedPattern(parseJson(text) as Readonly<Record<string, unknown>>);
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

/** Calls `count` with every condition of a pattern. */
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
