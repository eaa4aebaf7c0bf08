/**
 * Event patterns: what EventBridge's rules and pipes, and the filters of Lambda's event source mappings, choose events by. A pattern is
 * compiled once, into functions.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
 */
import { undottedEvent, undottedPattern } from "./dots.ts";
import { PatternError } from "./error.ts";
import { isJsonObject, parseJson } from "./json.ts";
import { compileLeaf } from "./leaf.ts";
import type { Operator } from "./operators.ts";

/** Tells whether an event matches. */
export type EventPattern = (event: unknown) => boolean;

export interface PatternOptions {
  /** Which operators may be used; see `ALL_OPERATORS` and `LAMBDA_OPERATORS`. */
  readonly operators: ReadonlySet<Operator>;
}

const OR = "$or";
/** What `$or` stands beside is multiplied out on AWS, to so many rules at most. */
const COMBINATIONS_MAX = 1_000;

/** @param text JSON. @throws PatternError that says what is wrong. */
export function compilePattern(text: string, options: PatternOptions): EventPattern {
  let pattern: unknown;
  try {
    pattern = parseJson(text);
  } catch {
    throw new PatternError("Event pattern is not valid JSON");
  }
  if (!isJsonObject(pattern)) throw new PatternError("Filter is not an object");
  const plain = undottedPattern(pattern);
  if (combinations(plain) > COMBINATIONS_MAX)
    throw new PatternError(`There are more than ${COMBINATIONS_MAX} combinations of $or`);
  const matches = compileObject(plain, options);
  return (event) => matches(undottedEvent(event));
}

/** All fields must match; a field that is an object of the pattern looks into the event's. */
function compileObject(pattern: Readonly<Record<string, unknown>>, options: PatternOptions): EventPattern {
  const entries = Object.entries(pattern);
  if (entries.length === 0) throw new PatternError("Empty objects are not allowed");
  const fields: [string, EventPattern][] = [];
  const choices: EventPattern[] = [];
  for (const [key, value] of entries) {
    if (key === OR && isChoice(value)) choices.push(compileChoice(value, options));
    else if (Array.isArray(value)) fields.push([key, compileLeaf(key, value, options.operators)]);
    else if (isJsonObject(value)) fields.push([key, compileObject(value, options)]);
    else throw new PatternError(`"${key}" must be an object or an array`);
  }
  const matchOne = (event: unknown): boolean => {
    // Fields of what is no object are not there, which `exists: false` asks for.
    const object = isJsonObject(event) ? event : NOTHING;
    for (const [key, test] of fields)
      if (!test(Object.hasOwn(object, key) ? object[key] : undefined)) return false;
    for (const choice of choices) if (!choice(event)) return false;
    return true;
  };
  // All that a pattern says of an array's elements must be true of one of them.
  return (event) => (Array.isArray(event) && event.length > 0 ? event.some(matchOne) : matchOne(event));
}

const NOTHING: Readonly<Record<string, unknown>> = {};

/** `$or` is a field's name like any other unless its value is a list of objects. */
function isChoice(value: unknown): value is readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) && value.length > 0 && value.every(isJsonObject);
}

function compileChoice(
  value: readonly Readonly<Record<string, unknown>>[],
  options: PatternOptions,
): EventPattern {
  if (value.length < 2) throw new PatternError("There must have at least 2 Objects in $or relationship");
  const alternatives = value.map((one) => compileObject(one, options));
  return (event) => alternatives.some((matches) => matches(event));
}

function combinations(pattern: Readonly<Record<string, unknown>>): number {
  let product = 1;
  for (const [key, value] of Object.entries(pattern)) {
    if (key === OR && isChoice(value)) product *= value.reduce((sum, one) => sum + combinations(one), 0);
    else if (isJsonObject(value)) product *= combinations(value);
  }
  return product;
}
