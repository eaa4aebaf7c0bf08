/** StartQuery, StopQuery, GetQueryResults, DescribeQueries and ListLogGroupsForQuery. */
import type { ResultField } from "@aws-sdk/client-cloudwatch-logs";
import { AwsError, notImplemented } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { QueryError } from "../insights/error.ts";
import { parseQuery } from "../insights/parse-query.ts";
import type { ResultRow } from "../insights/plan.ts";
import { QUERIES_TOPIC, QUERY_MS_MAX } from "../insights/runner.ts";
import { groupArn, groupNameOf, invalidParameter, readToken, writeToken } from "../lookup.ts";
import type { LogsState } from "../state.ts";
import { getGroup } from "../store.ts";
import type { GroupRow } from "../store.ts";
import {
  countOpenQueries,
  endQuery,
  getQuery,
  insertQuery,
  listQueries,
  queryPages,
} from "../store-queries.ts";
import type { QueryRow } from "../store-queries.ts";
import { pageOf } from "./paging.ts";

type Client = typeof import("@aws-sdk/client-cloudwatch-logs");

/** Queries of an account that wait or run at once; as by AWS. */
const OPEN_QUERIES_MAX = 100;
/** Rows of a query that names no limit. */
const ROWS_DEFAULT = 10_000;
/** Rows of one answer. */
const RESULTS_MAX = 10_000;
/** Queries that DescribeQueries looks through. */
const DESCRIBED_MAX = 1_000;
const SECOND_MS = 1_000;
/** Rows of one page of results lie in one page of storage at most so far from its beginning. */
const STORED_PAGE_ROWS_MAX = 1_000;

/** The query is read before it is accepted, and runs durably from then on. */
export async function startQuery(
  state: LogsState,
  input: Input<Client, "StartQuery">,
  context: RequestContext,
): Promise<Output<Client, "StartQuery">> {
  refuseLanguage(input.queryLanguage, "StartQuery");
  checkQuery(input.queryString ?? "");
  const { startTime = 0, endTime = 0 } = input;
  if (startTime > endTime)
    throw invalidParameter("The start time of a query must not be after its end time.");
  const groups = await groupsOf(state, input, context);
  const { account, region } = context;
  const now = state.clock.now();
  const queryId = state.ids.uuid();
  const row = {
    query_id: queryId,
    account,
    region,
    query: input.queryString ?? "",
    log_groups: JSON.stringify(groups.map(({ group_id, name }) => [group_id, name])),
    from_at: startTime * SECOND_MS,
    to_at: endTime * SECOND_MS + SECOND_MS - 1,
    row_limit: input.limit ?? ROWS_DEFAULT,
    caller: context.principal.arn,
    status: "Scheduled",
    created_at: now,
  } as const;
  await state.database.tx(async (tx) => {
    if ((await countOpenQueries(tx, account, region, now - QUERY_MS_MAX)) >= OPEN_QUERIES_MAX)
      throw new AwsError(
        "LimitExceededException",
        `Account maximum query concurrency of [${OPEN_QUERIES_MAX}] reached.`,
      );
    await insertQuery(tx, row);
    const job = { topic: QUERIES_TOPIC, id: queryId, group: queryId, payload: Buffer.from(queryId) };
    await state.queue.enqueue(tx, job);
  });
  return { queryId };
}

export async function stopQuery(
  state: LogsState,
  input: Input<Client, "StopQuery">,
  context: RequestContext,
): Promise<Output<Client, "StopQuery">> {
  const query = await requireQuery(state, input.queryId, context);
  const success = await state.database.tx(async (tx) => {
    const stopped = await endQuery(tx, query.query_id, "Cancelled", state.clock.now());
    if (stopped) tx.afterCommit(() => state.cancelQuery(query.query_id));
    return stopped;
  });
  if (!success) throw invalidParameter(`Query ${query.query_id} has ended: its status is ${query.status}.`);
  return { success };
}

/** Up to 10,000 rows at once. While a query runs it answers those that are found already, from the beginning. */
export async function getQueryResults(
  state: LogsState,
  input: Input<Client, "GetQueryResults">,
  context: RequestContext,
): Promise<Output<Client, "GetQueryResults">> {
  const query = await requireQuery(state, input.queryId, context);
  const from = input.nextToken === undefined ? 0 : readToken(input.nextToken, isRowNumber);
  const count = input.maxItems ?? RESULTS_MAX;
  const isRunning = query.ended_at === 0;
  const results = isRunning
    ? state.earlyRows(query.query_id).slice(0, count).map(toFields)
    : await readRows(state, query.query_id, from, from + count);
  const next = from + results.length;
  return {
    queryLanguage: "CWLI",
    results,
    status: query.status,
    statistics: {
      recordsMatched: query.matched_records,
      recordsScanned: query.scanned_records,
      bytesScanned: query.scanned_bytes,
      estimatedRecordsSkipped: 0,
      estimatedBytesSkipped: 0,
      logGroupsScanned: query.scanned_groups,
      resultCount: isRunning ? results.length : query.rows,
    },
    ...(next < query.rows && { nextToken: writeToken(next) }),
  };
}

