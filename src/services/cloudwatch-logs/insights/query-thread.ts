/** The server's side of a query's thread. */
import { Worker } from "node:worker_threads";
import type { Reader } from "../../../store/database.ts";
import { QueryLimitError } from "./error.ts";
import type { Progress, QueryJob } from "./job.ts";
import type { ResultRow } from "./plan.ts";
import type { WorkerMessage } from "./query-worker.ts";

/** The same file in the tree and in the package. */
const FILE = new URL(`query-worker${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url);
/** Of the thread's memory, in MB; a query that needs more ends as Failed. */
const HEAP_MB_MAX = 384;

/**
 * Runs a query in a thread; ends it at once when the signal aborts.
 * @throws QueryLimitError where it needs more memory than it may have; the signal's reason
 */
export function runInThread(
  database: Reader,
  job: QueryJob,
  tell: (progress: Progress, early: readonly ResultRow[]) => void,
  signal: AbortSignal,
): Promise<readonly ResultRow[]> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(FILE, {
      name: "insights",
      workerData: job,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX },
    });
    const end = (settle: () => void) => {
      signal.removeEventListener("abort", aborted);
      settle();
      void worker.terminate();
    };
    const fail = (error: unknown) => end(() => reject(error));
    const aborted = () => fail(signal.reason);
    signal.addEventListener("abort", aborted);
    if (signal.aborted) aborted();
    worker.on("error", (error: NodeJS.ErrnoException) =>
      fail(
        error.code === "ERR_WORKER_OUT_OF_MEMORY"
          ? new QueryLimitError(`the query needs more than ${HEAP_MB_MAX} MB of memory`)
          : error,
      ),
    );
    worker.on("exit", () => fail(new Error("the query's thread has ended")));
    worker.on("message", (message: WorkerMessage) => {
      if ("wanted" in message) {
        const { statement, parameters } = message.wanted;
        database.all(statement, ...parameters).then((rows) => worker.postMessage(rows, []), fail);
      } else if ("progress" in message) tell(message.progress, message.early);
      else if ("limit" in message) fail(new QueryLimitError(message.limit));
      else end(() => resolve(message.rows));
    });
  });
}
