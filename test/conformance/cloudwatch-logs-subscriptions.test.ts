/** Subscription filters: what a function and a stream get of a group's events, and when. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  DeleteSubscriptionFilterCommand,
  DescribeSubscriptionFiltersCommand,
  FilterLogEventsCommand,
  PutLogEventsCommand,
  PutSubscriptionFilterCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import type { PutSubscriptionFilterCommandInput } from "@aws-sdk/client-cloudwatch-logs";
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { CreateStreamCommand, KinesisClient, waitUntilStreamExists } from "@aws-sdk/client-kinesis";
import { AddPermissionCommand, RemovePermissionCommand } from "@aws-sdk/client-lambda";
import type { LambdaClient } from "@aws-sdk/client-lambda";
import { deployFunction } from "../harness/functions.ts";
import { recordsFrom } from "../harness/kinesis.ts";
import { startServer } from "../harness/server.ts";
import type { TestServer } from "../harness/server.ts";

const ACCOUNT = "000000000000";
const arnOf = (name: string) => `arn:aws:lambda:us-east-1:${ACCOUNT}:function:${name}`;
const streamArn = (name: string) => `arn:aws:kinesis:us-east-1:${ACCOUNT}:stream/${name}`;
const groupArn = (name: string) => `arn:aws:logs:us-east-1:${ACCOUNT}:log-group:${name}:*`;
/** Logs what it gets, opened; a line for each event. */
const OPENS = `import { gunzipSync } from "node:zlib";
export const handler = async ({ awslogs: { data } }) => {
  console.log("got", gunzipSync(Buffer.from(data, "base64")).toString());
};`;

interface Message {
  readonly messageType: string;
  readonly owner: string;
  readonly logGroup: string;
  readonly logStream: string;
  readonly subscriptionFilters: readonly string[];
  readonly logEvents: readonly {
    readonly id: string;
    readonly timestamp: number;
    readonly message: string;
    readonly extractedFields?: object;
  }[];
}

let server: TestServer;
let logs: CloudWatchLogsClient;
let lambda: LambdaClient;
let iam: IAMClient;
let kinesis: KinesisClient;
before(async () => {
  server = await startServer({ sandbox: "process", logLevel: "error" });
  logs = new CloudWatchLogsClient(server.client());
  iam = new IAMClient(server.client());
  kinesis = new KinesisClient(server.client());
  lambda = await deployFunction(server.client(), "opens", { "index.mjs": OPENS });
  await allow("opens", ACCOUNT);
  await makeRole("writer", "logs.amazonaws.com", "kinesis:PutRecord");
  await makeRole("idle", "logs.amazonaws.com", "kinesis:ListStreams");
  await makeRole("foreign", "lambda.amazonaws.com", "kinesis:PutRecord");
});
after(async () => {
  for (const client of [logs, lambda, iam, kinesis]) client?.destroy();
  await server?.stop();
});

/** Lets CloudWatch Logs invoke a function, for groups whose names begin so. */
const allow = (FunctionName: string, SourceAccount: string, group = "") =>
  lambda.send(
    new AddPermissionCommand({
      FunctionName,
      StatementId: "logs",
      Action: "lambda:InvokeFunction",
      Principal: "logs.amazonaws.com",
      SourceArn: groupArn(`${group}*`),
      SourceAccount,
    }),
  );

async function makeRole(RoleName: string, Service: string, Action: string): Promise<void> {
  const policy = (statement: object) => JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
  const trust = { Effect: "Allow", Principal: { Service }, Action: "sts:AssumeRole" };
  await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: policy(trust) }));
  const PolicyDocument = policy({ Effect: "Allow", Action, Resource: "*" });
  await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "p", PolicyDocument }));
}

async function makeGroup(logGroupName: string, ...streams: string[]): Promise<void> {
  await logs.send(new CreateLogGroupCommand({ logGroupName }));
  for (const logStreamName of streams)
    await logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName }));
}
const put = (logGroupName: string, logStreamName: string, ...messages: string[]) => {
  const logEvents = messages.map((message) => ({ timestamp: Date.now(), message }));
  return logs.send(new PutLogEventsCommand({ logGroupName, logStreamName, logEvents }));
};
const subscribe = (logGroupName: string, more: Partial<PutSubscriptionFilterCommandInput> = {}) =>
  logs.send(
    new PutSubscriptionFilterCommand({
      logGroupName,
      filterName: "f",
      filterPattern: "",
      destinationArn: arnOf("opens"),
      ...more,
    }),
  );

