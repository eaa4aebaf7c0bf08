/** A statement that the database refused, told with the statement's name. */
import type { Statement } from "./database.ts";

export class StatementError extends Error {
  constructor(statement: Statement, cause: unknown) {
    super(`${statement.name}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = "StatementError";
  }
}
