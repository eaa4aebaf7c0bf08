/** A place in a query's tokens. */
import { QueryError } from "./error.ts";
import { tokenize } from "./tokens.ts";
import type { Token } from "./tokens.ts";

export class Cursor {
  readonly query: string;
  readonly #tokens: readonly Token[];
  #at = 0;

  /** @throws QueryError */
  constructor(query: string) {
    this.query = query;
    this.#tokens = tokenize(query);
  }

  get next(): Token {
    return this.#tokens[this.#at] as Token;
  }

  get afterNext(): Token | undefined {
    return this.#tokens[this.#at + 1];
  }

  take(): Token {
    const token = this.next;
    if (token.kind !== "end") this.#at++;
    return token;
  }

  /** Takes a symbol, or a word in whatever case, if it comes next. */
  takeIf(text: string): boolean {
    if (!this.isNext(text)) return false;
    this.#at++;
    return true;
  }

  isNext(text: string): boolean {
    const { kind, text: found } = this.next;
    return (kind === "symbol" || kind === "word") && found.toLowerCase() === text;
  }

  /** Takes a name of a field. @throws QueryError */
  takeName(): string {
    const { kind } = this.next;
    if (kind !== "word" && kind !== "field" && kind !== "text") throw this.unexpected("a name");
    return this.take().text;
  }

  /** @throws QueryError */
  expect(text: string): void {
    if (!this.takeIf(text)) throw this.unexpected(`'${text}'`);
  }

  /** What stands in the query from `start` to the token before this place. */
  textSince(start: number): string {
    return this.query.slice(start, this.#tokens[this.#at - 1]?.end ?? start);
  }

  unexpected(wanted: string): QueryError {
    const { kind, text, start, end } = this.next;
    if (kind === "end") return new QueryError(`unexpected end of the query; expected ${wanted}`, start, end);
    const found = this.query.slice(start, end);
    return new QueryError(
      `unexpected symbol found ${found || text} at position ${start}; expected ${wanted}`,
      start,
      end,
    );
  }
}
