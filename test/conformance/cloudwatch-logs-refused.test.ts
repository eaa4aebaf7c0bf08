/** What CloudWatch Logs has and Lambent has not is refused by its name; and what a class of groups may not do. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  DescribeLogGroupsCommand,
  FilterLogEventsCommand,
  GetLogEventsCommand,
  PutLogEventsCommand,
  PutMetricFilterCommand,
  PutSubscriptionFilterCommand,
  StartLiveTailCommand,
  StartQueryCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import type {
  CloudWatchLogsServiceException,
  CreateExportTaskCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { operationTable } from "../../src/services/cloudwatch-logs/operation-table.ts";
import { startServer } from "../harness/server.ts";
import type { TestServer } from "../harness/server.ts";

const MODEL = new URL("../../src/aws/models/cloudwatch-logs.gen.json", import.meta.url);

let server: TestServer;
let logs: CloudWatchLogsClient;
before(async () => {
  server = await startServer({ sandbox: "process", logLevel: "error" });
  logs = new CloudWatchLogsClient({ ...server.client(), disableHostPrefix: true });
});
after(async () => {
  logs.destroy();
  await server.stop();
});

test("export, data protection, account policies, anomaly detectors, deliveries, transformers, indexes and destinations are refused by name", async () => {
  const { operations } = JSON.parse(readFileSync(MODEL, "utf8")) as { operations: object };
  const refused = Object.keys(operations).filter((name) => !(name in operationTable));
  for (const name of [
    "CreateExportTask",
    "PutDataProtectionPolicy",
    "PutAccountPolicy",
    "CreateLogAnomalyDetector",
    "CreateDelivery",
    "PutTransformer",
    "PutIndexPolicy",
    "PutDestination",
    "CreateScheduledQuery",
    "PutDestinationPolicy",
  ])
    assert.ok(refused.includes(name), name);
  const commands = (await import("@aws-sdk/client-cloudwatch-logs")) as unknown as Readonly<
    Record<string, typeof CreateExportTaskCommand>
  >;
  for (const name of refused) {
    const Command = commands[`${name}Command`] as typeof CreateExportTaskCommand;
    const error = await logs.send(new Command({} as never)).then(
      () => assert.fail(`${name} was answered`),
      (reason: CloudWatchLogsServiceException) => reason,
    );
    assert.deepEqual(
      [error.name, error.message, error.$metadata.httpStatusCode],
      ["NotImplemented", `Lambent does not implement CloudWatch Logs ${name}`, 501],
    );
  }
});

test("a group of class INFREQUENT_ACCESS takes events and is queried, and refuses what AWS refuses", async () => {
  const logGroupName = "rarely";
  await logs.send(new CreateLogGroupCommand({ logGroupName, logGroupClass: "INFREQUENT_ACCESS" }));
  await logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName: "s" }));
  await logs.send(new CreateLogGroupCommand({ logGroupName: "often" }));
  const logEvents = [{ timestamp: Date.now(), message: "x" }];
  await logs.send(new PutLogEventsCommand({ logGroupName, logStreamName: "s", logEvents }));
  const classes = async (logGroupClass: "STANDARD" | "INFREQUENT_ACCESS") => {
    const { logGroups } = await logs.send(new DescribeLogGroupsCommand({ logGroupClass }));
    return logGroups?.map((group) => [group.logGroupName, group.logGroupClass]);
  };
  assert.deepEqual(await classes("INFREQUENT_ACCESS"), [["rarely", "INFREQUENT_ACCESS"]]);
  assert.deepEqual(await classes("STANDARD"), [["often", "STANDARD"]]);
  const filter = { logGroupName, filterName: "f", filterPattern: "" };
  const arn = "arn:aws:logs:us-east-1:000000000000:log-group:rarely";
  const requests: readonly [operation: string, request: () => Promise<unknown>][] = [
    ["GetLogEvents", () => logs.send(new GetLogEventsCommand({ logGroupName, logStreamName: "s" }))],
    ["FilterLogEvents", () => logs.send(new FilterLogEventsCommand({ logGroupName }))],
    ["StartLiveTail", () => logs.send(new StartLiveTailCommand({ logGroupIdentifiers: [arn] }))],
    [
      "PutMetricFilter",
      () =>
        logs.send(
          new PutMetricFilterCommand({
            ...filter,
            metricTransformations: [{ metricName: "m", metricNamespace: "n", metricValue: "1" }],
          }),
        ),
    ],
    [
      "PutSubscriptionFilter",
      () =>
        logs.send(
          new PutSubscriptionFilterCommand({
            ...filter,
            destinationArn: "arn:aws:lambda:us-east-1:000000000000:function:f",
          }),
        ),
    ],
  ];
  for (const [operation, request] of requests)
    await assert.rejects(request(), {
      name: "InvalidParameterException",
      message: `${operation} is not supported for log groups of the class INFREQUENT_ACCESS; rarely is one.`,
    });
  const query = { startTime: 0, endTime: 2_000_000_000, queryString: "stats count(*)" };
  assert.ok((await logs.send(new StartQueryCommand({ ...query, logGroupName }))).queryId);
  await assert.rejects(logs.send(new StartQueryCommand({ ...query, logGroupNames: ["rarely", "often"] })), {
    name: "InvalidParameterException",
    message: "The log groups of one query have to be of the same class.",
  });
  await assert.rejects(
    logs.send(new CreateLogGroupCommand({ logGroupName: "vended", logGroupClass: "DELIVERY" })),
    {
      name: "NotImplemented",
      message: "Lambent does not implement logGroupClass DELIVERY of CreateLogGroup",
    },
  );
});
