/** Comparisons of a value found in an event with a literal of the pattern. */
import { FilterPatternError } from "./error.ts";
import type { Literal, Scanner } from "./scanner.ts";

/** A string or number of a JSON event, or a field's text. */
export type Comparison = (value: string | number) => boolean;

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;
const OPERATORS = ["!=", ">=", "<=", "=", ">", "<"] as const;
type Operator = (typeof OPERATORS)[number];

/** Takes `=`, `!=`, `<`, … and the literal after it; undefined where no operator comes next. */
export function readComparison(
  scanner: Scanner,
  options: {
    readonly bare: RegExp;
    /** Whether a field's text may stand for a number, as in space-delimited events. */
    readonly textNumbers: boolean;
  },
): Comparison | undefined {
  const operator = OPERATORS.find((one) => scanner.take(one));
  return operator && compare(operator, scanner.literal(options.bare), options.textNumbers);
}

function compare(operator: Operator, literal: Literal, textNumbers: boolean): Comparison {
  if (operator === "=" || operator === "!=") {
    const equal = equality(literal, textNumbers);
    return operator === "=" ? equal : (value) => !equal(value);
  }
  if (literal.kind !== "text" || !NUMBER.test(literal.text)) throw new FilterPatternError();
  const wanted = Number(literal.text);
  const order: (value: number) => boolean = {
    ">": (value: number) => value > wanted,
    "<": (value: number) => value < wanted,
    ">=": (value: number) => value >= wanted,
    "<=": (value: number) => value <= wanted,
  }[operator];
  return (value) => {
    const number = numberOf(value, textNumbers);
    return number !== undefined && order(number);
  };
}

function equality(literal: Literal, textNumbers: boolean): Comparison {
  if (literal.kind === "regex") return (value) => literal.regex.test(String(value));
  const { text, quoted } = literal;
  const wanted = !quoted && NUMBER.test(text) ? Number(text) : undefined;
  return (value) =>
    wildcardMatches(text, String(value)) || (wanted !== undefined && numberOf(value, textNumbers) === wanted);
}

function numberOf(value: string | number, textNumbers: boolean): number | undefined {
  if (typeof value === "number") return value;
  return textNumbers && NUMBER.test(value) ? Number(value) : undefined;
}

/** `*` stands for any text. */
export function wildcardMatches(pattern: string, text: string): boolean {
  const pieces = pattern.split("*");
  const first = pieces[0] ?? "";
  if (pieces.length === 1) return pattern === text;
  const last = pieces.at(-1) ?? "";
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = text.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}
