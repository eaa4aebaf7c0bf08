/** Opens everything that keeps state: the database, the queue and leases in it, and the blobs. */
import { mkdirSync } from "node:fs";
import type { Clock } from "../kit/clock.ts";
import type { Ids } from "../kit/id.ts";
import type { Log } from "../telemetry/log.ts";
import type { Blobs } from "./blobs.ts";
import type { Database } from "./database.ts";
import { FileBlobs } from "./files/blobs.ts";
import { lockDataDirectory } from "./files/owner-lock.ts";
import type { Leases } from "./lease.ts";
import type { Queue } from "./queue.ts";
import { DurableLeases } from "./queue/durable-leases.ts";
import { DurableQueue } from "./queue/durable-queue.ts";
import { migrations } from "./queue/migrations.ts";
import { Wakeups } from "./queue/wakeups.ts";
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
  readonly blobs: Blobs;
  /** Waits for running transactions, refuses new ones, and gives the data directory up. */
  close(): Promise<void>;
}

/** @throws Error that names the process which owns the data directory, or what is wrong with the database. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { dataDir, clock, ids, log } = options;
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const lock = lockDataDirectory(dataDir);
  let database: Database | undefined;
  try {
    const wakeups = new Wakeups(clock);
    database = openDatabase(options);
    await database.migrate("store", migrations);
    const opened = database;
    return {
      database,
      queue: new DurableQueue({ clock, ids, database, wakeups }),
      leases: new DurableLeases({ clock, database }),
      blobs: new FileBlobs(dataDir, ids),
      async close() {
        await opened.close();
        lock.release();
      },
    };
  } catch (error) {
    await database?.close();
    lock.release();
    throw error;
  }
}

function openDatabase(options: StoreOptions): Database {
  if (options.engine === "sqlite") return new SqliteDatabase(options.dataDir, options.log);
  throw new Error("The PostgreSQL engine is not there yet");
}