/** What the function got of a group, once it is so many events. */
async function received(group: string, count: number): Promise<Message[]> {
  const filterPattern = String.raw`"\"logGroup\":\"${group}\""`;
  for (let tries = 0; tries < 300; tries++) {
    const { events = [] } = await logs
      .send(new FilterLogEventsCommand({ logGroupName: "/aws/lambda/opens", filterPattern }))
      .catch(() => ({ events: [] }));
    const messages = events.map(
      ({ message = "" }) => JSON.parse(message.slice(message.indexOf("{"))) as Message,
    );
    if (messages.flatMap(({ logEvents }) => logEvents).length >= count) return messages;
    await setTimeout(50);
  }
  return assert.fail(`the function did not get ${count} events of ${group}`);
}

test("PutSubscriptionFilter sends what matches to a function, packed as AWS packs it", async () => {
  await makeGroup("app", "one", "two");
  await put("app", "one", "ERROR before");
  await subscribe("app", { filterPattern: "ERROR" });
  await put("app", "one", "INFO no", "ERROR yes ü");
  await put("app", "two", "ERROR too");
  const messages = await received("app", 2);
  const byStream = new Map(messages.map((message) => [message.logStream, message]));
  const one = byStream.get("one") ?? assert.fail();
  const { events } = await logs.send(
    new FilterLogEventsCommand({ logGroupName: "app", filterPattern: "yes" }),
  );
  const { logEvents, ...envelope } = one;
  assert.deepEqual(envelope, {
    messageType: "DATA_MESSAGE",
    owner: ACCOUNT,
    logGroup: "app",
    logStream: "one",
    subscriptionFilters: ["f"],
  });
  assert.deepEqual(logEvents, [
    { id: events?.[0]?.eventId, timestamp: events?.[0]?.timestamp, message: "ERROR yes ü" },
  ]);
  assert.deepEqual(
    byStream.get("two")?.logEvents.map(({ message }) => message),
    ["ERROR too"],
  );
});

test("fields of a space-delimited pattern come extracted; events of one stream that come together go together", async () => {
  await makeGroup("fields", "s");
  await subscribe("fields", { filterPattern: "[ip, status = 5*, ...]" });
  await put("fields", "s", "10.0.0.1 503 slow", "10.0.0.1 200 fine", "10.0.0.2 500");
  const [message, ...more] = await received("fields", 2);
  assert.equal(more.length, 0);
  assert.deepEqual(
    message?.logEvents.map(({ extractedFields }) => extractedFields),
    [
      { ip: "10.0.0.1", status: "503", "3": "slow" },
      { ip: "10.0.0.2", status: "500" },
    ],
  );
});

test("a large batch is cut so that each event fits a function", async () => {
  await makeGroup("large", "s");
  await subscribe("large");
  // Of random text, which gzip cannot shrink much.
  const text = () => Array.from({ length: 25_000 }, () => Math.random().toString(36).slice(2, 14)).join("");
  const texts = [text(), text(), text()];
  await put("large", "s", ...texts);
  // What came before goes to the filter as it was.
  await subscribe("large", { filterPattern: "nothing" });
  // The function's log cuts long lines: what it got is told by their lengths.
  const metrics = async () => (await fetch(`${server.endpoint}/_lambent/metrics`)).text();
  const forwarded = /aws_logs_forwarded_log_events_total\{[^}]*log_group_name="large"[^}]*\} 3\n/;
  for (let tries = 0; !forwarded.test(await metrics()); tries++) {
    assert.ok(tries < 200, await metrics());
    await setTimeout(50);
  }
});

