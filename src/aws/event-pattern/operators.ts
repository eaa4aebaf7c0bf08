/** The operators of event patterns, `{"prefix": "a"}` and the like, as tests of one scalar value. */
import { BlockList, isIP } from "node:net";
import { PatternError } from "./error.ts";
import { isJsonObject, numberText, numberValue } from "./json.ts";
import { compileWildcard } from "./wildcard.ts";

export type Operator =
  | "prefix"
  | "suffix"
  | "equals-ignore-case"
  | "wildcard"
  | "anything-but"
  | "numeric"
  | "cidr"
  | "exists";

export const ALL_OPERATORS: ReadonlySet<Operator> = new Set<Operator>([
  "prefix",
  "suffix",
  "equals-ignore-case",
  "wildcard",
  "anything-but",
  "numeric",
  "cidr",
  "exists",
]);

/** What filters of event source mappings know. https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html */
export const LAMBDA_OPERATORS: ReadonlySet<Operator> = new Set<Operator>([
  "prefix",
  "suffix",
  "equals-ignore-case",
  "anything-but",
  "numeric",
  "exists",
]);

export type ValueTest = (value: unknown) => boolean;

/** @returns `absent` for `exists: false`, which no value matches. */
export function compileOperator(
  key: string,
  expression: Readonly<Record<string, unknown>>,
  operators: ReadonlySet<Operator>,
): ValueTest | "absent" {
  const [entry, ...more] = Object.entries(expression);
  if (!entry || more.length > 0)
    throw new PatternError(`Only one key allowed in match expression: "${key}" has ${more.length + 1}`);
  const [operator, argument] = entry;
  if (!operators.has(operator as Operator)) throw new PatternError(`Unrecognized match type ${operator}`);
  if (operator === "exists") return compileExists(argument);
  return COMPILERS[operator as Exclude<Operator, "exists">](argument, operators);
}

const COMPILERS: Readonly<
  Record<Exclude<Operator, "exists">, (argument: unknown, operators: ReadonlySet<Operator>) => ValueTest>
> = {
  prefix: (argument) => compileEnd(argument, "prefix"),
  suffix: (argument) => compileEnd(argument, "suffix"),
  "equals-ignore-case": (argument) => compileIgnoreCase(argument),
  wildcard: (argument) => {
    const matches = compileWildcard(textOf(argument, "wildcard"));
    return (value) => typeof value === "string" && matches(value);
  },
  "anything-but": compileAnythingBut,
  numeric: compileNumeric,
  cidr: compileCidr,
};

function compileExists(argument: unknown): ValueTest | "absent" {
  if (typeof argument !== "boolean")
    throw new PatternError("exists match pattern must be either true or false.");
  return argument ? () => true : "absent";
}

function compileEnd(argument: unknown, end: "prefix" | "suffix"): ValueTest {
  const has = (value: string, part: string) =>
    end === "prefix" ? value.startsWith(part) : value.endsWith(part);
  if (!isJsonObject(argument)) {
    const part = textOf(argument, end);
    return (value) => typeof value === "string" && has(value, part);
  }
  const [operator, ...more] = Object.keys(argument);
  if (operator !== "equals-ignore-case" || more.length > 0)
    throw new PatternError(`Unsupported expression in ${end}: ${operator}`);
  const part = folded(textOf(argument[operator], `${end} of equals-ignore-case`));
  return (value) => typeof value === "string" && has(folded(value), part);
}

function compileIgnoreCase(argument: unknown): ValueTest {
  const wanted = folded(textOf(argument, "equals-ignore-case"));
  return (value) => typeof value === "string" && folded(value) === wanted;
}

