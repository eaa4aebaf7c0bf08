/** One query over the events of its groups, as it runs in a thread of its own. */
import type { Reader } from "../../../store/database.ts";
import { readEvents } from "../event-reader.ts";
import { toDigits } from "../position.ts";
import { getStreamById } from "../store.ts";
import { parseQuery } from "./parse-query.ts";
import { planQuery } from "./plan.ts";
import type { QueryRun, ResultRow } from "./plan.ts";

export interface QueryJob {
  readonly query: string;
  readonly groups: readonly QueriedGroup[];
  /** Epoch milliseconds, included. */
  readonly toAt: number;
  /** What the query says of its own beginning, in epoch milliseconds. */
  readonly fromAt: number;
  readonly limit: number;
  readonly now: number;
}

export interface QueriedGroup {
  readonly groupId: number;
  /** `account:name` */
  readonly log: string;
  /** Epoch milliseconds, included. */
  readonly fromAt: number;
}

export interface Progress {
  readonly scannedRecords: number;
  /** UTF-8 bytes of the messages. */
  readonly scannedBytes: number;
  readonly matchedRecords: number;
  readonly scannedGroups: number;
}

/** Records after which it is told how far the search is, at the latest. */
const TOLD_RECORDS = 1_000;
/** Rows of a query that still runs which are shown, at most. */
const EARLY_ROWS_MAX = 10_000;

/** @param tell Is given the rows that are new. @throws QueryLimitError */
export async function runQuery(
  reader: Reader,
  job: QueryJob,
  tell: (progress: Progress, rows: readonly ResultRow[]) => void,
): Promise<ResultRow[]> {
  const { limit, now, fromAt, toAt, groups } = job;
  const times = { now, fromAt, toAt };
  const run = planQuery(parseQuery(job.query), { limit, times, isOrdered: groups.length === 1 });
  const scan = new Scan(reader, run, tell);
  for (const group of groups) if (!run.isFull) await scan.group(group, toAt);
  const rows = run.finish();
  scan.tell([]);
  return rows;
}

class Scan {
  readonly #reader: Reader;
  readonly #run: QueryRun;
  readonly #tell: (progress: Progress, rows: readonly ResultRow[]) => void;
  readonly #streams = new Map<number, string | undefined>();
  #records = 0;
  #bytes = 0;
  #groups = 0;
  #rowsTold = 0;

  constructor(reader: Reader, run: QueryRun, tell: (progress: Progress, rows: readonly ResultRow[]) => void) {
    this.#reader = reader;
    this.#run = run;
    this.#tell = tell;
  }

  async group({ groupId, log, fromAt }: QueriedGroup, toAt: number): Promise<void> {
    const selection = { of: { groupId }, fromAt, toAt, boundary: undefined, descending: true };
    for await (const { events } of readEvents(this.#reader, selection)) {
      for (const event of events) {
        const logStream = await this.#nameOf(event.streamId);
        // A stream that was deleted meanwhile has no events any more.
        if (logStream === undefined) continue;
        this.#records++;
        this.#bytes += Buffer.byteLength(event.message);
        const { at, ingestedAt, message } = event;
        this.#run.take({ at, ingestedAt, message, logStream, log, pointer: writePointer(toDigits(event)) });
        if (this.#run.isFull) break;
        if (this.#records % TOLD_RECORDS === 0) this.tell();
      }
      this.tell();
      if (this.#run.isFull) break;
    }
    this.#groups++;
    this.tell();
  }

  tell(rows: readonly ResultRow[] = this.#run.rows.slice(this.#rowsTold, EARLY_ROWS_MAX)): void {
    this.#rowsTold += rows.length;
    const progress = {
      scannedRecords: this.#records,
      scannedBytes: this.#bytes,
      matchedRecords: this.#run.matched,
      scannedGroups: this.#groups,
    };
    this.#tell(progress, rows);
  }

  #nameOf(streamId: number): string | undefined | Promise<string | undefined> {
    if (this.#streams.has(streamId)) return this.#streams.get(streamId);
    return getStreamById(this.#reader, streamId).then((stream) => {
      this.#streams.set(streamId, stream?.name);
      return stream?.name;
    });
  }
}

/** `@ptr` of an event's id. */
export function writePointer(digits: string): string {
  return Buffer.from(digits).toString("base64url");
}

/** An event's id of its `@ptr`. */
export function readPointer(pointer: string): string {
  return Buffer.from(pointer, "base64url").toString();
}