test("DescribeSubscriptionFilters tells of a group's filters, of which there are two at most; DeleteSubscriptionFilter ends one", async () => {
  await makeGroup("two", "s");
  await subscribe("two", { filterName: "b", filterPattern: "x" });
  await subscribe("two", { filterName: "a" });
  await subscribe("two", { filterName: "b", filterPattern: "changed" });
  await assert.rejects(subscribe("two", { filterName: "c" }), {
    name: "LimitExceededException",
    message: "Resource limit exceeded.",
  });
  const describe = (more: object = {}) =>
    logs.send(new DescribeSubscriptionFiltersCommand({ logGroupName: "two", ...more }));
  const { subscriptionFilters } = await describe();
  assert.deepEqual(
    subscriptionFilters?.map(({ creationTime, ...filter }) => (assert.ok(creationTime), filter)),
    [
      { filterName: "a", filterPattern: "" },
      { filterName: "b", filterPattern: "changed" },
    ].map((filter) => ({
      ...filter,
      logGroupName: "two",
      destinationArn: arnOf("opens"),
      distribution: "ByLogStream",
      applyOnTransformedLogs: false,
    })),
  );
  assert.deepEqual(
    (await describe({ filterNamePrefix: "b" })).subscriptionFilters?.map(({ filterName }) => filterName),
    ["b"],
  );
  const deleteA = () =>
    logs.send(new DeleteSubscriptionFilterCommand({ logGroupName: "two", filterName: "a" }));
  await deleteA();
  await assert.rejects(deleteA(), { name: "ResourceNotFoundException" });
  await put("two", "s", "not for b", "changed, for b");
  const messages = await received("two", 1);
  assert.deepEqual(
    messages.flatMap(({ logEvents }) => logEvents.map(({ message }) => message)),
    ["changed, for b"],
  );
});

test("a stream gets a control message when the filter is put, and then data", async () => {
  const create = { StreamName: "logs", ShardCount: 1 };
  await kinesis.send(new CreateStreamCommand(create));
  await waitUntilStreamExists({ client: kinesis, maxWaitTime: 20, minDelay: 0.1, maxDelay: 1 }, create);
  await makeGroup("streamed", "s1", "s2");
  const roleArn = `arn:aws:iam::${ACCOUNT}:role/writer`;
  const destination = { destinationArn: streamArn("logs"), roleArn };
  await subscribe("streamed", destination);
  await put("streamed", "s1", "a");
  await put("streamed", "s2", "b");
  await put("streamed", "s1", "c");
  const read = async (count: number) => {
    for (let tries = 0; tries < 40; tries++) {
      const { Records = [] } = await recordsFrom(kinesis, "logs", "TRIM_HORIZON");
      const messages = Records.map(({ Data, PartitionKey }) => ({
        key: PartitionKey,
        ...(JSON.parse(gunzipSync(Data ?? "").toString()) as Message),
      }));
      if (messages.flatMap(({ logEvents }) => logEvents).length >= count) return messages;
      // A shard takes five reads a second.
      await setTimeout(250);
    }
    return assert.fail(`the stream did not get ${count} events`);
  };
  const [control, ...data] = await read(4);
  assert.equal(control?.messageType, "CONTROL_MESSAGE");
  assert.match(control?.logEvents[0]?.message ?? "", /^CWL CONTROL MESSAGE/);
  const keys = (stream: string) => data.filter(({ logStream }) => logStream === stream).map(({ key }) => key);
  assert.equal(new Set(keys("s1")).size, 1, "events of one stream go to one shard, in order");
  assert.notEqual(keys("s1")[0], keys("s2")[0]);
  assert.deepEqual(
    data
      .filter(({ logStream }) => logStream === "s1")
      .flatMap(({ logEvents }) => logEvents.map(({ message }) => message)),
    ["a", "c"],
  );
  await subscribe("streamed", { ...destination, distribution: "Random" });
  await put("streamed", "s1", "d");
  await setTimeout(600);
  await put("streamed", "s1", "e");
  const spread = (await read(7)).filter(({ logEvents }) => /^[de]$/.test(logEvents[0]?.message ?? ""));
  assert.equal(new Set(spread.map(({ key }) => key)).size, 2);
});