/** Matches every value but those that its argument would; a field that is not there does not match. */
function compileAnythingBut(argument: unknown, operators: ReadonlySet<Operator>): ValueTest {
  if (isJsonObject(argument)) {
    const [entry, ...more] = Object.entries(argument);
    const [operator = "", inner] = entry ?? [];
    if (more.length > 0 || !NEGATED.has(operator) || !operators.has(operator as Operator))
      throw new PatternError(`Unsupported anything-but pattern: ${Object.keys(argument).join(", ")}`);
    const compile = COMPILERS[operator as "prefix"];
    const tests = listOf(inner).map((one) => compile(one, operators));
    return (value) => !tests.some((test) => test(value));
  }
  const excluded = listOf(argument);
  const texts = new Set(excluded.filter((one) => typeof one === "string"));
  const numbers = new Set(excluded.map(numberText).filter((one) => one !== undefined));
  if (texts.size + numbers.size === 0 || (texts.size > 0 && numbers.size > 0) || excluded.some(isOther))
    throw new PatternError(
      "Inside anything but list, either all values are number or string, mixed type is not supported",
    );
  return (value) => {
    const number = numberText(value);
    return number === undefined ? !(typeof value === "string" && texts.has(value)) : !numbers.has(number);
  };
}

const NEGATED: ReadonlySet<string> = new Set(["prefix", "suffix", "equals-ignore-case", "wildcard"]);

function isOther(value: unknown): boolean {
  return typeof value !== "string" && numberText(value) === undefined;
}

function listOf(argument: unknown): readonly unknown[] {
  const list: readonly unknown[] = Array.isArray(argument) ? argument : [argument];
  if (list.length === 0) throw new PatternError("Empty arrays are not allowed");
  return list;
}

const COMPARISONS: Readonly<Record<string, (value: number, bound: number) => boolean>> = {
  "=": (value, bound) => value === bound,
  "<": (value, bound) => value < bound,
  "<=": (value, bound) => value <= bound,
  ">": (value, bound) => value > bound,
  ">=": (value, bound) => value >= bound,
};

/** `["=", 1]`, `["<", 1]`, or a range: `[">", 0, "<=", 5]`. */
function compileNumeric(argument: unknown): ValueTest {
  if (!Array.isArray(argument) || (argument.length !== 2 && argument.length !== 4))
    throw new PatternError(
      'Value of "numeric" must be an array of one or two operators, each with a number.',
    );
  const [first, second] = [
    comparison(argument, 0),
    argument.length === 4 ? comparison(argument, 2) : undefined,
  ];
  if (second) {
    if (!first.operator.startsWith(">") || !second.operator.startsWith("<"))
      throw new PatternError(`Bad numeric range operator: ${first.operator} and ${second.operator}`);
    if (second.bound <= first.bound) throw new PatternError("Bottom must be less than top");
  }
  return (value) => {
    const number = numberValue(value);
    return (
      number !== undefined &&
      first.compare(number, first.bound) &&
      (second === undefined || second.compare(number, second.bound))
    );
  };
}

function comparison(argument: readonly unknown[], at: number) {
  const [operator, bound] = [argument[at], numberValue(argument[at + 1])];
  const compare = typeof operator === "string" ? COMPARISONS[operator] : undefined;
  if (!compare) throw new PatternError(`Unrecognized numeric range operator: ${String(operator)}`);
  if (bound === undefined) throw new PatternError(`Value of ${String(operator)} must be numeric`);
  return { operator: operator as string, compare, bound };
}

/** `10.0.0.0/24`, or a single address. */
function compileCidr(argument: unknown): ValueTest {
  const text = textOf(argument, "cidr");
  const [address = "", bits, ...more] = text.split("/");
  const version = isIP(address);
  const widest = version === 6 ? 128 : 32;
  const prefix = bits === undefined ? widest : Number(bits);
  if (
    version === 0 ||
    more.length > 0 ||
    bits === "" ||
    !(Number.isInteger(prefix) && prefix >= 0 && prefix <= widest)
  )
    throw new PatternError(`Malformed CIDR: ${text}`);
  const block = new BlockList();
  block.addSubnet(address, prefix, version === 6 ? "ipv6" : "ipv4");
  return (value) => {
    const kind = typeof value === "string" ? isIP(value) : 0;
    return kind === version && block.check(value as string, kind === 6 ? "ipv6" : "ipv4");
  };
}

function textOf(argument: unknown, operator: string): string {
  if (typeof argument !== "string") throw new PatternError(`${operator} match pattern must be a string`);
  return argument;
}

/** Without regard to case: both forms, since a letter may have several of one and one of the other. */
function folded(text: string): string {
  return text.toUpperCase().toLowerCase();
}