export async function describeQueries(
  state: LogsState,
  input: Input<Client, "DescribeQueries">,
  context: RequestContext,
): Promise<Output<Client, "DescribeQueries">> {
  const { logGroupName, status, queryLanguage = "CWLI", nextToken, maxResults } = input;
  const rows = await listQueries(state.database, context.account, context.region, DESCRIBED_MAX);
  const now = state.clock.now();
  const found = rows
    .map((row) => ({ row, names: namesOf(row), key: newestFirst(row) }))
    .filter(({ row, names }) => {
      if (queryLanguage !== "CWLI" || (status !== undefined && status !== row.status)) return false;
      return logGroupName === undefined || names.includes(logGroupName);
    });
  const { page, ...more } = pageOf(found, { nextToken, limit: maxResults }, ({ key }) => key);
  return {
    queries: page.map(({ row, names }) => ({
      queryLanguage: "CWLI",
      queryId: row.query_id,
      queryString: row.query,
      status: row.status,
      createTime: row.created_at,
      logGroupName: names[0],
      queryDuration: (row.ended_at || now) - row.created_at,
      bytesScanned: row.scanned_bytes,
      userIdentity: row.caller,
    })),
    ...more,
  };
}

export async function listLogGroupsForQuery(
  state: LogsState,
  input: Input<Client, "ListLogGroupsForQuery">,
  context: RequestContext,
): Promise<Output<Client, "ListLogGroupsForQuery">> {
  const query = await requireQuery(state, input.queryId, context);
  const arns = namesOf(query).map((name) => groupArn(query.account, query.region, name));
  const { page, ...more } = pageOf(
    arns.toSorted(),
    { nextToken: input.nextToken, limit: input.maxResults },
    (arn) => arn,
  );
  return { logGroupIdentifiers: [...page], ...more };
}

/** @throws AwsError MalformedQueryException, with where it is wrong */
export function checkQuery(query: string): void {
  try {
    parseQuery(query);
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    const { message, start: startCharOffset, end: endCharOffset } = error;
    throw new AwsError("MalformedQueryException", message, {
      queryCompileError: { location: { startCharOffset, endCharOffset }, message },
    });
  }
}

export function refuseLanguage(language: string | undefined, operation: string): void {
  if (language !== undefined && language !== "CWLI")
    throw notImplemented(`queryLanguage ${language} of ${operation}`);
}

async function requireQuery(
  state: LogsState,
  queryId: string | undefined,
  { account, region }: RequestContext,
): Promise<QueryRow> {
  const query = await getQuery(state.database, queryId ?? "");
  if (query?.account !== account || query.region !== region)
    throw new AwsError("ResourceNotFoundException", `Query ${queryId ?? ""} does not exist.`);
  return query;
}

async function groupsOf(
  state: LogsState,
  { logGroupName, logGroupNames, logGroupIdentifiers }: Input<Client, "StartQuery">,
  context: RequestContext,
): Promise<GroupRow[]> {
  const given = [logGroupName && [logGroupName], logGroupNames, logGroupIdentifiers].filter(
    (one) => one?.length,
  );
  if (given.length !== 1)
    throw invalidParameter(
      "Exactly one of logGroupName, logGroupNames and logGroupIdentifiers has to be given to StartQuery.",
    );
  const groups: GroupRow[] = [];
  for (const identifier of new Set(given[0])) {
    const { account, region } = context;
    const group = await getGroup(state.database, account, region, groupNameOf(identifier, context) ?? "");
    if (!group)
      throw new AwsError(
        "ResourceNotFoundException",
        `Log group '${identifier}' does not exist for account ID '${account}'`,
      );
    groups.push(group);
  }
  if (new Set(groups.map((group) => group.class)).size > 1)
    throw invalidParameter("The log groups of one query have to be of the same class.");
  return groups;
}

function namesOf(query: QueryRow): string[] {
  return (JSON.parse(query.log_groups) as [number, string][]).map(([, name]) => name);
}

/** Grows from the newest to the oldest. */
function newestFirst({ created_at, query_id }: QueryRow): string {
  return `${String(Number.MAX_SAFE_INTEGER - created_at).padStart(16, "0")}/${query_id}`;
}

async function readRows(
  state: LogsState,
  queryId: string,
  from: number,
  to: number,
): Promise<ResultField[][]> {
  if (to <= from) return [];
  const rows: ResultField[][] = [];
  const pages = await queryPages(state.database, queryId, from - STORED_PAGE_ROWS_MAX, to);
  for (const { first_row, result } of pages)
    for (const [index, row] of (JSON.parse(result) as ResultRow[]).entries())
      if (first_row + index >= from && first_row + index < to) rows.push(toFields(row));
  return rows;
}

function toFields(row: ResultRow): ResultField[] {
  return row.map(([field, value]) => ({ field, value }));
}

function isRowNumber(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
