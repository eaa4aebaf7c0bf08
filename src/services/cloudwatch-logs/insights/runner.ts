/** Runs the queries that were started: durably, so that a query that was accepted ends, whatever becomes of the server. */
import { availableParallelism } from "node:os";
import { every } from "../../../kit/clock.ts";
import { Consumer } from "../../../store/queue/consumer.ts";
import type { Job } from "../../../store/queue.ts";
import { expiryOf } from "../lookup.ts";
import type { CloudwatchLogsDeps } from "../deps.ts";
import { getGroupById } from "../store.ts";
import { countInQuery, endQuery, getQuery, insertPage } from "../store-queries.ts";
import type { QueryRow, QueryStatus } from "../store-queries.ts";
import { QueryLimitError } from "./error.ts";
import type { Progress, QueriedGroup } from "./job.ts";
import type { ResultRow } from "./plan.ts";
import { runInThread } from "./query-thread.ts";

export const QUERIES_TOPIC = "logs.queries";
/** As by AWS. */
export const QUERY_MS_MAX = 60 * 60_000;
/** Queries that this server runs at once; others wait as Scheduled. */
const THREADS_MAX = Math.max(1, Math.min(4, Math.floor(availableParallelism() / 2)));
/** How often it is noted how far a query is, and looked whether it was stopped, in milliseconds. */
const NOTE_MS = 1_000;
/** Of one page of results, about. */
const PAGE_BYTES = 256 * 1_024;
const PAGE_ROWS_MAX = 1_000;

class Stopped extends Error {}

export class QueryRunner {
  readonly #state: CloudwatchLogsDeps;
  readonly #consumer: Consumer;
  readonly #running = new Map<string, AbortController>();
  /** What queries that run have found already. */
  readonly #early = new Map<string, ResultRow[]>();

  constructor(state: CloudwatchLogsDeps) {
    this.#state = state;
    this.#consumer = new Consumer(state, {
      topic: QUERIES_TOPIC,
      concurrency: THREADS_MAX,
      handle: (job) => this.#handle(job),
    });
  }

  start(): void {
    this.#consumer.start();
  }

  /** A query that still runs runs again when the server is back. */
  async stop(): Promise<void> {
    for (const running of this.#running.values()) running.abort(new Error("the server stops"));
    await this.#consumer.stop(0);
  }

  /** Ends the thread of a query that was cancelled, if this server runs it; another server notices within a second. */
  cancelled(queryId: string): void {
    this.#running.get(queryId)?.abort(new Stopped());
  }

  /** What a query that this server runs has found so far. */
  earlyRows(queryId: string): readonly ResultRow[] {
    return this.#early.get(queryId) ?? [];
  }

  async #handle(job: Job): Promise<void> {
    const { database, queue, clock, log } = this.#state;
    const queryId = job.payload.toString();
    const query = await getQuery(database, queryId);
    if (!query || query.ended_at > 0) {
      await queue.acknowledge(job);
      return;
    }
    const ended = async (status: QueryStatus, rows: readonly ResultRow[] = []) => {
      await database.tx(async (tx) => {
        if (!(await queue.acknowledge(job, tx))) return;
        if (!(await endQuery(tx, queryId, status, clock.now(), rows.length))) return;
        for (const page of toPages(rows)) await insertPage(tx, queryId, page.firstRow, page.result);
      });
    };
    try {
      await ended("Complete", await this.#run(query));
    } catch (error) {
      if (this.#consumer.isStopped) return;
      if (error instanceof Stopped) await ended("Cancelled");
      else if (error instanceof TimedOut) await ended("Timeout");
      else {
        const isLimit = error instanceof QueryLimitError;
        log.warn("A query of Logs Insights failed", {
          queryId,
          ...(isLimit ? { reason: error.message } : { error }),
        });
        await ended("Failed");
      }
    } finally {
      this.#early.delete(queryId);
    }
  }

  async #run(query: QueryRow): Promise<readonly ResultRow[]> {
    const { database, clock } = this.#state;
    const abort = new AbortController();
    this.#running.set(query.query_id, abort);
    let progress: Progress = { scannedRecords: 0, scannedBytes: 0, matchedRecords: 0, scannedGroups: 0 };
    const note = async () => {
      if (!(await this.#note(query.query_id, progress))) abort.abort(new Stopped());
    };
    const stopNoting = every(clock, NOTE_MS, () => void note().catch(() => undefined));
    const stopTiming = clock.after(Math.max(0, query.created_at + QUERY_MS_MAX - clock.now()), () =>
      abort.abort(new TimedOut()),
    );
    try {
      await note();
      const job = {
        query: query.query,
        groups: await this.#groupsOf(query),
        fromAt: query.from_at,
        toAt: query.to_at,
        limit: query.row_limit,
        now: query.created_at,
      };
      const early: ResultRow[] = [];
      this.#early.set(query.query_id, early);
      const tell = (now: Progress, found: readonly ResultRow[]) => {
        progress = now;
        early.push(...found);
      };
      const rows = await runInThread(database, job, tell, abort.signal);
      await note();
      abort.signal.throwIfAborted();
      return rows;
    } finally {
      stopNoting();
      stopTiming();
      this.#running.delete(query.query_id);
    }
  }

  #note(queryId: string, progress: Progress): Promise<boolean> {
    return this.#state.database.tx((tx) =>
      countInQuery(tx, queryId, {
        scanned_records: progress.scannedRecords,
        scanned_bytes: progress.scannedBytes,
        matched_records: progress.matchedRecords,
        scanned_groups: progress.scannedGroups,
      }),
    );
  }

  /** A group that was deleted meanwhile has nothing to search any more. */
  async #groupsOf(query: QueryRow): Promise<QueriedGroup[]> {
    const groups: QueriedGroup[] = [];
    for (const [groupId] of JSON.parse(query.log_groups) as [number, string][]) {
      const group = await getGroupById(this.#state.database, groupId);
      if (!group) continue;
      const fromAt = Math.max(query.from_at, expiryOf(group, this.#state.clock.now()));
      groups.push({ groupId, log: `${group.account}:${group.name}`, fromAt });
    }
    return groups;
  }
}

class TimedOut extends Error {}

function* toPages(rows: readonly ResultRow[]): Generator<{ firstRow: number; result: string }> {
  let page: string[] = [];
  let [firstRow, bytes] = [0, 0];
  for (const [index, row] of rows.entries()) {
    const text = JSON.stringify(row);
    if (page.length > 0 && (bytes + text.length > PAGE_BYTES || page.length >= PAGE_ROWS_MAX)) {
      yield { firstRow, result: `[${page.join(",")}]` };
      [page, bytes, firstRow] = [[], 0, index];
    }
    page.push(text);
    bytes += text.length;
  }
  if (page.length > 0) yield { firstRow, result: `[${page.join(",")}]` };
}
