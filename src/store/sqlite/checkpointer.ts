/** Moves what the WAL holds into the database file, in a worker thread, and keeps the WAL from growing without bound. */
import { Worker } from "node:worker_threads";
import type { Log } from "../../telemetry/log.ts";
import type { SqliteConnection } from "./connection.ts";
import type { Statement } from "../database.ts";

/** Transactions between two looks at the size of the WAL (a look costs about a microsecond). */
const TRANSACTIONS_PER_LOOK = 32;

/** WAL pages not yet moved (4 KiB each) from which a checkpoint starts beside the writer. */
const START_PAGES = 1_000;

/** WAL pages in all (4 KiB each) from which the writer waits for the checkpoint, so that the WAL can start over. */
export const WAL_PAGES_MAX = 32_000;

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
  #unseen = 0;
  readonly #pagesMax: number;
  #fullPages: number;
  #stopped = false;
  isFull = false;

  constructor(path: string, writer: SqliteConnection, deps: { log: Log; pagesMax: number }) {
    this.#path = path;
    this.#writer = writer;
    this.#log = deps.log;
    this.#pagesMax = deps.pagesMax;
    this.#fullPages = deps.pagesMax;
  }

  /** To be told of each commit, with how many transactions it was of. */
  afterCommit(transactions: number): void {
    this.#unseen += transactions;
    if (this.#unseen < TRANSACTIONS_PER_LOOK) return;
    this.#unseen = 0;
    this.#look();
  }

  /** Resolves when the writer may go on: everything in the WAL has been moved, and its next write starts the WAL over. */
  async room(): Promise<void> {
    await this.#running;
    // No commit can happen now, so this one reaches the end of the WAL.
    await this.#checkpoint();
    const size = this.#size();
    this.#fullPages = this.#pagesMax;
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
    if (checkpointed === log) this.#fullPages = this.#pagesMax;
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
      const answered = answerOf(this.#worker);
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      this.#worker.postMessage("checkpoint");
      const failure = await answered;
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

/** Resolves to the worker's next message; rejects when it ends instead. */
function answerOf(worker: Worker): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const ended = new AbortController();
    const settle = (action: () => void) => {
      ended.abort();
      action();
    };
    const listen = (event: string, action: (value: unknown) => void) => {
      const listener = (value: unknown) => settle(() => action(value));
      worker.once(event, listener);
      ended.signal.addEventListener("abort", () => worker.removeListener(event, listener));
    };
    listen("message", (message) => resolve(message as string | undefined));
    listen("error", reject);
    listen("exit", (code) => reject(new Error(`The checkpointing thread ended with ${String(code)}`)));
  });
}

const NOOP: Statement = { name: "store.wal-size", text: "PRAGMA wal_checkpoint(NOOP)" };
