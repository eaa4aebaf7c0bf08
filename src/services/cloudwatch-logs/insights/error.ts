/** What is wrong with a query, and where. */

export class QueryError extends Error {
  /** Offsets of characters in the query; the end is not included. */
  readonly start: number;
  readonly end: number;

  constructor(message: string, start: number, end: number) {
    super(message);
    this.name = "QueryError";
    this.start = start;
    this.end = end;
  }
}

/** A query that needs more than it may have; it ends as Failed. */
export class QueryLimitError extends Error {}
