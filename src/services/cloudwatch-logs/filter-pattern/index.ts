/** CloudWatch Logs' filter pattern language: terms, JSON and space-delimited; pure. */
import { compileSelector, parseObject, readJsonPattern } from "./json.ts";
import { FilterPatternError } from "./error.ts";
import { Scanner } from "./scanner.ts";
import { readSpaceDelimitedPattern } from "./space-delimited.ts";
import { readTerms } from "./terms.ts";

export { FilterPatternError };

/** Whether an event's message matches. */
export type FilterPattern = (message: string) => boolean;

/** Reads one value of an event; undefined where it has none. */
export type ValueReader = (message: string) => string | undefined;

/** A pattern that can also say what the values are that it speaks of. */
export interface ValuePattern {
  readonly matches: FilterPattern;
  /** The values of a message that matches, by `$.path` or `$name`; none for terms. */
  values(message: string): Record<string, string>;
  /** The fields of a message by their bare names, where the pattern is space-delimited. */
  fields(message: string): Record<string, string> | undefined;
  /**
   * What reads the value of a selector, `$.path` or `$name`.
   * @throws FilterPatternError where this kind of pattern has no such selector
   */
  reader(selector: string): ValueReader;
}

/**
 * Compiles a pattern; the empty one matches everything.
 * @throws FilterPatternError with a text for the caller
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
 */
export function compileFilterPattern(text: string): FilterPattern {
  return compileValuePattern(text).matches;
}

/** The same, with the values. @throws FilterPatternError with a text for the caller */
export function compileValuePattern(text: string): ValuePattern {
  const scanner = new Scanner(text);
  if (scanner.done) return withoutValues(() => true);
  scanner.at = 0;
  scanner.space();
  const first = text[scanner.at];
  if (first === "{") return jsonValues(scanner);
  return first === "[" ? spaceDelimitedValues(scanner) : withoutValues(readTerms(scanner));
}

function withoutValues(matches: FilterPattern): ValuePattern {
  return {
    matches,
    values: () => ({}),
    fields: () => undefined,
    reader(selector) {
      throw new FilterPatternError(`The filter pattern has no fields, so ${selector} stands for nothing`);
    },
  };
}

function jsonValues(scanner: Scanner): ValuePattern {
  const pattern = readJsonPattern(scanner);
  return {
    matches: (message) => pattern.matches(message),
    values(message) {
      const json = parseObject(message);
      const found: Record<string, string> = {};
      for (const [name, select] of pattern.selectors) {
        const text = textOf(select(json));
        if (text !== undefined) found[name] = text;
      }
      return found;
    },
    fields: () => undefined,
    reader(text) {
      const select = compileSelector(new Scanner(text));
      return (message) => textOf(select(parseObject(message)));
    },
  };
}

function spaceDelimitedValues(scanner: Scanner): ValuePattern {
  const pattern = readSpaceDelimitedPattern(scanner);
  const fields = (message: string) => pattern.fields(message);
  return {
    matches: (message) => pattern.matches(message),
    fields,
    values: (message) =>
      Object.fromEntries(Object.entries(fields(message)).map(([name, value]) => [`$${name}`, value])),
    reader(selector) {
      const name = selector.replace(/^\$/, "");
      if (!pattern.names.includes(name) && !/^\d+$/.test(name))
        throw new FilterPatternError(`The filter pattern has no field ${selector}`);
      return (message) => fields(message)[name];
    },
  };
}

function textOf(value: unknown): string | undefined {
  if (value === undefined || value === null || typeof value === "string") return value ?? undefined;
  try {
    return JSON.stringify(value);
  } catch {
    // Nested so deeply that it cannot be written.
    return undefined;
  }
}
