/**
 * Names with dots: EventBridge joins the names on the way to a field by dots, so that `{"a.b": …}` and `{"a": {"b": …}}` are the same, in
 * patterns and in events. Here both become the second.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern.html
 */
import { isJsonObject } from "./json.ts";

type Json = Readonly<Record<string, unknown>>;

/** Where a field is named twice, the last one counts. */
export function undottedPattern(pattern: Json): Json {
  const entries = Object.entries(pattern).map(([key, value]) => [key, withinPattern(value)] as const);
  return expand(entries, (_, last) => last);
}

function withinPattern(value: unknown): unknown {
  if (isJsonObject(value)) return undottedPattern(value);
  // Alternatives are patterns; what operators take is none, and has no names with dots.
  return Array.isArray(value) ? value.map((one) => (isJsonObject(one) ? undottedPattern(one) : one)) : value;
}

/** Where a field is there twice, it has the values of both. */
export function undottedEvent(event: unknown): unknown {
  return hasDots(event) ? withinEvent(event) : event;
}

function withinEvent(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withinEvent);
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).map(([key, one]) => [key, withinEvent(one)] as const);
  return expand(entries, (one, other) => [one, other].flat());
}

function hasDots(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasDots);
  if (!isJsonObject(value)) return false;
  for (const key in value) if (key.includes(".") || hasDots(value[key])) return true;
  return false;
}

function expand(
  entries: readonly (readonly [string, unknown])[],
  both: (one: unknown, other: unknown) => unknown,
): Json {
  let all: Json = bare();
  for (const [key, value] of entries) {
    const nested = key.split(".").reduceRight<unknown>((inner, name) => {
      const outer = bare();
      outer[name] = inner;
      return outer;
    }, value);
    all = merge(all, nested as Json, both);
  }
  return all;
}

function merge(one: Json, other: Json, both: (one: unknown, other: unknown) => unknown): Json {
  const merged = bare();
  Object.assign(merged, one);
  for (const [key, value] of Object.entries(other)) {
    const known = merged[key];
    if (!Object.hasOwn(merged, key)) merged[key] = value;
    else
      merged[key] =
        isJsonObject(known) && isJsonObject(value) ? merge(known, value, both) : both(known, value);
  }
  return merged;
}

/** Without a prototype, whose names may be fields'. */
function bare(): Record<string, unknown> {
  return Object.create(null) as Record<string, unknown>;
}
