/** Reads expressions: of `or`, `and`, `not`, comparisons, sums, products, powers, in order of how loosely they bind. */
import { AGGREGATE_NAMES } from "./aggregate-names.ts";
import type { BinaryOperator, Expression } from "./ast.ts";
import type { Cursor } from "./cursor.ts";
import { QueryError } from "./error.ts";
import { FUNCTIONS, FUNCTIONS_NOT_HERE } from "./functions/index.ts";
import { readPeriod } from "./period.ts";
import type { Token } from "./tokens.ts";

/** Nesting of parentheses and calls; more is nobody's query. */
const DEPTH_MAX = 100;
const COMPARISONS: readonly BinaryOperator[] = ["=", "!=", "<=", ">=", "<", ">"];

/** @throws QueryError */
export function parseExpression(cursor: Cursor, depth = 0): Expression {
  if (depth > DEPTH_MAX)
    throw new QueryError("the query is nested too deeply", cursor.next.start, cursor.next.end);
  const conjunction = () => leftToRight(cursor, ["and"], () => negation(cursor, depth));
  return leftToRight(cursor, ["or"], conjunction);
}

function leftToRight(
  cursor: Cursor,
  operators: readonly BinaryOperator[],
  operand: () => Expression,
): Expression {
  let left = operand();
  for (;;) {
    const operator = operators.find((one) => cursor.takeIf(one));
    if (operator === undefined) return left;
    left = { kind: "binary", operator, left, right: operand() };
  }
}

function negation(cursor: Cursor, depth: number): Expression {
  if (!cursor.takeIf("not")) return comparison(cursor, depth);
  if (depth > DEPTH_MAX) throw cursor.unexpected("no more 'not'");
  return { kind: "not", of: negation(cursor, depth + 1) };
}

function comparison(cursor: Cursor, depth: number): Expression {
  const sum = () => leftToRight(cursor, ["+", "-"], () => product(cursor, depth));
  const left = sum();
  const operator = COMPARISONS.find((one) => cursor.takeIf(one));
  if (operator !== undefined) return { kind: "binary", operator, left, right: sum() };
  if (cursor.takeIf("=~")) return { kind: "binary", operator: "like", left, right: pattern(cursor) };
  const isNegated = cursor.takeIf("not");
  const found = matching(cursor, left, depth);
  if (!found) {
    if (isNegated) throw cursor.unexpected("'like' or 'in'");
    return left;
  }
  return isNegated ? { kind: "not", of: found } : found;
}

function matching(cursor: Cursor, left: Expression, depth: number): Expression | undefined {
  if (cursor.takeIf("like")) return { kind: "binary", operator: "like", left, right: pattern(cursor) };
  if (!cursor.takeIf("in")) return undefined;
  return { kind: "binary", operator: "in", left, right: list(cursor, depth) };
}

/** What `like` takes: a regular expression, or a text that has to be a part. */
function pattern(cursor: Cursor): Expression {
  const token = cursor.next;
  if (token.kind === "regex") return { kind: "regex", regex: compileRegex(cursor.take()) };
  if (token.kind === "text") return { kind: "literal", value: cursor.take().text };
  throw cursor.unexpected("a text or a regular expression");
}

function list(cursor: Cursor, depth: number): Expression {
  const close = cursor.takeIf("(") ? ")" : "]";
  if (close === "]") cursor.expect("[");
  const items: Expression[] = [];
  if (!cursor.isNext(close))
    do items.push(parseExpression(cursor, depth + 1));
    while (cursor.takeIf(","));
  cursor.expect(close);
  return { kind: "list", items };
}

function product(cursor: Cursor, depth: number): Expression {
  return leftToRight(cursor, ["*", "/", "%"], () => power(cursor, depth));
}

function power(cursor: Cursor, depth: number): Expression {
  const base = unary(cursor, depth);
  if (!cursor.takeIf("^")) return base;
  return { kind: "binary", operator: "^", left: base, right: power(cursor, depth) };
}

