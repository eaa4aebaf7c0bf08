/** A cursor over a filter pattern, with the pieces all three pattern languages share. */
import { FilterPatternError } from "./error.ts";
import { compileRegex } from "./regex.ts";
import type { Regex } from "./regex.ts";

/** What a value is compared with. */
export type Literal =
  | { readonly kind: "regex"; readonly regex: Regex }
  | { readonly kind: "text"; readonly text: string; readonly quoted: boolean };

/** In a JSON or space-delimited pattern. */
const REGEXES_MAX = 2;

export class Scanner {
  readonly text: string;
  at = 0;
  #regexes = 0;

  constructor(text: string) {
    this.text = text;
  }

  get done(): boolean {
    this.space();
    return this.at >= this.text.length;
  }

  space(): void {
    while (/\s/.test(this.text[this.at] ?? "")) this.at++;
  }

  /** Takes a symbol or word if it is next, white space before it ignored. */
  take(symbol: string): boolean {
    this.space();
    if (!this.text.startsWith(symbol, this.at)) return false;
    this.at += symbol.length;
    return true;
  }

  /** @throws FilterPatternError where something else comes next */
  expect(symbol: string): void {
    if (!this.take(symbol)) throw new FilterPatternError();
  }

  /** Takes what a sticky expression matches here, or answers undefined. */
  match(expression: RegExp): string | undefined {
    this.space();
    expression.lastIndex = this.at;
    const found = expression.exec(this.text)?.[0];
    if (found === undefined) return undefined;
    this.at += found.length;
    return found;
  }

  /** Takes `"…"`; a backslash keeps the next character as it is. */
  quoted(): string | undefined {
    const found = this.match(/"(?:[^"\\]|\\.)*"/y);
    return found?.slice(1, -1).replaceAll(/\\(.)/g, "$1");
  }

  /** Takes `%…%`. */
  regex(): Regex | undefined {
    const found = this.match(/%(?:[^%\\]|\\.)*%/y);
    if (found === undefined) return undefined;
    if (++this.#regexes > REGEXES_MAX)
      throw new FilterPatternError(`A filter pattern may contain at most ${REGEXES_MAX} regular expressions`);
    return compileRegex(found.slice(1, -1));
  }

  /** Takes a value: a regex, a quoted text, or what `bare` (sticky) matches. */
  literal(bare: RegExp): Literal {
    const regex = this.regex();
    if (regex) return { kind: "regex", regex };
    const quoted = this.quoted();
    if (quoted !== undefined) return { kind: "text", text: quoted, quoted: true };
    const text = this.match(bare)?.trim();
    if (text === undefined || text === "") throw new FilterPatternError();
    return { kind: "text", text, quoted: false };
  }
}

/**
 * Reads conditions joined by && and ||, with parentheses; && binds tighter.
 * @param leaf reads one condition
 */
export function readExpression<T>(
  scanner: Scanner,
  leaf: () => (subject: T) => boolean,
): (subject: T) => boolean {
  const primary = (): ((subject: T) => boolean) => {
    if (!scanner.take("(")) return leaf();
    const inside = readExpression(scanner, leaf);
    scanner.expect(")");
    return inside;
  };
  const conjunction = () => {
    const parts = [primary()];
    while (scanner.take("&&")) parts.push(primary());
    return (subject: T) => parts.every((part) => part(subject));
  };
  const parts = [conjunction()];
  while (scanner.take("||")) parts.push(conjunction());
  return (subject) => parts.some((part) => part(subject));
}
