/** Moves what the WAL holds into the database file, in a worker thread, and keeps the WAL from growing without bound. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Log } from "../../telemetry/log.ts";
import type { SqliteConnection } from "./connection.ts";
import type { Statement } from "../database.ts";

/** Commits between two looks at the size of the WAL (a look costs about a microsecond). */
const COMMITS_PER_LOOK = 32;

/** WAL pages not yet moved (4 KiB each) from which a checkpoint starts beside the writer. */
const START_PAGES = 1_000;

/** WAL pages in all from which the writer waits for the checkpoint, so that the WAL can start over. */
const FULL_PAGES = 8_000;

interface WalSize {
  /** Pages in the WAL. */
  readonly log: number;
  /** Of these, pages already moved. */
  readonly checkpointed: number;
}

export class Checkpointer {
  readonly #path: string;
  readonly #writer: SqliteConnection;
  readonly #log: Log;
  #worker: Worker | undefined;
  #running: Promise<void> | undefined;
  #commits = 0;
  #fullPages = FULL_PAGES;
  #stopped = false;
  isFull = false;

  constructor(path: string, writer: SqliteConnection, log: Log) {
    this.#path = path;
    this.#writer = writer;
    this.#log = log;
  }

  afterCommit(): void {
    this.#commits += 1;
    if (this.#commits % COMMITS_PER_LOOK === 0) this.#look();
  }

  /** Resolves when the writer may go on: everything in the WAL has been moved, and its next write starts the WAL over. */
  async room(): Promise<void> {
    await this.#running;
    // No commit can happen now, so this one reaches the end of the WAL.
    await this.#checkpoint();
    const size = this.#size();
    this.#fullPages = FULL_PAGES;
    if (size.checkpointed < size.log) {
      // Another process reads the file; going on is better than standing still, so wait for the next doubling.
      this.#fullPages = size.log * 2;
      this.#log.warn("The write-ahead log cannot be emptied: another process is reading the database", {
        pages: size.log,
      });
    }
    this.isFull = false;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
    await this.#worker?.terminate();
  }

  #look(): void {
    const { log, checkpointed } = this.#size();
    // A WAL that has been moved as a whole starts over at the next write.
    if (checkpointed === log) this.#fullPages = FULL_PAGES;
    this.isFull = log >= this.#fullPages && checkpointed < log;
    if (log - checkpointed >= START_PAGES) void this.#checkpoint();
  }

  #size(): WalSize {
    return this.#writer.get(NOOP, []) as unknown as WalSize;
  }

  /** Never rejects: a failed checkpoint is logged, and the next look tries again. */
  #checkpoint(): Promise<void> {
    this.#running ??= this.#inWorker().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #inWorker(): Promise<void> {
    if (this.#stopped) return;
    try {
      this.#worker ??= this.#start();
      this.#worker.ref();
      const answered = once(this.#worker, "message");
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      this.#worker.postMessage("checkpoint");
      const [failure] = (await answered) as [string | undefined];
      if (failure !== undefined) throw new Error(failure);
    } catch (error) {
      this.#log.error("A checkpoint of the database failed", { error });
    } finally {
      this.#worker?.unref();
    }
  }

  #start(): Worker {
    const worker = new Worker(new URL("checkpoint-worker.ts", import.meta.url), { workerData: this.#path });
    worker.once("exit", () => {
      this.#worker = undefined;
    });
    return worker;
  }
}

const NOOP: Statement = { name: "store.wal-size", text: "PRAGMA wal_checkpoint(NOOP)" };
