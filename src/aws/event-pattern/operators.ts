/** The operators of event patterns, `{"prefix": "a"}` and the like, as tests of one scalar value. */
import { BlockList, isIP } from "node:net";
import { PatternError } from "./error.ts";
import { isJsonObject, numberName, numberText, numberValue } from "./json.ts";
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
  if (isJsonObject(argument)) return compileNegation(argument, operators);
  const excluded = listOf(argument);
  const texts = new Set(excluded.filter((one) => typeof one === "string"));
  const numbers = new Set(excluded.map(numberName).filter((one) => one !== undefined));
  if (texts.size + numbers.size === 0 || (texts.size > 0 && numbers.size > 0) || excluded.some(isOther))
    throw new PatternError(
      "Inside anything but list, either all values are number or string, mixed type is not supported",
    );
  return (value) => {
    const number = numberName(value);
    return number === undefined ? !(typeof value === "string" && texts.has(value)) : !numbers.has(number);
  };
}

/** `{ "prefix": "a" }` within anything-but; each operator takes one text or a list of them. */
function compileNegation(
  argument: Readonly<Record<string, unknown>>,
  operators: ReadonlySet<Operator>,
): ValueTest {
  const [entry, ...more] = Object.entries(argument);
  const [operator = "", inner] = entry ?? [];
  if (more.length > 0 || !Object.hasOwn(NEGATED, operator) || !operators.has(operator as Operator))
    throw new PatternError(`Unsupported anything-but pattern: ${Object.keys(argument).join(", ")}`);
  if (isJsonObject(inner))
    throw new PatternError("Value of anything-but must be an array or single string/number value.");
  const isEnd = operator === "prefix" || operator === "suffix";
  const tests = listOf(inner).map((one) => {
    if (typeof one !== "string") throw new PatternError(NEGATED[operator] ?? "");
    if (isEnd && one === "") throw new PatternError("Null prefix/suffix not allowed");
    return COMPILERS[operator as "prefix"](one, operators);
  });
  return (value) => !tests.some((test) => test(value));
}

/** The operators within anything-but, and what AWS says where their argument is no text. */
const NEGATED: Readonly<Record<string, string>> = {
  prefix: "prefix/suffix match pattern must be a string",
  suffix: "prefix/suffix match pattern must be a string",
  "equals-ignore-case":
    "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.",
  wildcard: "wildcard match pattern must be a string",
};

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
  const [lower, upper] = readNumeric(argument);
  return (value) => {
    const number = numberValue(value);
    return (
      number !== undefined &&
      lower.compare(number, lower.bound) &&
      (upper === undefined || upper.compare(number, upper.bound))
    );
  };
}

interface Comparison {
  readonly operator: string;
  readonly bound: number;
  readonly compare: (value: number, bound: number) => boolean;
}

/** One comparison, or the two of a range. @throws PatternError */
export function readNumeric(argument: unknown): readonly [Comparison, Comparison?] {
  if (!Array.isArray(argument)) throw new PatternError("Value of numeric must be an array.");
  const first = comparison(argument, 0);
  if (argument.length <= 2) return [first];
  if (!first.operator.startsWith(">")) throw new PatternError("Too many elements in numeric expression");
  if (typeof argument[2] !== "string")
    throw new PatternError(`Bad value in numeric range: ${JSON.stringify(argument[2])}`);
  if (argument.length > 4) throw new PatternError("Too many terms in numeric range expression");
  if (!argument[2].startsWith("<")) throw new PatternError(`Bad numeric range operator: ${argument[2]}`);
  const second = comparison(argument, 2);
  if (second.bound <= first.bound) throw new PatternError("Bottom must be less than top");
  return [first, second];
}

function comparison(argument: readonly unknown[], at: number): Comparison {
  const [operator, bound] = [argument[at], numberValue(argument[at + 1])];
  if (typeof operator !== "string")
    throw new PatternError(
      `Invalid member in numeric match: ${argument.length > at ? JSON.stringify(operator) : "]"}`,
    );
  const compare = COMPARISONS[operator];
  if (!compare) throw new PatternError(`Unrecognized numeric range operator: ${operator}`);
  if (bound === undefined)
    throw new PatternError(`Value of ${operator === "=" ? "equals" : operator} must be numeric`);
  return { operator, compare, bound };
}

/** `10.0.0.0/24` */
function compileCidr(argument: unknown): ValueTest {
  // AWS names the wrong operator here.
  if (typeof argument !== "string") throw new PatternError("prefix match pattern must be a string");
  const [address = "", bits = "", ...more] = argument.split("/");
  if (!argument.includes("/") || more.length > 0) throw new PatternError("Malformed CIDR, one '/' required");
  if (!/^-?\d+$/.test(bits)) throw new PatternError("Malformed CIDR, mask bits must be an integer");
  const version = isIP(address);
  if (version === 0) throw new PatternError(`Nonstandard IP address: ${address}`);
  const prefix = Number(bits);
  if (prefix < 0) throw new PatternError("Malformed CIDR, mask bits must not be negative");
  const widest = version === 6 ? 128 : 32;
  if (prefix > widest) throw new PatternError(`IPv${version} mask bits must be < ${widest}`);
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
export function folded(text: string): string {
  return text.toUpperCase().toLowerCase();
}
