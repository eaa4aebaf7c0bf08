/** Opens everything that keeps state: the database, the queue and leases in it, and the blobs. */
import { chmod, mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import type { Clock } from "../kit/clock.ts";
import type { Ids } from "../kit/id.ts";
import type { Log } from "../telemetry/log.ts";
import type { Blobs } from "./blobs.ts";
import type { Database, Transaction } from "./database.ts";
import { FileBlobs } from "./files/blobs.ts";
import { Gate } from "./files/gate.ts";
import { lockDataDirectory } from "./files/owner-lock.ts";
import { FolderSyncs } from "./files/sync-folder.ts";
import type { Leases } from "./lease.ts";
import type { Queue } from "./queue.ts";
import { DurableLeases } from "./queue/durable-leases.ts";
import { DurableQueue } from "./queue/durable-queue.ts";
import { migrations } from "./queue/migrations.ts";
import { Wakeups } from "./queue/wakeups.ts";
import { DurableSignals } from "./signals.ts";
import type { Signals } from "./signals.ts";
import { SqliteDatabase } from "./sqlite/database.ts";

export interface StoreOptions {
  /** Made when it does not exist. One running server owns it. */
  readonly dataDir: string;
  readonly engine: "sqlite" | "postgres";
  /** `postgres://…`, with engine `postgres`. */
  readonly postgresUrl?: string | undefined;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
}

export interface Store {
  readonly database: Database;
  readonly queue: Queue;
  readonly leases: Leases;
  readonly signals: Signals;
  readonly blobs: Blobs;
  /** Waits for running transactions, refuses new ones, and gives the data directory up. */
  close(): Promise<void>;
}

/** @throws Error that names the process which owns the data directory, or what is wrong with the database. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { dataDir, clock, ids } = options;
  await makeDataDirectory(dataDir);
  const lock = lockDataDirectory(dataDir);
  let engine: Engine | undefined;
  try {
    const wakeups = new Wakeups(clock);
    const opened = await openEngine(options, wakeups);
    engine = opened;
    let closed: Promise<void> | undefined;
    await opened.database.migrate("store", migrations);
    return {
      database: opened.database,
      queue: new DurableQueue({ clock, ids, wakeups, ...opened }),
      signals: new DurableSignals({ clock, wakeups, ...opened }),
      leases: new DurableLeases({ clock, transact: opened.transact }),
      blobs: new FileBlobs(dataDir, ids),
      close() {
        closed ??= opened.close().finally(() => lock.release());
        return closed;
      },
    };
  } catch (error) {
    await engine?.close();
    lock.release();
    throw error;
  }
}

/** Open to its owner alone, and durably there. */
async function makeDataDirectory(dataDir: string): Promise<void> {
  const first = await mkdir(dataDir, { recursive: true });
  if (first !== undefined) await new FolderSyncs(new Gate(1)).make(dataDir, dirname(first));
  await chmod(dataDir, 0o700);
}

/** A database with what the queue needs of its engine. */
interface Engine {
  readonly database: Database;
  /** Runs a transaction of one statement that is atomic by itself. */
  readonly transact: Database["tx"];
  readonly notify?: (transaction: Transaction, topic: string, dueAt: number) => Promise<void>;
  close(): Promise<void>;
}

async function openEngine(options: StoreOptions, wakeups: Wakeups): Promise<Engine> {
  if (options.engine === "postgres") return openPostgres(options, wakeups);
  const database = new SqliteDatabase(options.dataDir, { log: options.log });
  return { database, transact: (work) => database.tx(work), close: () => database.close() };
}

/** PostgreSQL's client is loaded only where it is configured. */
async function openPostgres({ postgresUrl, log, ids }: StoreOptions, wakeups: Wakeups): Promise<Engine> {
  if (postgresUrl === undefined) throw new Error("The engine postgres needs a postgres:// address");
  const { PostgresDatabase } = await import("./postgres/database.ts");
  const { Notifications, notify } = await import("./postgres/notifications.ts");
  const database = await PostgresDatabase.open(postgresUrl, { log, ids });
  const notifications = new Notifications(postgresUrl, wakeups, log);
  const close = async () => {
    await Promise.all([database.close(), notifications.stop()]);
  };
  try {
    await notifications.start();
  } catch (error) {
    await close();
    throw error;
  }
  return { database, transact: (work) => database.readCommitted(work), notify, close };
}
