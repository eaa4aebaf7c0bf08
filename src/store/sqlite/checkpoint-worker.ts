/** The worker thread that checkpoints: syncs the WAL, copies its pages into the database file, and syncs that. */
import { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";

const database = new DatabaseSync(workerData as string);
// The syncs of a checkpoint are those of the connection that runs it.
database.exec("PRAGMA synchronous = NORMAL");
database.exec("PRAGMA checkpoint_fullfsync = ON");
database.exec("PRAGMA wal_autocheckpoint = 0");
const checkpoint = database.prepare("PRAGMA wal_checkpoint(PASSIVE)");

parentPort?.on("message", () => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage(failureOfCheckpoint());
});

function failureOfCheckpoint(): string | undefined {
  try {
    checkpoint.get();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
