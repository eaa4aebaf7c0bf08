/** Cuts an expression into tokens, and words the syntax error at one of them. */

export type TokenKind = "word" | "name" | "value" | "number" | "symbol" | "bad" | "end";

/** A piece of the expression; `start` and `end` are its place in the source. */
export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** The largest expression: 4 KB as sent, before any name is substituted. */
export const EXPRESSION_BYTES_MAX = 4096;

const TOKEN =
  /[ \t\r\n]*(?:([A-Za-z][A-Za-z0-9_]*)|(#[A-Za-z0-9_]+)|(:[A-Za-z0-9_]+)|([0-9]+)|(<>|<=|>=|[=<>(),.[\]+-])|([^ \t\r\n]))/uy;
const KINDS: readonly TokenKind[] = ["word", "name", "value", "number", "symbol", "bad"];

/** Parentheses within parentheses; deeper than any expression within the limit of operators needs. */
const PARENTHESES_MAX = 300;

/** A fault in an expression; the caller puts the parameter's name in front: `Invalid UpdateExpression: …`. */
export class ExpressionError extends Error {}

/** The tokens of an expression, read one after the other. */
export class Tokens {
  readonly #source: string;
  readonly #tokens: Token[] = [];
  #at = 0;

  constructor(source: string) {
    if (source === "") throw new ExpressionError("The expression can not be empty;");
    const bytes = Buffer.byteLength(source, "utf8");
    if (bytes > EXPRESSION_BYTES_MAX)
      throw new ExpressionError(
        `Expression size has exceeded the maximum allowed size; expression size: ${bytes}`,
      );
    refuseDeepParentheses(source);
    this.#source = source;
    TOKEN.lastIndex = 0;
    for (let match = TOKEN.exec(source); match; match = TOKEN.exec(source)) {
      const group = match.findIndex((text, i) => i > 0 && text !== undefined);
      const text = match[group] as string;
      const end = TOKEN.lastIndex;
      this.#tokens.push({ kind: KINDS[group - 1] as TokenKind, text, start: end - text.length, end });
    }
    this.#tokens.push({ kind: "end", text: "<EOF>", start: source.length, end: source.length });
  }

  /** The next token, not consumed. */
  get next(): Token {
    return this.#tokens[this.#at] as Token;
  }

  /** Whether all has been read. */
  get atEnd(): boolean {
    return this.next.kind === "end";
  }

  /** The token after the next. */
  get second(): Token {
    return (this.#tokens[this.#at + 1] ?? this.#tokens.at(-1)) as Token;
  }

  /** Consumes the next token. */
  take(): Token {
    const token = this.next;
    if (token.kind !== "end") this.#at += 1;
    return token;
  }

  /** Whether the next token is this symbol. */
  isSymbol(text: string): boolean {
    return this.next.kind === "symbol" && this.next.text === text;
  }

  /** Whether the next token is this keyword, in any case. */
  isKeyword(keyword: string): boolean {
    return this.next.kind === "word" && this.next.text.toUpperCase() === keyword;
  }

  /** Consumes the symbol if it is next. */
  takeSymbol(text: string): boolean {
    if (!this.isSymbol(text)) return false;
    this.take();
    return true;
  }

  /** Consumes the keyword if it is next. */
  takeKeyword(keyword: string): boolean {
    if (!this.isKeyword(keyword)) return false;
    this.take();
    return true;
  }

  /** Consumes the symbol or fails. */
  expectSymbol(text: string): void {
    if (!this.takeSymbol(text)) throw this.unexpected();
  }

  /** The syntax error at the next token: it, and the text from the token before it to the one after it. */
  unexpected(): ExpressionError {
    const token = this.next;
    const from = this.#tokens[this.#at - 1] ?? token;
    const to = this.#tokens[this.#at + 1] ?? token;
    const near = this.#source.slice(from.start, to.end);
    return new ExpressionError(`Syntax error; token: "${token.text}", near: "${near}"`);
  }
}

function refuseDeepParentheses(source: string): void {
  let depth = 0;
  for (const character of source) {
    if (character === "(") depth += 1;
    else if (character === ")") depth -= 1;
    if (depth > PARENTHESES_MAX)
      throw new ExpressionError(`The expression has too many nested parentheses; limit: ${PARENTHESES_MAX}`);
  }
}
