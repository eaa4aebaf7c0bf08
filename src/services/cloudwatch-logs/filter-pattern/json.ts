/** Patterns of JSON events: `{ $.status = 4* && ($.user.id = 1 || $.items[*].name NOT EXISTS) }`. */
import { readComparison } from "./comparison.ts";
import { FilterPatternError } from "./error.ts";
import { readExpression } from "./scanner.ts";
import type { Scanner } from "./scanner.ts";

/** A step of a property selector: a name, an index, or every child. */
type Step = string | number | typeof EVERY;
const EVERY = Symbol("every");

const WILDCARDS_PER_SELECTOR_MAX = 1;
const WILDCARDS_MAX = 3;

/** Reads one property of a JSON event. */
export type Selector = (json: unknown) => unknown;

export interface JsonPattern {
  matches(message: string): boolean;
  /** What the pattern speaks of, by its text: `$.a[0].b`. */
  readonly selectors: ReadonlyMap<string, Selector>;
}

/** Reads `{ … }`. Events that are no JSON objects or arrays do not match. */
export function readJsonPattern(scanner: Scanner): JsonPattern {
  let wildcards = 0;
  const selectors = new Map<string, Selector>();
  scanner.expect("{");
  const expression = readExpression<unknown>(scanner, () => {
    scanner.space();
    const start = scanner.at;
    const selector = readSelector(scanner);
    selectors.set(scanner.text.slice(start, scanner.at), (json) => select(json, selector)[0]);
    const own = selector.filter((step) => step === EVERY).length;
    wildcards += own;
    if (own > WILDCARDS_PER_SELECTOR_MAX || wildcards > WILDCARDS_MAX)
      throw new FilterPatternError("Too many wildcard selectors in the filter pattern");
    return readCondition(scanner, selector);
  });
  scanner.expect("}");
  if (!scanner.done) throw new FilterPatternError();
  return {
    selectors,
    matches(message) {
      const json = parseObject(message);
      return json !== undefined && expression(json);
    },
  };
}

/** Compiles a selector that stands alone: `$.a.b`. @throws FilterPatternError */
export function compileSelector(scanner: Scanner): Selector {
  const selector = readSelector(scanner);
  if (!scanner.done) throw new FilterPatternError();
  return (json) => select(json, selector)[0];
}

function readCondition(scanner: Scanner, selector: readonly Step[]): (json: unknown) => boolean {
  if (scanner.match(/NOT\s+EXISTS\b/y) !== undefined) return (json) => select(json, selector).length === 0;
  const is = scanner.match(/IS\s+(NULL|TRUE|FALSE)\b/y);
  if (is !== undefined) {
    const wanted = is.endsWith("NULL") ? null : is.endsWith("TRUE");
    return (json) => select(json, selector).includes(wanted);
  }
  const comparison = readComparison(scanner, { bare: /[^\s"%(){}&|]+/y, textNumbers: false });
  if (!comparison) throw new FilterPatternError();
  return (json) =>
    select(json, selector).some(
      (value) => (typeof value === "string" || typeof value === "number") && comparison(value),
    );
}

/** Reads `$.a.b[0]['c.d'].*`. */
function readSelector(scanner: Scanner): Step[] {
  scanner.expect("$");
  const steps: Step[] = [];
  for (;;) {
    const step = scanner.text.slice(scanner.at);
    const dotted = /^\.([A-Za-z0-9_-]+|\*)/.exec(step);
    const indexed = /^\.?\[(\d+|\*)\]/.exec(step);
    const named = /^\.?\[(?:'([^']*)'|"([^"]*)")\]/.exec(step);
    const found = dotted ?? indexed ?? named;
    if (!found) break;
    scanner.at += found[0].length;
    if (named) steps.push(named[1] ?? named[2] ?? "");
    else if (found[1] === "*") steps.push(EVERY);
    else steps.push(indexed ? Number(found[1]) : (found[1] ?? ""));
  }
  if (steps.length === 0) throw new FilterPatternError();
  return steps;
}

function select(json: unknown, steps: readonly Step[]): unknown[] {
  let values: unknown[] = [json];
  for (const step of steps)
    values = values.flatMap((value) => {
      if (typeof value !== "object" || value === null) return [];
      if (step === EVERY) return Object.values(value);
      if (typeof step === "number") return Array.isArray(value) && step < value.length ? [value[step]] : [];
      return Object.hasOwn(value, step) ? [(value as Record<string, unknown>)[step]] : [];
    });
  return values;
}

/** The object or array that a message is; undefined for anything else. */
export function parseObject(message: string): object | undefined {
  const first = /\S/.exec(message)?.[0];
  if (first !== "{" && first !== "[") return undefined;
  try {
    return JSON.parse(message) as object;
  } catch {
    return undefined;
  }
}
