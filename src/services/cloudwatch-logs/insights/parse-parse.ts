/** Reads the commands that take values out of fields: `parse` in its modes, and `json`. */
import type { Command, Expression, ParsePattern } from "./ast.ts";
import type { Cursor } from "./cursor.ts";
import { QueryError } from "./error.ts";
import { compileRegex } from "./parse-expression.ts";
import type { Token } from "./tokens.ts";

const MESSAGE: Expression = { kind: "field", name: "@message" };
/** Modes without a pattern. */
const MODES: readonly string[] = ["logfmt", "csv"];

/** @param expression Reads one in which no function counts over records. @throws QueryError */
export function parseParse(cursor: Cursor, expression: (cursor: Cursor) => Expression): Command {
  const from = startsPattern(cursor) ? MESSAGE : expression(cursor);
  const token = cursor.next;
  if (isMode(token)) {
    cursor.take();
    cursor.expect("as");
    if (token.text.toLowerCase() === "csv")
      return { kind: "parse", from, pattern: { kind: "csv", names: names(cursor) } };
    return { kind: "parse", from, pattern: { kind: "logfmt", name: cursor.takeName() } };
  }
  if (token.kind !== "text" && token.kind !== "regex")
    throw cursor.unexpected("a text or a regular expression");
  cursor.take();
  return {
    kind: "parse",
    from,
    pattern: token.kind === "regex" ? regex(cursor, token) : glob(cursor, token),
  };
}

/** `json field=payload "user.name" as username` @throws QueryError */
export function parseJsonField(cursor: Cursor): Command {
  cursor.expect("field");
  cursor.expect("=");
  const from: Expression = { kind: "field", name: cursor.takeName() };
  if (cursor.next.kind !== "text") throw cursor.unexpected("a path in quotation marks");
  const path = cursor.take().text;
  const name = cursor.takeIf("as") ? cursor.takeName() : path;
  return { kind: "parse", from, pattern: { kind: "path", path, name } };
}

/** Whether the field is left out. */
function startsPattern({ next, afterNext }: Cursor): boolean {
  if (next.kind === "regex") return true;
  if (isMode(next)) return afterNext?.kind === "word" && afterNext.text.toLowerCase() === "as";
  return next.kind === "text" && afterNext?.kind !== "text" && afterNext?.kind !== "regex";
}

function isMode({ kind, text }: Token): boolean {
  return kind === "word" && MODES.includes(text.toLowerCase());
}

function names(cursor: Cursor): string[] {
  const found: string[] = [];
  do found.push(cursor.takeName());
  while (cursor.takeIf(","));
  return found;
}

function regex(cursor: Cursor, token: Token): ParsePattern {
  const { start, end } = token;
  const isNamed = /\(\?P?<[A-Za-z]/.test(token.text);
  const given = cursor.takeIf("as") ? names(cursor) : undefined;
  if (!isNamed && !given)
    throw new QueryError("the regular expression of parse has no named group (?<name>…)", start, end);
  const isMulti = cursor.takeIf("multi");
  const compiled = compileRegex(token);
  const groups = (new RegExp(`${compiled.source}|`, compiled.flags).exec("")?.length ?? 1) - 1;
  if (given && given.length !== groups)
    throw new QueryError(
      `the regular expression of parse has ${groups} groups, and ${given.length} names are given`,
      start,
      end,
    );
  const all = isMulti ? new RegExp(compiled.source, `${compiled.flags}g`) : compiled;
  return { kind: "regex", regex: all, names: given, isMulti };
}

function glob(cursor: Cursor, { text, start, end }: Token): ParsePattern {
  const pieces = text.split("*");
  cursor.expect("as");
  const given = names(cursor);
  if (given.length !== pieces.length - 1)
    throw new QueryError(
      `the pattern of parse has ${pieces.length - 1} wildcards, and ${given.length} names are given`,
      start,
      end,
    );
  return { kind: "glob", pieces, names: given };
}
