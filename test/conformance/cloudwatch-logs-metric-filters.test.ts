/** Metric filters: what they count is seen where metrics are read. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  DeleteMetricFilterCommand,
  DescribeLogGroupsCommand,
  DescribeMetricFiltersCommand,
  PutLogEventsCommand,
  PutMetricFilterCommand,
  TestMetricFilterCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import type { MetricTransformation } from "@aws-sdk/client-cloudwatch-logs";
import { startServer } from "../harness/server.ts";
import type { TestServer } from "../harness/server.ts";

let server: TestServer;
let logs: CloudWatchLogsClient;
before(async () => {
  server = await startServer();
  logs = new CloudWatchLogsClient(server.client());
});
after(async () => {
  logs.destroy();
  await server.stop();
});

async function makeGroup(logGroupName: string): Promise<void> {
  await logs.send(new CreateLogGroupCommand({ logGroupName }));
  await logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName: "s" }));
}
const put = (logGroupName: string, ...messages: string[]) => {
  const logEvents = messages.map((message) => ({ timestamp: Date.now(), message }));
  return logs.send(new PutLogEventsCommand({ logGroupName, logStreamName: "s", logEvents }));
};
const putFilter = (
  logGroupName: string,
  filterName: string,
  filterPattern: string,
  metric: Partial<MetricTransformation>,
) =>
  logs.send(
    new PutMetricFilterCommand({
      logGroupName,
      filterName,
      filterPattern,
      metricTransformations: [{ metricName: "m", metricNamespace: "App", metricValue: "1", ...metric }],
    }),
  );

/** What /_lambent/metrics says, line by line. */
async function metrics(name: string): Promise<string[]> {
  const text = await (await fetch(`${server.endpoint}/_lambent/metrics`)).text();
  return text.split("\n").filter((line) => line.includes(`metric="${name}"`));
}

const LABELS = `account="000000000000",region="us-east-1",namespace="App"`;

test("PutMetricFilter counts what matches from then on, and gives quiet minutes their default", async () => {
  await makeGroup("counted");
  await put("counted", "ERROR before");
  await putFilter("counted", "errors", "ERROR", { metricName: "Errors", unit: "Count", defaultValue: 0 });
  await put("counted", "INFO fine");
  const labels = `{${LABELS},metric="Errors",unit="Count"}`;
  assert.deepEqual(await metrics("Errors"), [
    `custom_metric_sum${labels} 0`,
    `custom_metric_count${labels} 1`,
    `custom_metric_max${labels} 0`,
  ]);
  await put("counted", "ERROR one", "INFO", "ERROR two");
  assert.equal((await metrics("Errors"))[0], `custom_metric_sum${labels} 2`);
  const { logGroups } = await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: "counted" }));
  assert.equal(logGroups?.[0]?.metricFilterCount, 1);
});

test("IncomingLogEvents and IncomingBytes count what a group takes in, and all groups together", async () => {
  await makeGroup("incoming");
  const told = async (name: string, group?: string) => {
    const text = await (await fetch(`${server.endpoint}/_lambent/metrics`)).text();
    const lines = text.split("\n").filter((line) => line.startsWith(`aws_logs_incoming_${name}_total{`));
    const wanted = (line: string) =>
      group === undefined ? !line.includes("log_group_name") : line.includes(`log_group_name="${group}"`);
    return Number(lines.find(wanted)?.split(" ").at(-1) ?? 0);
  };
  const [events, bytes] = [await told("log_events"), await told("bytes")];
  await put("incoming", "abc", "größe");
  await put("incoming", "d");
  const sizes = 3 + 7 + 1 + 3 * 26;
  assert.deepEqual([await told("log_events", "incoming"), await told("bytes", "incoming")], [3, sizes]);
  assert.deepEqual([await told("log_events"), await told("bytes")], [events + 3, bytes + sizes]);
});

test("PutMetricFilter takes values and dimensions out of JSON and of fields", async () => {
  await makeGroup("valued");
  await putFilter("valued", "took", "{ $.ms > 0 }", {
    metricName: "Took",
    metricValue: "$.ms",
    unit: "Milliseconds",
    dimensions: { Route: "$.route.name", "User-Kind": "$.kind" },
  });
  await putFilter("valued", "bytes", "[ip, status, bytes]", {
    metricName: "Bytes",
    metricValue: "$bytes",
    dimensions: { Status: "$status" },
  });
  await put(
    "valued",
    '{"ms":20,"route":{"name":"/a"},"kind":"x\\"y"}',
    '{"ms":22.5,"route":{"name":"/a"},"kind":"x\\"y"}',
    // No value for a dimension, and no number: neither counts.
    '{"ms":5,"route":{"name":"/a"}}',
    '{"ms":"many","route":{"name":"/a"},"kind":"x"}',
    "10.0.0.1 200 1534",
    "10.0.0.1 200 none",
  );
  const took = `{${LABELS},metric="Took",unit="Milliseconds",dimension_Route="/a",dimension_User_Kind="x\\"y"}`;
  assert.deepEqual(await metrics("Took"), [
    `custom_metric_sum${took} 42.5`,
    `custom_metric_count${took} 2`,
    `custom_metric_max${took} 22.5`,
  ]);
  const bytes = `{${LABELS},metric="Bytes",unit="None",dimension_Status="200"}`;
  assert.equal((await metrics("Bytes"))[0], `custom_metric_sum${bytes} 1534`);
});

