/** SQL of Insights' queries and their results. */
import { sql } from "../../store/database.ts";
import type { Reader, Transaction } from "../../store/database.ts";

export type QueryStatus = "Scheduled" | "Running" | "Complete" | "Failed" | "Cancelled" | "Timeout";

export interface QueryRow extends QueryCounts {
  readonly query_id: string;
  readonly account: string;
  readonly region: string;
  readonly query: string;
  /** JSON: `[[group id, name], …]`. */
  readonly log_groups: string;
  readonly from_at: number;
  readonly to_at: number;
  readonly row_limit: number;
  /** ARN. */
  readonly caller: string;
  readonly status: QueryStatus;
  readonly created_at: number;
  /** 0 while it waits or runs. */
  readonly ended_at: number;
  readonly rows: number;
}

export interface QueryCounts {
  readonly scanned_records: number;
  readonly scanned_bytes: number;
  readonly matched_records: number;
  readonly scanned_groups: number;
}

const QUERY = `query_id, account, region, query, log_groups, from_at, to_at, row_limit, caller, status, created_at, ended_at,
  scanned_records, scanned_bytes, matched_records, scanned_groups, rows`;

const INSERT = sql(
  "logs.insertQuery",
  `INSERT INTO logs_query (${QUERY}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0, 0, 0, 0)`,
);
const GET = sql("logs.getQuery", `SELECT ${QUERY} FROM logs_query WHERE query_id = ?`);
const LIST = sql(
  "logs.listQueries",
  `SELECT ${QUERY} FROM logs_query WHERE account = ? AND region = ? ORDER BY created_at DESC, query_id DESC LIMIT ?`,
);
const COUNT_OPEN = sql(
  "logs.countOpenQueries",
  `SELECT count(*) AS queries FROM logs_query
   WHERE account = ? AND region = ? AND ended_at = 0 AND created_at > ?`,
);
const COUNT = sql(
  "logs.countInQuery",
  `UPDATE logs_query SET status = 'Running', scanned_records = ?, scanned_bytes = ?, matched_records = ?, scanned_groups = ?
   WHERE query_id = ? AND ended_at = 0`,
);
const END = sql(
  "logs.endQuery",
  `UPDATE logs_query SET status = ?, ended_at = ?, rows = ? WHERE query_id = ? AND ended_at = 0`,
);
const INSERT_PAGE = sql(
  "logs.insertQueryPage",
  `INSERT INTO logs_query_page (query_id, first_row, result) VALUES (?, ?, ?)`,
);
const PAGES = sql(
  "logs.queryPages",
  `SELECT first_row, result FROM logs_query_page
   WHERE query_id = ? AND first_row > ? AND first_row < ? ORDER BY first_row`,
);
const OLD = sql("logs.oldQueries", `SELECT query_id FROM logs_query WHERE created_at < ? LIMIT ?`);
const DELETE_PAGES = sql("logs.deleteQueryPages", `DELETE FROM logs_query_page WHERE query_id = ?`);
const DELETE = sql("logs.deleteQuery", `DELETE FROM logs_query WHERE query_id = ?`);

export async function insertQuery(
  tx: Transaction,
  row: Omit<QueryRow, keyof QueryCounts | "ended_at" | "rows">,
): Promise<void> {
  await tx.run(
    INSERT,
    row.query_id,
    row.account,
    row.region,
    row.query,
    row.log_groups,
    row.from_at,
    row.to_at,
    row.row_limit,
    row.caller,
    row.status,
    row.created_at,
  );
}

export function getQuery(reader: Reader, queryId: string): Promise<QueryRow | undefined> {
  return reader.get<QueryRow>(GET, queryId);
}

/** An account's newest in a region. */
export function listQueries(
  reader: Reader,
  account: string,
  region: string,
  count: number,
): Promise<QueryRow[]> {
  return reader.all<QueryRow>(LIST, account, region, count);
}

/** Queries of an account in a region that wait or run, begun after a time (epoch ms). */
export async function countOpenQueries(
  reader: Reader,
  account: string,
  region: string,
  after: number,
): Promise<number> {
  return Number(
    (await reader.get<{ queries: number | string }>(COUNT_OPEN, account, region, after))?.queries,
  );
}

/** Notes how far a query is; false where it has ended, since somebody stopped it. */
export async function countInQuery(
  tx: Transaction,
  queryId: string,
  { scanned_records, scanned_bytes, matched_records, scanned_groups }: QueryCounts,
): Promise<boolean> {
  const counts = [scanned_records, scanned_bytes, matched_records, scanned_groups];
  return (await tx.run(COUNT, ...counts, queryId)) > 0;
}

/** Ends a query; false where it has ended before. */
export async function endQuery(
  tx: Transaction,
  queryId: string,
  status: QueryStatus,
  now: number,
  rows = 0,
): Promise<boolean> {
  return (await tx.run(END, status, now, rows, queryId)) > 0;
}

export async function insertPage(
  tx: Transaction,
  queryId: string,
  firstRow: number,
  result: string,
): Promise<void> {
  await tx.run(INSERT_PAGE, queryId, firstRow, result);
}

/** Pages whose first row lies between two numbers, neither included. */
export function queryPages(
  reader: Reader,
  queryId: string,
  after: number,
  before: number,
): Promise<{ first_row: number; result: string }[]> {
  return reader.all(PAGES, queryId, after, before);
}

/** Deletes some of those begun before a time, with their results; answers how many. */
export async function deleteOldQueries(tx: Transaction, before: number, count: number): Promise<number> {
  const old = await tx.all<{ query_id: string }>(OLD, before, count);
  for (const { query_id } of old) {
    await tx.run(DELETE_PAGES, query_id);
    await tx.run(DELETE, query_id);
  }
  return old.length;
}
