/** One running server per data directory: a lock that the kernel drops with its process, so that no stale one can remain. */
import { readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

const SQLITE_BUSY = 5;

export interface OwnerLock {
  release(): void;
}

/**
 * Takes the lock of the folder, at once or not at all.
 * The lock is an exclusive one of SQLite on an empty file (POSIX or Windows file locking, whatever the platform has);
 * the process id beside it is only there to be told.
 * @throws Error naming the process that holds it.
 */
export function lockDataDirectory(folder: string): OwnerLock {
  const ownerFile = join(folder, "owner.json");
  const lock = new DatabaseSync(join(folder, "owner.lock"), { timeout: 0 });
  try {
    // Nothing is ever written to it.
    lock.exec("PRAGMA journal_mode = OFF");
    lock.exec("PRAGMA locking_mode = EXCLUSIVE");
    lock.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    lock.close();
    if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) throw error;
    throw new Error(`The data directory ${folder} is in use by ${describeOwner(ownerFile)}`, {
      cause: error,
    });
  }
  writeFileSync(ownerFile, `${JSON.stringify({ pid: process.pid, host: hostname() })}\n`);
  return { release: () => lock.close() };
}

function describeOwner(ownerFile: string): string {
  try {
    const { pid, host } = JSON.parse(readFileSync(ownerFile, "utf8")) as { pid: number; host: string };
    return `another Lambent server, process ${pid} on ${host}`;
  } catch {
    return "another Lambent server that is just starting";
  }
}
