/**
 * A thread that runs one query: neither the search through gigabytes nor a caller's regular expression may hold up the server. It asks the
 * server for rows, since the database is the server's.
 */
import { parentPort, workerData } from "node:worker_threads";
import type { Reader, SqlValue, Statement } from "../../../store/database.ts";
import { QueryLimitError } from "./error.ts";
import { runQuery } from "./job.ts";
import type { Progress, QueryJob } from "./job.ts";
import type { ResultRow } from "./plan.ts";

export interface RowsWanted {
  readonly statement: Statement;
  readonly parameters: readonly SqlValue[];
}

/** What it says to the server. */
export type WorkerMessage =
  | { readonly wanted: RowsWanted }
  | { readonly progress: Progress; readonly early: readonly ResultRow[] }
  | { readonly rows: readonly ResultRow[] }
  /** The query needs more than it may have. */
  | { readonly limit: string };

/** One question at a time is open. */
let answer: (rows: readonly unknown[]) => void = () => {};

const reader: Reader = {
  async all<Row>(statement: Statement, ...parameters: SqlValue[]) {
    say({ wanted: { statement: { ...statement }, parameters } });
    return (await new Promise<readonly unknown[]>((resolve) => (answer = resolve))) as Row[];
  },
  async get<Row>(statement: Statement, ...parameters: SqlValue[]) {
    return (await reader.all<Row>(statement, ...parameters))[0];
  },
};

parentPort?.on("message", (rows: readonly unknown[]) => answer(rows));

try {
  const rows = await runQuery(reader, workerData as QueryJob, (progress, early) => say({ progress, early }));
  say({ rows });
} catch (error) {
  if (!(error instanceof QueryLimitError)) throw error;
  say({ limit: error.message });
}
parentPort?.close();

function say(message: WorkerMessage): void {
  parentPort?.postMessage(message, []);
}
