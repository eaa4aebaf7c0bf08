/** The embedded {@link Database}: SQLite in WAL mode, commits made durable together by a shared `fdatasync` (decision 001). */
import { close, fdatasync, fstatSync, openSync, statSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
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
import { SharedSync } from "../shared-sync.ts";
import { Checkpointer, WAL_PAGES_MAX } from "./checkpointer.ts";
import { SqliteConnection } from "./connection.ts";
import { SqliteTransaction } from "./transaction.ts";
import { Turn } from "./turn.ts";

/** Transactions that may wait for their turn; more are refused. */
const WAITING_MAX = 100_000;

/** Transactions that are committed together at most. */
const GROUP_MAX = 256;

/** How long a transaction may run no statement, in milliseconds, before it is taken for stuck and undone. */
const STUCK_MS = 10_000;

/** The WAL file is cut back to this many bytes once it has been emptied; overwriting is cheaper to sync than growing. */
const WAL_KEPT_BYTES = 160 * 1024 * 1024;

/** Pages that the writer keeps in memory, in KiB. */
const CACHE_KIB = 32 * 1024;

const fdatasyncFile = promisify(fdatasync);
const closeFile = promisify(close);

interface Waiting {
  readonly work: (transaction: SqliteTransaction) => Promise<unknown>;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
  /** Whether it is answered only once it is durable. */
  readonly isDurable: boolean;
}

export interface SqliteDeps {
  readonly log: Log;
  /** Makes a file's content durable. */
  readonly syncFile?: (descriptor: number) => Promise<void>;
  readonly stuckMs?: number;
  /** Pages of 4 KiB in the write-ahead log from which writers wait for a checkpoint. */
  readonly walPagesMax?: number;
}

export class SqliteDatabase implements Database {
  readonly engine = "sqlite";
  readonly #log: Log;
  readonly #syncFile: (descriptor: number) => Promise<void>;
  readonly #writer: SqliteConnection;
  readonly #reader: SqliteConnection;
  readonly #walFile: number;
  readonly #sync: SharedSync;
  readonly #checkpointer: Checkpointer;
  readonly #turn = new Turn();
  readonly #watchdog: NodeJS.Timeout;
  #waiting: Waiting[] = [];
  #draining: Promise<void> | undefined;
  #current: SqliteTransaction | undefined;
  #refusal: Error | undefined;
  #closed: Promise<void> | undefined;

  /** Opens or creates `lambent.db` in the folder, which must be owned by the caller (see owner-lock). */
  constructor(
    folder: string,
    { log, syncFile = fdatasyncFile, stuckMs = STUCK_MS, walPagesMax = WAL_PAGES_MAX }: SqliteDeps,
  ) {
    this.#log = log;
    this.#syncFile = syncFile;
    const path = join(folder, "lambent.db");
    this.#writer = new SqliteConnection(path, { readOnly: false });
    prepareFile(this.#writer);
    // Opened once and held: SQLite keeps this same file (never another inode) while a connection is open.
    this.#walFile = openSync(`${path}-wal`, "r");
    assertSameFile(this.#walFile, `${path}-wal`);
    this.#reader = new SqliteConnection(path, { readOnly: true });
    this.#reader.exec("PRAGMA case_sensitive_like = ON");
    this.#checkpointer = new Checkpointer(path, this.#writer, { log, pagesMax: walPagesMax });
    this.#sync = new SharedSync(() => this.#syncWal());
    this.#watchdog = setInterval(() => this.#current?.abortIfStuck(stuckMs), stuckMs / 10);
    this.#watchdog.unref();
  }

  async get<Row>(statement: Statement, ...parameters: SqlValue[]): Promise<Row | undefined> {
    this.#assertOpen();
    const row = this.#reader.get(statement, parameters) as Row | undefined;
    if (!this.#sync.isSettled) await this.#sync.settled();
    return row;
  }

  async all<Row>(statement: Statement, ...parameters: SqlValue[]): Promise<Row[]> {
    this.#assertOpen();
    const rows = this.#reader.all(statement, parameters) as Row[];
    if (!this.#sync.isSettled) await this.#sync.settled();
    return rows;
  }

  tx<T>(work: (transaction: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T> {
    return this.#enqueue(work, options?.resolves !== "committed");
  }

  async migrate(component: string, migrations: readonly Migration[]): Promise<void> {
    await migrate((work) => this.#enqueue(work), component, migrations);
  }

  close(): Promise<void> {
    this.#refusal ??= new Error("The store is closed");
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await this.#draining;
    await this.#sync.settled().catch(() => undefined);
    clearInterval(this.#watchdog);
    await this.#checkpointer.stop();
    this.#reader.close();
    this.#writer.close();
    await closeFile(this.#walFile);
  }

  #enqueue<T>(work: (transaction: SqliteTransaction) => Promise<T>, isDurable = true): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#assertOpen();
      if (this.#waiting.length >= WAITING_MAX) {
        throw new Error(`The store is overloaded: ${WAITING_MAX} transactions are waiting`);
      }
      this.#waiting.push({ work, resolve, reject, isDurable });
      this.#draining ??= this.#drain();
    });
  }

  /** Runs the waiting transactions one after another, in groups, and lets the event loop breathe between these. */
  async #drain(): Promise<void> {
    // Once round the event loop, so that the requests that have arrived together are committed together.
    await this.#turn.next();
    for (;;) {
      const batch = this.#waiting;
      if (batch.length === 0) break;
      this.#waiting = [];
      for (let at = 0; at < batch.length;) {
        if (this.#turn.isOver) await this.#turn.next();
        if (this.#checkpointer.isFull) await this.#checkpointer.room();
        at = await this.#runGroup(batch, at);
      }
    }
    this.#draining = undefined;
  }

  /** Runs transactions from `at` on, until the turn is over, and commits them together. Answers where it ended. */
  async #runGroup(batch: readonly Waiting[], at: number): Promise<number> {
    const group = new Group();
    let next = at;
    try {
      if (this.#hasFailed) throw this.#refusal as Error;
      this.#writer.run(BEGIN, []);
      while (next < batch.length && next - at < GROUP_MAX && (next === at || !this.#turn.isOver))
        await this.#runOne(batch[next++] as Waiting, group);
      this.#writer.run(COMMIT, []);
    } catch (error) {
      this.#undo(() => this.#writer.isInTransaction && this.#writer.exec("ROLLBACK"));
      for (const { transaction } of group.members) this.#runAll(transaction.undoneActions);
      group.fail(error);
      // Where not even one could begin.
      if (next === at) batch[next++]?.reject(error);
      return next;
    }
    this.#checkpointer.afterCommit(group.members.length);
    // The next group runs while this one becomes durable.
    void this.#answer(group);
    return next;
  }

  /** @throws where an error has undone the whole group. */
  async #runOne(waiting: Waiting, group: Group): Promise<void> {
    const transaction = new SqliteTransaction(this.#writer, this.#turn);
    try {
      transaction.begin();
      this.#current = transaction;
      const value = await transaction.during(waiting.work(transaction));
      const wrote = transaction.end();
      group.add({ waiting, transaction, value, wrote });
    } catch (error) {
      this.#undo(() => transaction.rollback());
      this.#runAll(transaction.undoneActions);
      waiting.reject(error);
      if (!this.#writer.isInTransaction) throw error;
    } finally {
      this.#current = undefined;
    }
  }

  async #answer(group: Group): Promise<void> {
    // What nobody waits for becomes durable with what somebody does. The disk works while others are woken.
    const synced = group.isAwaited && (group.wrote ? this.#sync.changed() : this.#sync.settled());
    for (const { transaction } of group.members) this.#runAll(transaction.earlyActions);
    for (const member of group.members) if (!member.waiting.isDurable) this.#resolve(member);
    if (!synced) return;
    try {
      await synced;
    } catch (error) {
      group.fail(error);
      return;
    }
    for (const member of group.members) if (member.waiting.isDurable) this.#resolve(member);
  }

  #resolve({ waiting, transaction, value }: Ran): void {
    this.#runAll(transaction.actions);
    waiting.resolve(value as never);
  }

  #undo(action: () => unknown): void {
    try {
      action();
    } catch (error) {
      this.#fail(error);
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

  get #hasFailed(): boolean {
    return this.#refusal instanceof StoreFailure;
  }

  async #syncWal(): Promise<void> {
    if (this.#hasFailed) throw this.#refusal as Error;
    try {
      await this.#syncFile(this.#walFile);
    } catch (error) {
      // After a failed sync the kernel may have dropped the pages: nothing later can be promised either.
      throw this.#fail(error);
    }
  }

  #fail(error: unknown): Error {
    this.#refusal = new StoreFailure(error);
    this.#log.error("The store failed and accepts nothing more until it is started again", { error });
    return this.#refusal;
  }

  #assertOpen(): void {
    if (this.#refusal !== undefined) throw this.#refusal;
  }
}

/** A transaction that has run, and waits for the commit of its group. */
interface Ran {
  readonly waiting: Waiting;
  readonly transaction: SqliteTransaction;
  readonly value: unknown;
  readonly wrote: boolean;
}

/** Transactions that are committed, or fail, together. */
class Group {
  readonly members: Ran[] = [];
  /** Whether a member that waits to be durable wrote anything. */
  wrote = false;
  isAwaited = false;

  add(member: Ran): void {
    this.members.push(member);
    const { isDurable } = member.waiting;
    this.wrote ||= member.wrote && isDurable;
    this.isAwaited ||= isDurable;
  }

  fail(error: unknown): void {
    for (const { waiting } of this.members) waiting.reject(error);
  }
}

const BEGIN: Statement = { name: "store.begin", text: "BEGIN IMMEDIATE" };
const COMMIT: Statement = { name: "store.commit", text: "COMMIT" };

/** What was written cannot be kept or undone; the server must be started again once the cause is gone. */
class StoreFailure extends Error {
  constructor(cause: unknown) {
    super(`The store failed: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = "StoreFailure";
  }
}

function prepareFile(writer: SqliteConnection): void {
  writer.exec("PRAGMA journal_mode = WAL");
  // NORMAL leaves out only the sync of the WAL at each commit, which #syncWal does for many commits at once.
  writer.exec("PRAGMA synchronous = NORMAL");
  writer.exec("PRAGMA checkpoint_fullfsync = ON");
  writer.exec("PRAGMA wal_autocheckpoint = 0");
  writer.exec(`PRAGMA journal_size_limit = ${WAL_KEPT_BYTES}`);
  writer.exec(`PRAGMA cache_size = -${CACHE_KIB}`);
  writer.exec("PRAGMA foreign_keys = ON");
  // As PostgreSQL's LIKE is.
  writer.exec("PRAGMA case_sensitive_like = ON");
  // Any write makes the -wal file exist.
  writer.exec("CREATE TABLE IF NOT EXISTS store_opened (at bigint)");
  writer.exec("DELETE FROM store_opened");
  writer.exec("INSERT INTO store_opened VALUES (unixepoch() * 1000)");
}

function assertSameFile(descriptor: number, path: string): void {
  const held = fstatSync(descriptor);
  const named = statSync(path);
  if (held.ino !== named.ino || held.dev !== named.dev)
    throw new Error(`${path} was replaced while it was opened`);
}
