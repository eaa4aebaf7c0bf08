/** Logs Insights: queries over stored events, by the SDK. The language itself is tested beside its source. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  DeleteQueryDefinitionCommand,
  DescribeQueriesCommand,
  DescribeQueryDefinitionsCommand,
  GetLogGroupFieldsCommand,
  GetLogRecordCommand,
  GetQueryResultsCommand,
  ListLogGroupsForQueryCommand,
  MalformedQueryException,
  PutLogEventsCommand,
  PutQueryDefinitionCommand,
  StartQueryCommand,
  StopQueryCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import type { GetQueryResultsCommandOutput, StartQueryCommandInput } from "@aws-sdk/client-cloudwatch-logs";
import { missingClient, runClient } from "../harness/client-programs.ts";
import { startServer } from "../harness/server.ts";
import type { TestServer } from "../harness/server.ts";

const NOW = Math.floor(Date.now() / 1_000) * 1_000;
const LEVELS = ["info", "info", "info", "warn", "error"];

let server: TestServer;
let logs: CloudWatchLogsClient;
before(async () => {
  server = await startServer();
  logs = new CloudWatchLogsClient(server.client());
  await put("orders", "s1", 40);
  await put("payments", "s2", 10);
});
after(async () => {
  logs.destroy();
  await server.stop();
});

function messageOf(at: string, n: number): string {
  return JSON.stringify({ n, level: LEVELS[n % LEVELS.length], at, took: { ms: n * 10 } });
}

/** One event a second, the last one now. */
async function put(logGroupName: string, logStreamName: string, count: number): Promise<void> {
  await logs.send(new CreateLogGroupCommand({ logGroupName }));
  await logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName }));
  const logEvents = Array.from({ length: count }, (_, n) => ({
    timestamp: NOW - (count - 1 - n) * 1_000,
    message: messageOf(logGroupName, n),
  }));
  await logs.send(new PutLogEventsCommand({ logGroupName, logStreamName, logEvents }));
}

const start = (queryString: string, more: Partial<StartQueryCommandInput> = {}) =>
  logs.send(
    new StartQueryCommand({
      ...(more.logGroupNames || more.logGroupIdentifiers ? {} : { logGroupName: "orders" }),
      startTime: NOW / 1_000 - 3_600,
      endTime: NOW / 1_000,
      queryString,
      ...more,
    }),
  );

async function finished(queryId: string | undefined): Promise<GetQueryResultsCommandOutput> {
  for (;;) {
    const answer = await logs.send(new GetQueryResultsCommand({ queryId }));
    if (answer.status !== "Scheduled" && answer.status !== "Running") return answer;
    await setTimeout(20);
  }
}

const run = async (query: string, more: Partial<StartQueryCommandInput> = {}) =>
  finished((await start(query, more)).queryId);
const valuesOf = ({ results = [] }: GetQueryResultsCommandOutput) =>
  results.map((row) => row.filter(({ field }) => field !== "@ptr").map(({ value }) => value));

test("StartQuery and GetQueryResults answer rows, and say truly what was read", async () => {
  const answer = await run("fields n, took.ms as ms | filter level = 'error' | sort n desc | limit 3");
  assert.equal(answer.status, "Complete");
  assert.equal(answer.queryLanguage, "CWLI");
  assert.deepEqual(valuesOf(answer), [
    ["39", "390"],
    ["34", "340"],
    ["29", "290"],
  ]);
  const { recordsScanned, recordsMatched, bytesScanned, logGroupsScanned } = answer.statistics ?? {};
  assert.deepEqual([recordsScanned, recordsMatched, logGroupsScanned], [40, 8, 1]);
  const bytes = Array.from({ length: 40 }, (_, n) => messageOf("orders", n).length);
  assert.equal(
    bytesScanned,
    bytes.reduce((sum, length) => sum + length),
  );
  const bins = await run("stats count(*) as n, max(took.ms) by level | sort n desc, level desc");
  assert.deepEqual(valuesOf(bins), [
    ["info", "24", "370"],
    ["warn", "8", "380"],
    ["error", "8", "390"],
  ]);
});

test("StartQuery searches several groups as one, in order of time, within its times and limit", async () => {
  const both = ["orders", "arn:aws:logs:us-east-1:000000000000:log-group:payments"];
  const answer = await run("fields @log, n", { logGroupIdentifiers: both, limit: 5 });
  assert.deepEqual(new Set(valuesOf(answer).map(([, n]) => n)), new Set(["39", "38", "37", "9", "8"]));
  assert.equal(answer.statistics?.logGroupsScanned, 2);
  const some = await run("stats count(*), min(n), max(n)", {
    startTime: NOW / 1_000 - 4,
    endTime: NOW / 1_000 - 2,
  });
  assert.deepEqual(valuesOf(some), [["3", "35", "37"]]);
  assert.equal(some.statistics?.recordsScanned, 3);
});