test("PutSubscriptionFilter refuses destinations that would get nothing, in AWS's words", async () => {
  await makeGroup("refusing", "s");
  const refuses = (
    more: Partial<PutSubscriptionFilterCommandInput>,
    message: string | RegExp,
    name = "InvalidParameterException",
  ) => assert.rejects(subscribe("refusing", more), { name, message });
  const mayNot =
    "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your function.";
  await deployFunction(server.client(), "closed", { "index.mjs": OPENS });
  await refuses({ destinationArn: arnOf("closed") }, mayNot);
  await refuses({ destinationArn: arnOf("ghost") }, mayNot);
  await allow("closed", ACCOUNT, "other");
  await refuses({ destinationArn: arnOf("closed") }, mayNot);
  const notActive =
    "Could not deliver test message to specified Kinesis stream. Check if the given kinesis stream is in ACTIVE state.";
  const role = (name: string) => ({ roleArn: `arn:aws:iam::${ACCOUNT}:role/${name}` });
  await refuses({ destinationArn: streamArn("ghost"), ...role("writer") }, notActive);
  await refuses({ destinationArn: streamArn("logs") }, /cannot be used without roleArn/);
  await refuses({ destinationArn: streamArn("logs"), ...role("idle") }, /does not allow kinesis:PutRecord/);
  await refuses(
    { destinationArn: streamArn("logs"), ...role("foreign") },
    /can be assumed by CloudWatch Logs/,
  );
  await refuses(
    { destinationArn: streamArn("logs").replace(ACCOUNT, "111111111111") },
    /another account or region/,
  );
  await refuses(
    { destinationArn: `arn:aws:sqs:us-east-1:${ACCOUNT}:queue` },
    /neither a function nor a stream/,
  );
  await refuses({ filterPattern: "{ $.a" }, "Invalid filter pattern");
  const missing: readonly [more: Partial<PutSubscriptionFilterCommandInput>, what: RegExp][] = [
    [
      { destinationArn: `arn:aws:firehose:us-east-1:${ACCOUNT}:deliverystream/d` },
      /Firehose delivery streams/,
    ],
    [
      { destinationArn: `arn:aws:logs:us-east-1:111111111111:destination:d` },
      /destinations of PutDestination/,
    ],
    [{ applyOnTransformedLogs: true }, /applyOnTransformedLogs/],
    [{ fieldSelectionCriteria: '@aws.region = "x"' }, /fieldSelectionCriteria/],
    [{ emitSystemFields: ["@aws.account"] }, /emitSystemFields/],
  ];
  for (const [more, what] of missing) await refuses(more, what, "NotImplemented");
  await assert.rejects(subscribe("nowhere"), { name: "ResourceNotFoundException" });
  assert.deepEqual(
    (await logs.send(new DescribeSubscriptionFiltersCommand({ logGroupName: "refusing" })))
      .subscriptionFilters,
    [],
  );
});

test("what a destination refuses later is counted as DeliveryErrors", async () => {
  await deployFunction(server.client(), "left", { "index.mjs": OPENS });
  await allow("left", ACCOUNT);
  await makeGroup("leaving", "s");
  await subscribe("leaving", { destinationArn: arnOf("left") });
  await lambda.send(new RemovePermissionCommand({ FunctionName: "left", StatementId: "logs" }));
  await put("leaving", "s", "lost");
  const errors =
    /aws_logs_delivery_errors_total\{[^}]*log_group_name="leaving"[^}]*destination_type="Lambda"[^}]*filter_name="f"[^}]*\} 1\n/;
  for (let tries = 0; ; tries++) {
    const text = await (await fetch(`${server.endpoint}/_lambent/metrics`)).text();
    if (errors.test(text)) break;
    assert.ok(tries < 200, text);
    await setTimeout(50);
  }
});

test("a function that is fed by what it logs itself stops after sixteen runs", async () => {
  const name = "echo";
  const code = `export const handler = async () => console.log("again");`;
  await deployFunction(server.client(), name, { "index.mjs": code });
  await allow(name, ACCOUNT);
  const logGroupName = `/aws/lambda/${name}`;
  await makeGroup(logGroupName, "by-hand");
  await subscribe(logGroupName, { destinationArn: arnOf(name), filterPattern: "again" });
  await put(logGroupName, "by-hand", "again");
  const dropped = /aws_lambda_recursive_invocations_dropped_total\{[^}]*function_name="echo"[^}]*\} 1\n/;
  for (let tries = 0; ; tries++) {
    const text = await (await fetch(`${server.endpoint}/_lambent/metrics`)).text();
    if (dropped.test(text)) break;
    assert.ok(tries < 600, "the loop goes on");
    await setTimeout(50);
  }
  const { events } = await logs.send(new FilterLogEventsCommand({ logGroupName, filterPattern: "again" }));
  assert.equal(events?.length, 1 + 16);
});
