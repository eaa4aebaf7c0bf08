/** A place in a query's tokens. */
import { QueryError } from "./error.ts";
import { tokenize } from "./tokens.ts";
import type { Token } from "./tokens.ts";

export class Cursor {
  readonly query: string;
  readonly #tokens: readonly Token[];
  #at = 0;
  /** Columns that a `stats` made, by how they are written without spaces: what comes after it speaks of them as of fields. */
  readonly #made = new Map<string, string>();
  #depth = 0;
  isInStats = false;

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

  /** Notes the columns of a `stats` that was read. */
  made(names: readonly string[]): void {
    this.#made.clear();
    for (const name of names) this.#made.set(withoutSpaces(name), name);
  }

  /** Reads what stands in the parentheses of a call. */
  within<T>(read: () => T): T {
    this.#depth++;
    const result = read();
    this.#depth--;
    return result;
  }

  /** The column that a call which was just read names: `sum(x)` after `stats sum(x)`. A `stats` itself counts anew, but within its calls. */
  columnNamed(start: number, isAggregate: boolean): string | undefined {
    if (this.isInStats && isAggregate && this.#depth === 0) return undefined;
    return this.#made.get(withoutSpaces(this.textSince(start)));
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

function withoutSpaces(text: string): string {
  return text.replaceAll(/\s+/g, "").toLowerCase();
}
