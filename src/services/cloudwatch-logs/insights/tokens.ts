/** Cuts a query into tokens. */
import { QueryError } from "./error.ts";

export interface Token {
  readonly kind: "word" | "number" | "text" | "field" | "regex" | "symbol" | "pipe" | "end";
  /** As written, but without quotation marks, backticks and slashes. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** Of a regex. */
  readonly flags?: string;
}

/** A query may be so long, in characters. */
export const QUERY_LENGTH_MAX = 10_000;

/** `@message`, `user.name`, `items.0.id`. */
const WORD = /[@A-Za-z_][\w@]*(?:\.[\w@]+)*/y;
const NUMBER = /(?:\d+(?:\.\d+)?|\.\d+)(?:e[+-]?\d+)?/iy;
const SYMBOL = /=~|!=|<=|>=|[=<>()[\],+\-*/^%]/y;
/** A number with letters behind it is a duration: `5m`. */
const DURATION = /\d+[A-Za-z]+/y;
const SPACE = /(?:\s+|#[^\n]*)+/y;
/** After these an operand comes, so that a slash begins a regular expression. */
const BEFORE_REGEX = /^(?:like|parse|replace|=~|\(|,)$/i;

/** @throws QueryError */
export function tokenize(query: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < query.length) {
    const space = match(SPACE, query, at);
    if (space !== undefined) {
      at += space.length;
      continue;
    }
    const token = readToken(query, at, tokens);
    tokens.push(token);
    at = token.end;
  }
  tokens.push({ kind: "end", text: "", start: query.length, end: query.length });
  return tokens;
}

function readToken(query: string, at: number, before: readonly Token[]): Token {
  const character = query[at] ?? "";
  const simple = (kind: Token["kind"], text: string): Token => ({
    kind,
    text,
    start: at,
    end: at + text.length,
  });
  if (character === "|") return simple("pipe", "|");
  if (character === '"' || character === "'") return quoted(query, at, character, "text");
  if (character === "`") return withPath(query, quoted(query, at, character, "field"));
  if (character === "/" && mayBeginRegex(before)) return regex(query, at);
  const word = match(WORD, query, at);
  if (word !== undefined)
    return word.toLowerCase() === "in" ? simple("word", word) : withPath(query, simple("word", word));
  const duration = match(DURATION, query, at);
  if (duration !== undefined && !/^\d+e\d*$/i.test(duration)) return simple("word", duration);
  const number = match(NUMBER, query, at);
  if (number !== undefined) return simple("number", number);
  const symbol = match(SYMBOL, query, at);
  // What is none is refused where it stands in nobody's place, after what stands before it.
  return simple("symbol", symbol ?? character);
}

const INDEX = /\[\d+\]/y;
const MEMBER = /\.[\w@]+/y;

/** Adds what leads into maps and lists: `users[1].action`, ``user.`full name` ``. Its text has a dot before each step. */
function withPath(query: string, token: Token): Token {
  let { text, end } = token;
  for (;;) {
    const index = match(INDEX, query, end);
    const member = index ?? match(MEMBER, query, end);
    if (member !== undefined) {
      text += index === undefined ? member : `.${index.slice(1, -1)}`;
      end += member.length;
    } else if (query.startsWith(".`", end)) {
      const quote = quoted(query, end + 1, "`", "field");
      text += `.${quote.text}`;
      end = quote.end;
    } else return { ...token, text, end };
  }
}

/** A field may stand before the regex of parse: `parse @message /…/`. */
function mayBeginRegex(before: readonly Token[]): boolean {
  const [previous, earlier] = [before.at(-1), before.at(-2)];
  if (!previous || previous.kind === "pipe" || BEFORE_REGEX.test(previous.text)) return true;
  return earlier?.kind === "word" && earlier.text.toLowerCase() === "parse";
}

function quoted(query: string, at: number, mark: string, kind: "text" | "field"): Token {
  let text = "";
  for (let next = at + 1; next < query.length; next++) {
    const character = query[next] ?? "";
    if (character === mark) return { kind, text, start: at, end: next + 1 };
    if (character === "\\" && (query[next + 1] === mark || query[next + 1] === "\\")) text += query[++next];
    else text += character;
  }
  throw new QueryError(`the ${mark} at position ${at} is not closed`, at, query.length);
}

function regex(query: string, at: number): Token {
  let inClass = false;
  for (let next = at + 1; next < query.length; next++) {
    const character = query[next];
    if (character === "\\") next++;
    else if (character === "[") inClass = true;
    else if (character === "]") inClass = false;
    else if (character === "/" && !inClass) {
      const flags = match(/[a-z]*/y, query, next + 1) ?? "";
      const end = next + 1 + flags.length;
      return { kind: "regex", text: query.slice(at + 1, next), start: at, end, flags };
    }
  }
  throw new QueryError(`the regular expression at position ${at} is not closed`, at, query.length);
}

function match(expression: RegExp, text: string, at: number): string | undefined {
  expression.lastIndex = at;
  const found = expression.exec(text)?.[0];
  return found === "" ? undefined : found;
}
