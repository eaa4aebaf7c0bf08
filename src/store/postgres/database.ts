/** The {@link Database} over PostgreSQL: serialisable transactions on a pool, retried when they collide. */
import { setTimeout as sleep } from "node:timers/promises";
import { Pool } from "pg";
import type { PoolClient } from "pg";
import type { Ids } from "../../kit/id.ts";
import type { Log } from "../../telemetry/log.ts";
import type {
  Database,
  Migration,
  SqlValue,
  Statement,
  Transaction,
  TransactionOptions,
} from "../database.ts";
import { migrate } from "../migrate.ts";
import type { MigrationTransaction } from "../migrate.ts";
import { query } from "./query.ts";
import { PostgresTransaction } from "./transaction.ts";
import { typeParsers } from "./values.ts";

/** Connections at once. */
const CONNECTIONS_MAX = 16;

/** How long a call waits for a connection, in milliseconds. */
const CONNECT_MS = 30_000;

/** Runs of one transaction that collides with others. */
const ATTEMPTS_MAX = 20;

/** Longest pause before the second run, in milliseconds; it doubles with every further one, up to the maximum. */
const RETRY_MS = 2;
const RETRY_MS_MAX = 200;

/** Serialization failure, deadlock. */
const COLLISIONS: ReadonlySet<string> = new Set(["40001", "40P01"]);

/** Ended by an administrator, by a crash of another connection; gone. */
const LOST: ReadonlySet<string> = new Set(["57P01", "57P02", "ECONNRESET", "EPIPE"]);

/** Any number that no other program locks in this database. */
const MIGRATION_LOCK = 4_566_001;

/** How long a transaction may run no statement, in milliseconds, before it is taken for stuck and undone. */
const STUCK_MS = 10_000;

const settings = (stuckMs: number) =>
  [
    // A commit that was answered survives, whatever the server's default.
    "-c synchronous_commit=on",
    "-c bytea_output=hex",
    // A transaction that waits for something other than its own statements is undone.
    `-c idle_in_transaction_session_timeout=${stuckMs}`,
  ].join(" ");

const BEGIN = {
  serializable: "BEGIN ISOLATION LEVEL SERIALIZABLE",
  "read committed": "BEGIN ISOLATION LEVEL READ COMMITTED",
} as const;
/** In the same round trip. */
const UNSYNCED = "; SET LOCAL synchronous_commit = off";

export interface PostgresDeps {
  readonly log: Log;
  readonly ids: Ids;
  readonly stuckMs?: number;
}

export class PostgresDatabase implements Database {
  readonly engine = "postgres";
  readonly #pool: Pool;
  readonly #log: Log;
  readonly #ids: Ids;
  readonly #running = new Set<Promise<unknown>>();
  #closed: Promise<void> | undefined;

  private constructor(pool: Pool, log: Log, ids: Ids) {
    this.#pool = pool;
    this.#log = log;
    this.#ids = ids;
  }

  /** @throws Error saying what is wrong with the address or the database. */
  static async open(url: string, deps: PostgresDeps): Promise<PostgresDatabase> {
    const pool = new Pool({
      connectionString: url,
      max: CONNECTIONS_MAX,
      connectionTimeoutMillis: CONNECT_MS,
      types: typeParsers,
      options: settings(deps.stuckMs ?? STUCK_MS),
      application_name: "lambent",
    });
    const lost = (error: Error) => deps.log.warn("A connection to PostgreSQL was lost", { error });
    pool.on("error", lost);
    // Also one that is in use; its statement rejects, and without a listener the process would end.
    pool.on("connect", (client) => client.on("error", lost));
    try {
      await prepareDatabase(pool, deps.log);
    } catch (error) {
      await pool.end();
      throw error;
    }
    return new PostgresDatabase(pool, deps.log, deps.ids);
  }

  async get<Row>(statement: Statement, ...parameters: SqlValue[]): Promise<Row | undefined> {
    return (await this.#read(statement, parameters))[0] as Row | undefined;
  }

  async all<Row>(statement: Statement, ...parameters: SqlValue[]): Promise<Row[]> {
    return (await this.#read(statement, parameters)) as Row[];
  }

  async #read(statement: Statement, parameters: readonly SqlValue[]): Promise<unknown[]> {
    this.#assertOpen();
    const read = () => query(this.#pool, statement, parameters);
    return (await this.#track(onLiveConnection(read))).rows;
  }

  tx<T>(work: (transaction: Transaction) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    const { isolation = "serializable", resolves } = options;
    return this.#transact(BEGIN[isolation] + (resolves === "committed" ? UNSYNCED : ""), work);
  }

  /** For work of one statement that is atomic by itself: it never collides. */
  readCommitted<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.#transact(BEGIN["read committed"], work);
  }

  async migrate(component: string, migrations: readonly Migration[]): Promise<void> {
    // One server at a time; the others then find it done.
    const run = <T>(work: (transaction: MigrationTransaction) => Promise<T>) =>
      this.#transact(BEGIN["read committed"], async (transaction) => {
        await transaction.exec(`SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`);
        return work(transaction);
      });
    await migrate(run, component, migrations);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    // A pool that is ending forgets those who wait for a connection.
    await Promise.allSettled(this.#running);
    await this.#pool.end();
  }

  async #track<T>(running: Promise<T>): Promise<T> {
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  async #transact<T>(begin: string, work: (transaction: PostgresTransaction) => Promise<T>): Promise<T> {
    this.#assertOpen();
    return this.#track(this.#repeat(begin, work));
  }

