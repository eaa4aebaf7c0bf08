/** One interactive transaction on the writer connection: a savepoint within a group that is committed as a whole. */
import type { SqlValue, Statement } from "../database.ts";
import type { MigrationTransaction } from "../migrate.ts";
import type { SqliteConnection } from "./connection.ts";
import type { Turn } from "./turn.ts";

export class SqliteTransaction implements MigrationTransaction {
  /** For when it is durable. */
  readonly actions: (() => void)[] = [];
  /** For when it is committed. */
  readonly earlyActions: (() => void)[] = [];
  /** For when it is undone. */
  readonly undoneActions: (() => void)[] = [];
  readonly #connection: SqliteConnection;
  readonly #turn: Turn;
  #state: "new" | "open" | "over" = "new";
  #wrote = false;
  #failure: Error | undefined;
  #lastUsedAt = 0;
  #abort: ((error: Error) => void) | undefined;

  constructor(connection: SqliteConnection, turn: Turn) {
    this.#connection = connection;
    this.#turn = turn;
  }

  async get<Row>(statement: Statement, ...parameters: SqlValue[]): Promise<Row | undefined> {
    const row = this.#do(statement, () => this.#connection.get(statement, parameters) as Row | undefined);
    if (this.#turn.isOver) await this.#turn.next();
    return row;
  }

  async all<Row>(statement: Statement, ...parameters: SqlValue[]): Promise<Row[]> {
    const rows = this.#do(statement, () => this.#connection.all(statement, parameters) as Row[]);
    if (this.#turn.isOver) await this.#turn.next();
    return rows;
  }

  async run(statement: Statement, ...parameters: SqlValue[]): Promise<number> {
    const changes = this.#do(statement, () => this.#connection.run(statement, parameters));
    if (this.#turn.isOver) await this.#turn.next();
    return changes;
  }

  afterCommit(action: () => void): void {
    this.#assertOpen();
    this.actions.push(action);
  }

  onCommit(action: () => void): void {
    this.#assertOpen();
    this.earlyActions.push(action);
  }

  onRollback(action: () => void): void {
    this.#assertOpen();
    this.undoneActions.push(action);
  }

  /** Runs SQL of a migration: any number of statements. */
  async exec(text: string): Promise<void> {
    this.#do(EXEC, () => this.#connection.exec(text));
  }

  begin(): void {
    this.#connection.run(SAVEPOINT, []);
    this.#state = "open";
  }

  /** Waits for the work, or for the watchdog that gives up on it. */
  during<T>(work: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#abort = reject;
      work.then(resolve, reject);
    });
  }

  /** Keeps what was written, for the group's commit. @returns whether anything may have been. */
  end(): boolean {
    // PostgreSQL refuses to commit after a failed statement, even one whose error was caught; so does this engine.
    if (this.#failure !== undefined) throw this.#failure;
    this.#connection.run(RELEASE, []);
    this.#state = "over";
    return this.#wrote;
  }

  /** Undoes what was written. Some errors have undone the whole group already. */
  rollback(): void {
    this.#state = "over";
    if (!this.#connection.isInTransaction) return;
    this.#connection.run(ROLLBACK_TO, []);
    this.#connection.run(RELEASE, []);
  }

  abortIfStuck(stuckMs: number): void {
    if (this.#state !== "open") return;
    if (this.#lastUsedAt === 0) this.#lastUsedAt = performance.now();
    if (performance.now() - this.#lastUsedAt < stuckMs) return;
    this.#abort?.(
      new Error("A transaction was undone because it waited for something other than its own statements"),
    );
  }

  #do<T>(statement: Statement, action: () => T): T {
    this.#assertOpen();
    this.#lastUsedAt = 0;
    try {
      if (!this.#wrote) this.#wrote = !this.#connection.isRead(statement);
      return action();
    } catch (error) {
      this.#failure ??= error as Error;
      throw error;
    }
  }

  #assertOpen(): void {
    if (this.#state !== "open") throw new Error("The transaction is over; it cannot run anything more");
  }
}

const EXEC: Statement = { name: "store.migration", text: "BEGIN" };
const SAVEPOINT: Statement = { name: "store.savepoint", text: "SAVEPOINT one" };
const RELEASE: Statement = { name: "store.release", text: "RELEASE one" };
const ROLLBACK_TO: Statement = { name: "store.rollback-to", text: "ROLLBACK TO one" };
