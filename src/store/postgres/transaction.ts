/** One transaction on a connection of the pool. */
import type { PoolClient } from "pg";
import type { SqlValue, Statement } from "../database.ts";
import type { MigrationTransaction } from "../migrate.ts";
import { query } from "./query.ts";

export class PostgresTransaction implements MigrationTransaction {
  readonly actions: (() => void)[] = [];
  /** For when it is rolled back. */
  readonly undoneActions: (() => void)[] = [];
  readonly #client: PoolClient;
  #isOver = false;
  #failure: Error | undefined;

  constructor(client: PoolClient) {
    this.#client = client;
  }

  /** The first failure of a statement, even of one whose error the work caught: the transaction cannot commit. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  async get<Row>(statement: Statement, ...parameters: SqlValue[]): Promise<Row | undefined> {
    return (await this.#query(statement, parameters)).rows[0] as Row | undefined;
  }

  async all<Row>(statement: Statement, ...parameters: SqlValue[]): Promise<Row[]> {
    return (await this.#query(statement, parameters)).rows as Row[];
  }

  async run(statement: Statement, ...parameters: SqlValue[]): Promise<number> {
    return (await this.#query(statement, parameters)).rowCount ?? 0;
  }

  async exec(text: string): Promise<void> {
    this.#assertOpen();
    try {
      await this.#client.query(text);
    } catch (error) {
      this.#failure ??= error as Error;
      throw error;
    }
  }

  afterCommit(action: () => void): void {
    this.#assertOpen();
    this.actions.push(action);
  }

  /** A commit of PostgreSQL's is durable. */
  onCommit(action: () => void): void {
    this.afterCommit(action);
  }

  onRollback(action: () => void): void {
    this.#assertOpen();
    this.undoneActions.push(action);
  }

  end(): void {
    this.#isOver = true;
  }

  async #query(statement: Statement, parameters: readonly SqlValue[]) {
    this.#assertOpen();
    try {
      return await query(this.#client, statement, parameters);
    } catch (error) {
      this.#failure ??= error as Error;
      throw error;
    }
  }

  #assertOpen(): void {
    if (this.#isOver) throw new Error("The transaction is over; it cannot run anything more");
  }
}