  async #repeat<T>(begin: string, work: (transaction: PostgresTransaction) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#attempt(begin, work);
      } catch (error) {
        if (attempt === ATTEMPTS_MAX || !isCollision(error)) throw error;
        const pauseMs = Math.min(RETRY_MS * 2 ** (attempt - 1), RETRY_MS_MAX);
        await sleep(pauseMs * this.#ids.random());
      }
    }
  }

  async #attempt<T>(begin: string, work: (transaction: PostgresTransaction) => Promise<T>): Promise<T> {
    const client = await onLiveConnection(() => this.#begin(begin));
    const transaction = new PostgresTransaction(client);
    let value: T;
    try {
      value = await work(transaction);
      if (transaction.failure !== undefined) throw transaction.failure;
      await client.query("COMMIT");
    } catch (error) {
      transaction.end();
      await giveBack(client);
      this.#runAll(transaction.undoneActions);
      // A collision stays one, whatever the work made of it.
      throw isCollision(transaction.failure) ? transaction.failure : error;
    }
    transaction.end();
    client.release();
    this.#runAll(transaction.actions);
    return value;
  }

  /** A connection on which a transaction has begun. */
  async #begin(begin: string): Promise<PoolClient> {
    const client = await this.#pool.connect();
    try {
      await client.query(begin);
      return client;
    } catch (error) {
      client.release(error as Error);
      throw error;
    }
  }

  #runAll(actions: readonly (() => void)[]): void {
    for (const action of actions) {
      try {
        action();
      } catch (error) {
        this.#log.error("An action after a transaction failed", { error });
      }
    }
  }

  #assertOpen(): void {
    if (this.#closed !== undefined) throw new Error("The store is closed");
  }
}

/** Undoes what the connection began; a connection that cannot even do that is thrown away. */
async function giveBack(client: PoolClient): Promise<void> {
  try {
    await client.query("ROLLBACK");
    client.release();
  } catch (error) {
    client.release(error as Error);
  }
}

/**
 * Runs what changes nothing again where its connection turns out to be lost: the database was restarted, or a firewall forgot the
 * connection, while it lay idle in the pool. Each run uses up one such connection.
 */
async function onLiveConnection<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt > CONNECTIONS_MAX || !isLost(error)) throw error;
    }
  }
}

function isCollision(error: unknown): boolean {
  return COLLISIONS.has(codeOf(error));
}

function isLost(error: unknown): boolean {
  return LOST.has(codeOf(error)) || /Connection terminated|not queryable/.test((error as Error).message);
}

/** PostgreSQL's or the operating system's. */
function codeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return (cause as { code?: string } | undefined)?.code ?? "";
}

interface Found {
  datname: string;
  encoding: string;
  fsync: string;
  by_bytes: number;
}

async function prepareDatabase(pool: Pool, log: Log): Promise<void> {
  const { rows } = await pool.query<Found>(
    `SELECT datname, pg_encoding_to_char(encoding) AS encoding, current_setting('fsync') AS fsync,
       ('B'::text < 'a'::text AND 'a-c'::text < 'ab'::text AND 'z'::text < 'é'::text) AS by_bytes
     FROM pg_database WHERE datname = current_database()`,
  );
  const found = rows[0];
  if (found === undefined) throw new Error("PostgreSQL does not tell which database this is");
  if (found.encoding !== "UTF8" || found.by_bytes !== 1) {
    throw new Error(
      `The database ${found.datname} does not order text by its UTF-8 bytes, as names must be. ` +
        `Make one with: CREATE DATABASE lambent TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'`,
    );
  }
  if (found.fsync !== "on")
    log.warn("PostgreSQL runs with fsync off: what is accepted does not survive a power loss");
  await pool.query(`DO $$ BEGIN
    PERFORM pg_advisory_xact_lock(${MIGRATION_LOCK});
    IF to_regtype('blob') IS NULL THEN CREATE DOMAIN blob AS bytea; END IF;
  END $$`);
}