test("GetQueryResults gives pages where they are asked for", async () => {
  const { queryId } = await start("fields n | sort n asc");
  await finished(queryId);
  const seen: (string | undefined)[] = [];
  let nextToken: string | undefined;
  let pages = 0;
  do {
    const page: GetQueryResultsCommandOutput = await logs.send(
      new GetQueryResultsCommand({ queryId, maxItems: 15, nextToken }),
    );
    seen.push(...valuesOf(page).map(([n]) => n));
    ({ nextToken } = page);
    pages++;
  } while (nextToken !== undefined);
  assert.deepEqual([seen, pages], [Array.from({ length: 40 }, (_, n) => `${n}`), 3]);
});

test("GetLogRecord gives the whole event of a pointer, GetLogGroupFields what fields a group has", async () => {
  const { results } = await run("fields n | filter n = 7");
  const pointer = results?.[0]?.find(({ field }) => field === "@ptr")?.value;
  const { logRecord } = await logs.send(new GetLogRecordCommand({ logRecordPointer: pointer }));
  assert.deepEqual(
    [logRecord?.["n"], logRecord?.["took.ms"], logRecord?.["@logStream"], logRecord?.["@log"]],
    ["7", "70", "s1", "000000000000:orders"],
  );
  await assert.rejects(logs.send(new GetLogRecordCommand({ logRecordPointer: "nonsense" })), {
    name: "InvalidParameterException",
  });
  const { logGroupFields } = await logs.send(new GetLogGroupFieldsCommand({ logGroupName: "orders" }));
  assert.deepEqual(
    logGroupFields?.filter(({ name }) => ["@message", "took.ms", "level"].includes(name ?? "")),
    [
      { name: "@message", percent: 100 },
      { name: "level", percent: 100 },
      { name: "took.ms", percent: 100 },
    ],
  );
});

test("StartQuery refuses what is no query, and says where", async () => {
  await assert.rejects(start("fields @message | filtr n = 1"), (error) => {
    assert.ok(error instanceof MalformedQueryException);
    assert.match(error.message, /^unexpected symbol found filtr at position 18/);
    assert.deepEqual(error.queryCompileError?.location, { startCharOffset: 18, endCharOffset: 23 });
    return true;
  });
  await assert.rejects(start("fields n | pattern @message"), {
    name: "MalformedQueryException",
    message: "Lambent does not implement the command pattern",
  });
  await assert.rejects(start("SELECT 1", { queryLanguage: "SQL" }), {
    name: "NotImplemented",
    message: "Lambent does not implement queryLanguage SQL of StartQuery",
  });
  await assert.rejects(start("fields n", { logGroupNames: ["orders", "ghost"] }), {
    name: "ResourceNotFoundException",
    message: "Log group 'ghost' does not exist for account ID '000000000000'",
  });
  await assert.rejects(start("fields n", { logGroupName: "orders", logGroupNames: ["orders"] }), {
    name: "InvalidParameterException",
    message: /^Exactly one of/,
  });
  await assert.rejects(start("fields n", { startTime: 2, endTime: 1 }), {
    name: "InvalidParameterException",
  });
  await assert.rejects(logs.send(new GetQueryResultsCommand({ queryId: "no" })), {
    name: "ResourceNotFoundException",
  });
});

