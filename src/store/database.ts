/** The SQL store every service writes to: one dialect, two engines (SQLite embedded, PostgreSQL for many machines). */

/** A value that can be bound or read. Integers are JavaScript numbers (safe range); binary is a Buffer on the way out. */
export type SqlValue = null | number | string | Uint8Array;

/** A statement, prepared once per connection under its name. Parameters are `?`, in order. Made by {@link sql}. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/**
 * Reads of committed and durable data. Rows are typed by hand at the call.
 * Whole numbers beyond 2^53 are an error; text is ordered by its UTF-8 bytes; a comparison or EXISTS is 1 or 0;
 * LIKE heeds case and needs its ESCAPE written. Text holds no U+0000 (PostgreSQL has none): such bytes go in a blob.
 */
export interface Reader {
  get<Row>(statement: Statement, ...parameters: SqlValue[]): Promise<Row | undefined>;
  all<Row>(statement: Statement, ...parameters: SqlValue[]): Promise<Row[]>;
}

/** One transaction. Its reads see its own writes. */
export interface Transaction extends Reader {
  /** Runs a write; answers the number of rows changed. */
  run(statement: Statement, ...parameters: SqlValue[]): Promise<number>;
  /** Runs after the commit is durable; never runs when the transaction fails. For wake-ups, not for effects. */
  afterCommit(action: () => void): void;
  /**
   * Runs after the commit, while it may still be on its way to the disk; never runs when the transaction fails. For wake-ups of those who
   * look into the database themselves: what they read there is durable, or may be done again.
   */
  onCommit(action: () => void): void;
  /** Runs where the transaction does not commit; before `work` runs again, where it does. For what was set aside in memory meanwhile. */
  onRollback(action: () => void): void;
}

export interface Database extends Reader {
  readonly engine: "sqlite" | "postgres";
  /**
   * Runs `work` in a serialisable transaction and resolves once the commit is durable (it survives `kill -9` and power loss).
   * Rejects, with nothing written, when `work` rejects or a statement failed, even one whose error `work` caught.
   * `work` must await nothing but this transaction, and may run again (PostgreSQL: when transactions collided), so
   * its only effects are its statements and `afterCommit`.
   */
  tx<T>(work: (transaction: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /** Applies the migrations of one component, in order; refuses a changed or missing one by name. */
  migrate(component: string, migrations: readonly Migration[]): Promise<void>;
  close(): Promise<void>;
}

export interface TransactionOptions {
  /**
   * `read committed` for work that takes row locks of its own, and would only collide with others: PostgreSQL then checks nothing more.
   * On SQLite transactions follow one another whatever is asked for.
   */
  readonly isolation?: "serializable" | "read committed";
  /**
   * When it resolves, and runs its `afterCommit`: once the commit is `durable`, or as soon as it is `committed`. The latter survives
   * `kill -9`, since the operating system has it, but not a power loss right after; what it read may be such a commit too. It is for what
   * is made good by doing it again: the claim of a message, which then is claimed again.
   */
  readonly resolves?: "durable" | "committed";
}

/** One step of a component's schema: `NNN-name`, and SQL in the shared subset (types: text, bigint, double precision, blob). */
export interface Migration {
  readonly name: string;
  readonly sql: string;
}

/** Declares a statement. `name` is unique in the process: `<component>.<what>`. */
export function sql(name: string, text: string): Statement {
  return Object.freeze({ name, text });
}