test("DescribeMetricFilters finds filters by group, prefix and metric; DeleteMetricFilter ends the counting", async () => {
  await makeGroup("listed");
  for (const name of ["b", "a", "c"]) await putFilter("listed", name, "", { metricName: `Listed-${name}` });
  const names = async (more: object) => {
    const { metricFilters, nextToken } = await logs.send(new DescribeMetricFiltersCommand(more));
    return { names: metricFilters?.map(({ filterName }) => filterName), nextToken };
  };
  const first = await names({ logGroupName: "listed", limit: 2 });
  assert.deepEqual(first.names, ["a", "b"]);
  assert.deepEqual((await names({ logGroupName: "listed", limit: 2, nextToken: first.nextToken })).names, [
    "c",
  ]);
  assert.deepEqual((await names({ logGroupName: "listed", filterNamePrefix: "b" })).names, ["b"]);
  assert.deepEqual((await names({ metricName: "Listed-c", metricNamespace: "App" })).names, ["c"]);
  await assert.rejects(names({ metricName: "Listed-c" }), { name: "InvalidParameterException" });
  await logs.send(new DeleteMetricFilterCommand({ logGroupName: "listed", filterName: "a" }));
  await put("listed", "x");
  assert.deepEqual([(await metrics("Listed-a")).length, (await metrics("Listed-b")).length], [0, 3]);
  await assert.rejects(
    logs.send(new DeleteMetricFilterCommand({ logGroupName: "listed", filterName: "a" })),
    { name: "ResourceNotFoundException", message: "The specified metric filter does not exist." },
  );
});

test("TestMetricFilter tells what matches, and the values that the pattern names", async () => {
  const check = async (filterPattern: string, logEventMessages: string[]) =>
    (await logs.send(new TestMetricFilterCommand({ filterPattern, logEventMessages }))).matches?.map(
      ({ eventNumber, extractedValues }) => [eventNumber, extractedValues],
    );
  const line = `127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /a HTTP/1.0" 200 1534`;
  assert.deepEqual(await check("[ip, id, user, at, request, status = 200, bytes]", ["no", line]), [
    [
      1,
      {
        $ip: "127.0.0.1",
        $id: "-",
        $user: "frank",
        $at: "10/Oct/2000:13:25:15 -0700",
        $request: "GET /a HTTP/1.0",
        $status: "200",
        $bytes: "1534",
      },
    ],
  ]);
  assert.deepEqual(await check("[..., bytes]", [line]), [
    [
      0,
      {
        $1: "127.0.0.1",
        $2: "-",
        $3: "frank",
        $4: "10/Oct/2000:13:25:15 -0700",
        $5: "GET /a HTTP/1.0",
        $6: "200",
        $bytes: "1534",
      },
    ],
  ]);
  assert.deepEqual(await check('{ $.a.b = "x" || $.n > 1 }', ['{"a":{"b":"x"},"n":5}', "{}"]), [
    [0, { "$.a.b": "x", "$.n": "5" }],
  ]);
  assert.deepEqual(await check("ERROR", ["an ERROR", "fine"]), [[0, {}]]);
});

test("PutMetricFilter refuses what could not be counted", async () => {
  await makeGroup("refusing");
  const refused: readonly [pattern: string, metric: Partial<MetricTransformation>, message: RegExp][] = [
    ["{ $.a", {}, /^Invalid filter pattern$/],
    ["ERROR", { metricValue: "many" }, /neither a number nor a field/],
    ["ERROR", { metricValue: "$.ms" }, /has no fields/],
    ["[a, b]", { metricValue: "$c" }, /has no field \$c/],
    ["{ $.a = 1 }", { metricNamespace: "AWS/Lambda" }, /AWS's own/],
    ["{ $.a = 1 }", { dimensions: { A: "$.a" }, defaultValue: 0 }, /mutually exclusive/],
    ["{ $.a = 1 }", { dimensions: { A: "$.a", B: "$.b", C: "$.c", D: "$.d" } }, /at most 3 dimensions/],
    ["{ $.a = 1 }", { dimensions: { A: "a" } }, /must be a field/],
  ];
  for (const [pattern, metric, message] of refused)
    await assert.rejects(putFilter("refusing", "f", pattern, metric), {
      name: "InvalidParameterException",
      message,
    });
  await assert.rejects(putFilter("nowhere", "f", "", {}), { name: "ResourceNotFoundException" });
  const one = { logGroupName: "refusing", filterName: "f", filterPattern: "", metricTransformations: [] };
  const metricTransformations = [{ metricName: "m", metricNamespace: "n", metricValue: "1" }];
  for (const more of [
    { applyOnTransformedLogs: true },
    { fieldSelectionCriteria: '@aws.region = "us-east-1"' },
    { emitSystemFieldDimensions: ["@aws.account"] },
  ])
    await assert.rejects(logs.send(new PutMetricFilterCommand({ ...one, metricTransformations, ...more })), {
      name: "NotImplemented",
      message: `Lambent does not implement ${Object.keys(more)[0]} of PutMetricFilter`,
    });
  for (let n = 0; n < 100; n++) await putFilter("refusing", `f${n}`, "", {});
  await putFilter("refusing", "f99", "changed", {});
  await assert.rejects(putFilter("refusing", "f100", "", {}), { name: "LimitExceededException" });
});
