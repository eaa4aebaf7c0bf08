/** One SQLite connection with its prepared statements; turns rows into what {@link Reader} promises. */
import { DatabaseSync } from "node:sqlite";
import type { StatementSync } from "node:sqlite";
import type { SqlValue, Statement } from "../database.ts";
import { StatementError } from "../statement-error.ts";

/** Statements kept prepared on a connection; the longest unused one makes room. */
const STATEMENTS_MAX = 1_000;

/** How long a statement waits for a lock, in milliseconds. Only a foreign process on the file can cause it. */
const BUSY_TIMEOUT_MS = 2_000;

interface Prepared {
  readonly statement: StatementSync;
  /** Whether it can only read, so that a transaction of such statements has nothing to make durable. */
  readonly isRead: boolean;
  /** The columns that may hold binary: those declared so, and computed ones. */
  readonly binaryColumns: readonly string[];
}

type Row = Record<string, unknown>;

export class SqliteConnection {
  readonly #database: DatabaseSync;
  readonly #prepared = new Map<string, Prepared>();

  constructor(path: string, options: { readOnly: boolean }) {
    this.#database = new DatabaseSync(path, { readOnly: options.readOnly, timeout: BUSY_TIMEOUT_MS });
  }

  /** Runs one or many statements that have no parameters. */
  exec(text: string): void {
    this.#database.exec(text);
  }

  /** @throws StatementError, as the others do. */
  get(statement: Statement, parameters: readonly SqlValue[]): Row | undefined {
    return this.#using(statement, (prepared) => {
      const row = prepared.statement.get(...parameters.map(bound)) as Row | undefined;
      if (row !== undefined) toBuffers(row, prepared.binaryColumns);
      return row;
    });
  }

  all(statement: Statement, parameters: readonly SqlValue[]): Row[] {
    return this.#using(statement, (prepared) => {
      const rows = prepared.statement.all(...parameters.map(bound)) as Row[];
      if (prepared.binaryColumns.length > 0) for (const row of rows) toBuffers(row, prepared.binaryColumns);
      return rows;
    });
  }

  /** Answers the number of rows changed. */
  run(statement: Statement, parameters: readonly SqlValue[]): number {
    return this.#using(statement, (prepared) =>
      Number(prepared.statement.run(...parameters.map(bound)).changes),
    );
  }

  isRead(statement: Statement): boolean {
    return this.#using(statement, (prepared) => prepared.isRead);
  }

  /** Whether a transaction is open. A failed commit may leave one, or not. */
  get isInTransaction(): boolean {
    return this.#database.isTransaction;
  }

  close(): void {
    this.#prepared.clear();
    this.#database.close();
  }

  #using<T>(statement: Statement, action: (prepared: Prepared) => T): T {
    try {
      return action(this.#prepare(statement.text));
    } catch (error) {
      throw new StatementError(statement, error);
    }
  }

  #prepare(text: string): Prepared {
    const found = this.#prepared.get(text);
    if (found !== undefined) return found;
    const statement = this.#database.prepare(text);
    const columns = statement.columns();
    const prepared = {
      statement,
      isRead: /^\s*(select|values|pragma)\b/i.test(text),
      binaryColumns: columns
        .filter(({ type }) => type === null || type.toLowerCase() === "blob")
        .map(({ name }) => name),
    };
    this.#prepared.set(text, prepared);
    if (this.#prepared.size > STATEMENTS_MAX) {
      for (const oldest of this.#prepared.keys()) {
        this.#prepared.delete(oldest);
        break;
      }
    }
    return prepared;
  }
}

/** Whole numbers go in as integers: `node:sqlite` would bind every number as a float, and `'n' || 5` would read `n5.0`. */
function bound(value: SqlValue): null | number | bigint | string | Uint8Array {
  return typeof value === "number" && Number.isSafeInteger(value) ? BigInt(value) : value;
}

function toBuffers(row: Row, columns: readonly string[]): void {
  for (const column of columns) {
    const value = row[column];
    if (value instanceof Uint8Array)
      row[column] = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }
}