test("StopQuery ends a query, even one whose regular expression never would; DescribeQueries and ListLogGroupsForQuery tell of them", async () => {
  await logs.send(new CreateLogGroupCommand({ logGroupName: "hard" }));
  await logs.send(new CreateLogStreamCommand({ logGroupName: "hard", logStreamName: "s" }));
  const logEvents = [{ timestamp: NOW, message: "a".repeat(60) }];
  await logs.send(new PutLogEventsCommand({ logGroupName: "hard", logStreamName: "s", logEvents }));
  const { queryId } = await start("filter @message like /^(a+)+$b/", { logGroupNames: ["hard"] });
  while ((await logs.send(new GetQueryResultsCommand({ queryId }))).status !== "Running")
    await setTimeout(20);
  const running = await logs.send(new DescribeQueriesCommand({ status: "Running" }));
  assert.deepEqual(
    running.queries?.map((query) => [query.queryId, query.logGroupName]),
    [[queryId, "hard"]],
  );
  const began = Date.now();
  assert.equal((await logs.send(new StopQueryCommand({ queryId }))).success, true);
  assert.ok(Date.now() - began < 1_000);
  assert.equal((await finished(queryId)).status, "Cancelled");
  await assert.rejects(logs.send(new StopQueryCommand({ queryId })), { name: "InvalidParameterException" });
  // The next query runs: the thread is free again.
  assert.equal((await run("stats count(*)")).status, "Complete");
  const described = await logs.send(new DescribeQueriesCommand({ logGroupName: "hard" }));
  assert.deepEqual(
    described.queries?.map(({ status, userIdentity }) => [status, userIdentity]),
    [["Cancelled", "arn:aws:iam::000000000000:root"]],
  );
  // While one runs it tells what it has found: the events of the first group, though it never comes through the second.
  const early = await start("filter @message like /^(a+)+$b|n/ | fields n | limit any 1000", {
    logGroupNames: ["orders", "hard"],
  });
  let found: GetQueryResultsCommandOutput;
  do {
    await setTimeout(20);
    found = await logs.send(new GetQueryResultsCommand({ queryId: early.queryId }));
  } while (found.results?.length === 0);
  assert.deepEqual([found.status, found.results?.length, found.statistics?.resultCount], ["Running", 40, 40]);
  assert.deepEqual(valuesOf(found)[0], ["39"]);
  await logs.send(new StopQueryCommand({ queryId: early.queryId }));
  const groups = await logs.send(new ListLogGroupsForQueryCommand({ queryId }));
  assert.deepEqual(groups.logGroupIdentifiers, ["arn:aws:logs:us-east-1:000000000000:log-group:hard"]);
});

test("PutQueryDefinition keeps a query, DescribeQueryDefinitions finds it, DeleteQueryDefinition removes it", async () => {
  const definition = {
    name: "team/errors",
    queryString: "filter level = 'error'",
    logGroupNames: ["orders"],
  };
  const clientToken = "5ad3a1f0-0c1b-4d6e-9f3e-2c5b8a7d6e5f";
  const { queryDefinitionId } = await logs.send(
    new PutQueryDefinitionCommand({ ...definition, clientToken }),
  );
  assert.match(
    queryDefinitionId ?? "",
    /^[\da-f]{8}-[\da-f]{4}-[1-5][\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/,
  );
  const again = await logs.send(new PutQueryDefinitionCommand({ ...definition, clientToken }));
  assert.equal(again.queryDefinitionId, queryDefinitionId);
  await logs.send(new PutQueryDefinitionCommand({ name: "other", queryString: "fields n" }));
  const changed = { ...definition, queryDefinitionId, queryString: "filter level = 'warn'" };
  await logs.send(new PutQueryDefinitionCommand(changed));
  const found = await logs.send(new DescribeQueryDefinitionsCommand({ queryDefinitionNamePrefix: "team/" }));
  assert.deepEqual(
    found.queryDefinitions?.map(({ lastModified, ...one }) => (assert.ok(lastModified), one)),
    [{ ...changed, queryLanguage: "CWLI" }],
  );
  await logs.send(new DeleteQueryDefinitionCommand({ queryDefinitionId }));
  await assert.rejects(logs.send(new DeleteQueryDefinitionCommand({ queryDefinitionId })), {
    name: "ResourceNotFoundException",
  });
  await assert.rejects(logs.send(new PutQueryDefinitionCommand({ name: "bad", queryString: "nothing" })), {
    name: "MalformedQueryException",
  });
});

test(
  "the AWS CLI calls StartQuery and GetQueryResults",
  { skip: await missingClient("aws", ["--version"]) },
  async () => {
    const aws = async (...parameters: string[]) =>
      JSON.parse(await runClient(server, "aws", ["--output", "json", "logs", ...parameters])) as {
        queryId: string;
        results: unknown;
      };
    const times = ["--start-time", `${NOW / 1_000 - 60}`, "--end-time", `${NOW / 1_000}`];
    const query = ["--query-string", "stats sum(took.ms) as total by level | sort total | limit 1"];
    const { queryId } = await aws("start-query", "--log-group-name", "payments", ...times, ...query);
    await finished(queryId);
    const { results } = await aws("get-query-results", "--query-id", queryId);
    assert.deepEqual(results, [
      [
        { field: "level", value: "warn" },
        { field: "total", value: "110" },
      ],
    ]);
  },
);
