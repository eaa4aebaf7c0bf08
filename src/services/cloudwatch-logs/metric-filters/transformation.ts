/** A metric filter as rules: what an event that matches adds to which metric. Pure. */
import type { MetricTransformation } from "@aws-sdk/client-cloudwatch-logs";
import { FilterPatternError } from "../filter-pattern/index.ts";
import type { ValuePattern, ValueReader } from "../filter-pattern/index.ts";

/** A text that is no transformation, with why. */
export class TransformationError extends Error {}

/** As CloudWatch Logs allows. */
const DIMENSIONS_MAX = 3;
const DIMENSION_NAME_MAX = 255;
const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;

export interface Transformation {
  readonly namespace: string;
  readonly name: string;
  readonly unit: string;
  readonly defaultValue: number | undefined;
  /** What a message that matches adds; undefined where it has no number, or lacks the value of a dimension. */
  measure(message: string): Measure | undefined;
}

export interface Measure {
  readonly value: number;
  readonly dimensions: Readonly<Record<string, string>>;
}

/** @throws TransformationError */
export function compileTransformation(
  { metricName, metricNamespace, metricValue, defaultValue, dimensions, unit }: MetricTransformation,
  pattern: ValuePattern,
): Transformation {
  const named = Object.entries(dimensions ?? {});
  check(named, metricNamespace ?? "", defaultValue);
  const value = readValue(metricValue ?? "", pattern);
  const readers = named.map(([name, selector]) => [name, readerOf(selector, pattern)] as const);
  return {
    namespace: metricNamespace ?? "",
    name: metricName ?? "",
    unit: unit ?? "None",
    defaultValue,
    measure(message) {
      const number = value(message);
      if (number === undefined) return undefined;
      const found: Record<string, string> = {};
      for (const [name, read] of readers) {
        const text = read(message);
        if (text === undefined || text === "") return undefined;
        found[name] = text;
      }
      return { value: number, dimensions: found };
    },
  };
}

function check(
  dimensions: readonly (readonly [string, string])[],
  namespace: string,
  defaultValue: number | undefined,
): void {
  if (namespace.startsWith("AWS/"))
    throw new TransformationError(
      `Namespaces that begin with AWS/ are AWS's own; ${namespace} is not allowed.`,
    );
  if (dimensions.length > DIMENSIONS_MAX)
    throw new TransformationError(`A metric transformation can have at most ${DIMENSIONS_MAX} dimensions.`);
  if (dimensions.length > 0 && defaultValue !== undefined)
    throw new TransformationError(
      "Invalid metric transformation: dimensions and default value are mutually exclusive properties.",
    );
  for (const [name, selector] of dimensions) {
    if (name === "" || name.length > DIMENSION_NAME_MAX)
      throw new TransformationError(`A dimension's name has 1 to ${DIMENSION_NAME_MAX} characters.`);
    if (!selector.startsWith("$"))
      throw new TransformationError(
        `The value of dimension ${name} must be a field of the pattern: $.name or $name.`,
      );
  }
}

function readValue(text: string, pattern: ValuePattern): (message: string) => number | undefined {
  if (NUMBER.test(text)) return () => Number(text);
  if (!text.startsWith("$"))
    throw new TransformationError(
      `Invalid metric transformation: metricValue ${text} is neither a number nor a field of the pattern.`,
    );
  const read = readerOf(text, pattern);
  return (message) => {
    const found = read(message)?.trim();
    return found !== undefined && NUMBER.test(found) ? Number(found) : undefined;
  };
}

function readerOf(selector: string, pattern: ValuePattern): ValueReader {
  try {
    return pattern.reader(selector);
  } catch (error) {
    if (error instanceof FilterPatternError)
      throw new TransformationError(`Invalid metric transformation: ${error.message} (${selector}).`);
    throw error;
  }
}