function unary(cursor: Cursor, depth: number): Expression {
  if (depth > DEPTH_MAX) throw cursor.unexpected("less nesting");
  if (cursor.takeIf("-")) return { kind: "negative", of: unary(cursor, depth + 1) };
  return primary(cursor, depth);
}

function primary(cursor: Cursor, depth: number): Expression {
  const token = cursor.next;
  if (cursor.takeIf("(")) {
    const inside = parseExpression(cursor, depth + 1);
    cursor.expect(")");
    return inside;
  }
  if (token.kind === "number") return { kind: "literal", value: Number(cursor.take().text) };
  if (token.kind === "text") return { kind: "literal", value: cursor.take().text };
  if (token.kind === "field") return { kind: "field", name: cursor.take().text };
  if (token.kind !== "word") throw cursor.unexpected("a field, a value or a function");
  cursor.take();
  if (cursor.isNext("(")) return call(cursor, token, depth);
  if (/^\d/.test(token.text)) {
    if (!readPeriod(token.text)) throw badPeriod(token);
    return { kind: "duration", text: token.text };
  }
  const constant = { true: 1, false: 0 }[token.text.toLowerCase()];
  return constant === undefined ? { kind: "field", name: token.text } : { kind: "literal", value: constant };
}

function call(cursor: Cursor, { text, start, end }: Token, depth: number): Expression {
  const name = text.toLowerCase();
  const known = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
  if (FUNCTIONS_NOT_HERE.has(name))
    throw new QueryError(`Lambent does not implement the function ${text}`, start, end);
  if (!known && !AGGREGATE_NAMES.has(name)) throw new QueryError(`unknown function ${text}`, start, end);
  cursor.expect("(");
  const list: Expression[] = [];
  if (name === "count" && cursor.takeIf("*")) list.push({ kind: "literal", value: 1 });
  else if (!cursor.isNext(")"))
    do list.push(cursor.within(() => argument(cursor, depth + 1)));
    while (cursor.takeIf(","));
  cursor.expect(")");
  const column = cursor.columnNamed(start, AGGREGATE_NAMES.has(name));
  if (column !== undefined) return { kind: "field", name: column };
  const [least, most] = known?.arguments ?? AGGREGATE_NAMES.get(name) ?? [0, 0];
  if (list.length < least || list.length > most)
    throw new QueryError(
      `the function ${text} takes ${least === most ? least : `${least} to ${most}`} arguments and got ${list.length}`,
      start,
      end,
    );
  const period = known?.periodAt === undefined ? undefined : list[known.periodAt];
  if (known?.periodAt !== undefined && period?.kind !== "duration")
    throw new QueryError(`the function ${text} takes a period such as 5m`, start, end);
  const fault = known?.fault?.(list);
  if (fault !== undefined) throw new QueryError(`the function ${text} ${fault}`, start, end);
  return { kind: "call", name, arguments: list, start, end };
}

function argument(cursor: Cursor, depth: number): Expression {
  return cursor.next.kind === "regex" ? pattern(cursor) : parseExpression(cursor, depth);
}

function badPeriod({ text, start, end }: Token): QueryError {
  return new QueryError(`${text} is no period: a number and ms, s, m, h, d, w, mo, q or y`, start, end);
}

/** Also in the ways that other languages write: `(?i)…`, `(?P<name>…)`. @throws QueryError */
export function compileRegex({ text, flags = "", start, end }: Token): RegExp {
  const inline = /^\(\?([ims]+)\)/.exec(text);
  const source = text.slice(inline?.[0].length ?? 0).replaceAll("(?P<", "(?<");
  const all = [...new Set(`${flags}${inline?.[1] ?? ""}`)].join("");
  if (/[^ims]/.test(all))
    throw new QueryError(`the flags ${flags} of a regular expression are not known`, start, end);
  try {
    return new RegExp(source, all);
  } catch (error) {
    throw new QueryError(`invalid regular expression: ${(error as Error).message}`, start, end);
  }
}
