/** Destinations of asynchronous invocations: each event that ends leaves its record where it is configured to. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  FilterLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from "@aws-sdk/client-eventbridge";
import { PutRolePolicyCommand } from "@aws-sdk/client-iam";
import {
  CreateAliasCommand,
  DeleteFunctionCommand,
  GetFunctionEventInvokeConfigCommand,
  InvokeCommand,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  PutFunctionEventInvokeConfigCommand,
  UpdateFunctionEventInvokeConfigCommand,
} from "@aws-sdk/client-lambda";
import type { LambdaClient, PutFunctionEventInvokeConfigCommandInput } from "@aws-sdk/client-lambda";
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { MovableClock } from "../../src/index.ts";
import { ACCOUNT, makeRole, startSetting } from "./lambda-setting.ts";
import type { Setting } from "./lambda-setting.ts";
import { openLogGroups } from "../harness/eventbridge.ts";

const BUCKET = "failed-events";
/** Says what it got in one line of its log. */
const SINK = `export const handler = async (record) => console.log("record", JSON.stringify(record), "end");`;
/** Fails while the event says so, answers what it says otherwise. */
const WORKER = `export const handler = async (event) => {
  if (event.fail) throw new TypeError(event.fail);
  return event.size ? "x".repeat(event.size) : { done: event.n };
};`;

const FAILURES = "aws_lambda_destination_delivery_failures_total";

const clock = new MovableClock();
let setting: Setting;
let lambda: LambdaClient;
let s3: S3Client;

before(async () => {
  setting = await startSetting({ clock });
  lambda = setting.lambda;
  s3 = new S3Client(setting.server.client());
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  await allow("execution", ["lambda:InvokeFunction", "s3:PutObject", "s3:ListBucket"]);
});
after(async () => setting?.server.stop());

async function allow(RoleName: string, Action: readonly string[]): Promise<void> {
  const PolicyDocument = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action, Resource: "*" }],
  });
  await setting.iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "destinations", PolicyDocument }));
}

const arnOf = (name: string) => `arn:aws:lambda:us-east-1:${ACCOUNT}:function:${name}`;
const bucketArn = (name: string) => `arn:aws:s3:::${name}`;
const onSuccess = (Destination: string) => ({ OnSuccess: { Destination } });
const onFailure = (Destination: string) => ({ OnFailure: { Destination } });

const configure = (FunctionName: string, more: Partial<PutFunctionEventInvokeConfigCommandInput>) =>
  lambda.send(new PutFunctionEventInvokeConfigCommand({ FunctionName, ...more }));

/** Answers the request id. */
async function send(FunctionName: string, event: unknown): Promise<string> {
  const answer = await lambda.send(
    new InvokeCommand({ FunctionName, InvocationType: "Event", Payload: JSON.stringify(event) }),
  );
  return answer.$metadata.requestId ?? "";
}

interface InvocationRecord {
  readonly timestamp: string;
  readonly requestContext: { readonly approximateInvokeCount: number; readonly condition: string };
  readonly responsePayload?: { readonly errorType?: string };
}

/** The records that a sink has got, once there are as many; meanwhile the clock may go on. */
async function recordsOf(sink: string, count: number, stepMs = 0): Promise<InvocationRecord[]> {
  const logs = new CloudWatchLogsClient(setting.server.client());
  for (let tries = 0; tries < 600; tries++) {
    const found = await logs
      .send(new FilterLogEventsCommand({ logGroupName: `/aws/lambda/${sink}` }))
      .catch(() => undefined);
    const text = found?.events?.map((one) => one.message).join("") ?? "";
    const records = [...text.matchAll(/record (.*) end/g)].map((match) => match[1] ?? "");
    if (records.length >= count) return records.map((one) => JSON.parse(one) as InvocationRecord);
    if (stepMs > 0) await clock.advance(stepMs);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return assert.fail(`${sink} got no ${count} records`);
}

test("a successful event leaves its record with the function that OnSuccess names, and none with OnFailure's", async () => {
  const [worker, sink, other] = [
    await setting.create(WORKER),
    await setting.create(SINK),
    await setting.create(SINK),
  ];
  const answer = await configure(worker, {
    DestinationConfig: { ...onSuccess(arnOf(sink)), ...onFailure(arnOf(other)) },
  });
  assert.deepEqual(answer.DestinationConfig, { ...onSuccess(arnOf(sink)), ...onFailure(arnOf(other)) });
  const requestId = await send(worker, { n: 7 });
  const [record] = await recordsOf(sink, 1);
  const { timestamp, ...rest } = record ?? assert.fail();
  assert.match(timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.deepEqual(rest, {
    version: "1.0",
    requestContext: {
      requestId,
      functionArn: `${arnOf(worker)}:$LATEST`,
      condition: "Success",
      approximateInvokeCount: 1,
    },
    requestPayload: { n: 7 },
    responseContext: { statusCode: 200, executedVersion: "$LATEST" },
    responsePayload: { done: 7 },
  });
  await assert.rejects(recordsNow(other), { name: "ResourceNotFoundException" }, "the other one never ran");
});

async function recordsNow(name: string): Promise<void> {
  const logs = new CloudWatchLogsClient(setting.server.client());
  await logs.send(new FilterLogEventsCommand({ logGroupName: `/aws/lambda/${name}` }));
}

test("an event fails for good after its retries, one and two minutes later, and its record says how", async () => {
  const [worker, sink] = [await setting.create(WORKER), await setting.create(SINK)];
  await configure(worker, { DestinationConfig: onFailure(arnOf(sink)) });
  const began = clock.now();
  const requestId = await send(worker, { fail: "on purpose" });
  const [record] = await recordsOf(sink, 1, 5_000);
  const { timestamp, responsePayload, ...rest } = record ?? assert.fail();
  const tookMs = Date.parse(timestamp) - began;
  assert.ok(tookMs >= 180_000, `${tookMs} ms`);
  assert.deepEqual(rest, {
    version: "1.0",
    requestContext: {
      requestId,
      functionArn: `${arnOf(worker)}:$LATEST`,
      condition: "RetriesExhausted",
      approximateInvokeCount: 3,
    },
    requestPayload: { fail: "on purpose" },
    responseContext: { statusCode: 200, executedVersion: "$LATEST", functionError: "Unhandled" },
  });
  assert.equal(responsePayload?.errorType, "TypeError");
});

test("an alias has its own configuration: no retries, and an age that no retry would keep", async () => {
  const [worker, sink] = [await setting.create(WORKER), await setting.create(SINK)];
  await lambda.send(new PublishVersionCommand({ FunctionName: worker }));
  await lambda.send(new CreateAliasCommand({ FunctionName: worker, Name: "live", FunctionVersion: "1" }));
  const DestinationConfig = onFailure(arnOf(sink));
  await configure(worker, { Qualifier: "live", MaximumRetryAttempts: 0, DestinationConfig });
  await configure(worker, { Qualifier: "1", MaximumEventAgeInSeconds: 60, DestinationConfig });
  await send(`${worker}:live`, { fail: "at once" });
  await send(`${worker}:1`, { fail: "aged" });
  const records = await recordsOf(sink, 2);
  const contexts = records.map(({ requestContext }) => requestContext) as unknown as {
    functionArn: string;
    condition: string;
    approximateInvokeCount: number;
  }[];
  const byArn = new Map(contexts.map((one) => [one.functionArn, one]));
  assert.equal(byArn.get(`${arnOf(worker)}:live`)?.condition, "RetriesExhausted");
  assert.equal(byArn.get(`${arnOf(worker)}:1`)?.condition, "EventAgeExceeded");
  for (const { approximateInvokeCount } of contexts) assert.equal(approximateInvokeCount, 1);
});

test("an event bus gets an event for each record, whose type tells how it ended", async () => {
  const worker = await setting.create(WORKER);
  await allow("execution", ["lambda:InvokeFunction", "s3:PutObject", "s3:ListBucket", "events:PutEvents"]);
  const bus = `arn:aws:events:us-east-1:${ACCOUNT}:event-bus/default`;
  await configure(worker, {
    MaximumRetryAttempts: 0,
    DestinationConfig: { ...onSuccess(bus), ...onFailure(bus) },
  });
  const events = new EventBridgeClient(setting.server.client());
  const logs = new CloudWatchLogsClient(setting.server.client());
  const logGroupName = "/aws/events/records";
  await logs.send(new CreateLogGroupCommand({ logGroupName }));
  await openLogGroups(logs);
  await events.send(new PutRuleCommand({ Name: "records", EventPattern: '{"source":["lambda"]}' }));
  const Arn = `arn:aws:logs:us-east-1:${ACCOUNT}:log-group:${logGroupName}`;
  await events.send(new PutTargetsCommand({ Rule: "records", Targets: [{ Id: "l", Arn }] }));
  await send(worker, { n: 1 });
  await send(worker, { fail: "to the bus" });
  const found = new Map<string, { resources: string[]; detail: Record<string, object> }>();
  for (let tries = 0; found.size < 2; tries++) {
    assert.ok(tries < 600, "no events");
    await new Promise((resolve) => setTimeout(resolve, 50));
    const { events: told = [] } = await logs.send(new FilterLogEventsCommand({ logGroupName }));
    for (const { message = "" } of told) {
      const event = JSON.parse(message) as Record<string, string>;
      found.set(event["detail-type"] ?? "", event as never);
    }
  }
  const success = found.get("Lambda Function Invocation Result - Success");
  assert.deepEqual(success?.resources, [bus, `${arnOf(worker)}:$LATEST`]);
  assert.deepEqual(success?.detail["responsePayload"], { done: 1 });
  const failure = found.get("Lambda Function Invocation Result - Failure");
  assert.deepEqual(failure?.detail["requestPayload"], { fail: "to the bus" });
  await allow("execution", ["lambda:InvokeFunction", "s3:PutObject", "s3:ListBucket"]);
  for (const client of [events, logs]) client.destroy();
});

test("a bucket gets an object for each failed event, under AWS's key", async () => {
  const worker = await setting.create(WORKER);
  await configure(worker, {
    MaximumRetryAttempts: 0,
    DestinationConfig: onFailure(bucketArn(BUCKET)),
  });
  await send(worker, { fail: "to the bucket" });
  const Prefix = `aws/lambda/async/${worker}/`;
  for (let tries = 0; ; tries++) {
    const listed = await s3.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix }));
    const Key = listed.Contents?.[0]?.Key;
    if (Key === undefined) {
      assert.ok(tries < 600, "no object");
      await new Promise((resolve) => setTimeout(resolve, 100));
      continue;
    }
    assert.match(
      Key.slice(Prefix.length),
      /^\d{4}\/\d\d\/\d\d\/\d{4}-\d\d-\d\dT\d\d\.\d\d\.\d\d-[0-9a-f-]{36}$/,
    );
    const object = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
    const record = JSON.parse((await object.Body?.transformToString()) ?? "") as Record<string, unknown>;
    assert.equal(object.ContentType, "application/json");
    assert.deepEqual(record["requestPayload"], { fail: "to the bucket" });
    return;
  }
});

test("a record that is too large for its destination goes without the payloads", async () => {
  const [worker, sink] = [await setting.create(WORKER), await setting.create(SINK)];
  await configure(worker, { DestinationConfig: onSuccess(arnOf(sink)) });
  await send(worker, { size: 1_048_576 });
  const [record] = await recordsOf(sink, 1);
  const { timestamp: _, requestContext, ...rest } = record ?? assert.fail();
  assert.equal(requestContext.condition, "Success");
  assert.deepEqual(rest, {
    version: "1.0",
    responseContext: { statusCode: 200, executedVersion: "$LATEST" },
  });
});

test("PutFunctionEventInvokeConfig refuses destinations that could not take a record, each with the reason", async () => {
  const worker = await setting.create(WORKER);
  const sink = await setting.create(SINK);
  const refused = (DestinationConfig: object, message: RegExp, name = "InvalidParameterValueException") =>
    assert.rejects(configure(worker, { DestinationConfig }), { name, message });
  await refused(onSuccess(`arn:aws:sns:us-east-1:${ACCOUNT}:t`), /there is no such topic/);
  await refused(
    onFailure(`arn:aws:events:us-east-1:${ACCOUNT}:event-bus/nothing`),
    /there is no such event bus/,
  );
  await refused(
    onFailure(`arn:aws:events:us-east-1:${ACCOUNT}:event-bus/default`),
    /does not have permissions to call PutEvents/,
  );
  await refused(onSuccess(bucketArn(BUCKET)), /successful invocations are not delivered/);
  await refused(onFailure(bucketArn("nowhere")), /there is no such bucket/);
  await refused(onFailure(arnOf("nobody")), /there is no such function/);
  await refused(onFailure(`${arnOf(sink)}:nowhere`), /there is no such function/);
  await refused(
    onFailure(`arn:aws:lambda:eu-west-1:${ACCOUNT}:function:${sink}`),
    /no function of this region/,
  );
  await refused(onFailure(arnOf(worker)), /can't specify the function as a destination for itself/);
  await refused(onFailure(`arn:aws:dynamodb:us-east-1:${ACCOUNT}:table/t`), /is invalid/);
  const Role = await makeRole(setting.iam, "without-permissions");
  const poor = await setting.create(WORKER, { Role });
  for (const [arn, action] of [
    [arnOf(sink), "InvokeFunction"],
    [bucketArn(BUCKET), "s3:PutObject"],
  ] as const)
    await assert.rejects(configure(poor, { DestinationConfig: onFailure(arn) }), {
      name: "InvalidParameterValueException",
      message: new RegExp(
        `the execution role ${Role} of ${arnOf(poor)} does not have permissions to call ${action}`,
      ),
    });
});

test("UpdateFunctionEventInvokeConfig changes one destination and leaves the other; an empty one is cleared", async () => {
  const [worker, sink, other] = [
    await setting.create(WORKER),
    await setting.create(SINK),
    await setting.create(SINK),
  ];
  const update = (DestinationConfig: object) =>
    lambda.send(new UpdateFunctionEventInvokeConfigCommand({ FunctionName: worker, DestinationConfig }));
  await configure(worker, { MaximumRetryAttempts: 1, DestinationConfig: onSuccess(arnOf(sink)) });
  const both = await update(onFailure(arnOf(other)));
  assert.deepEqual(both.DestinationConfig, { ...onSuccess(arnOf(sink)), ...onFailure(arnOf(other)) });
  await update(onSuccess(""));
  const kept = await lambda.send(new GetFunctionEventInvokeConfigCommand({ FunctionName: worker }));
  assert.deepEqual(kept.DestinationConfig, { OnSuccess: {}, ...onFailure(arnOf(other)) });
  assert.equal(kept.MaximumRetryAttempts, 1);
});

test("a function whose reserved concurrency is 0 is given up at once, without a run", async () => {
  const [worker, sink] = [await setting.create(WORKER), await setting.create(SINK)];
  await configure(worker, { DestinationConfig: onFailure(arnOf(sink)) });
  await lambda.send(
    new PutFunctionConcurrencyCommand({ FunctionName: worker, ReservedConcurrentExecutions: 0 }),
  );
  await send(worker, { n: 1 });
  const [record] = await recordsOf(sink, 1);
  const { timestamp: _, requestContext, ...rest } = record ?? assert.fail();
  assert.deepEqual(
    [requestContext.condition, requestContext.approximateInvokeCount],
    ["RetriesExhausted", 0],
  );
  assert.deepEqual(rest, { version: "1.0", requestPayload: { n: 1 } }, "there is no response");
  const metrics = await metricsOf(worker);
  assert.equal(metrics.get("aws_lambda_async_events_received_total"), 1);
  assert.equal(metrics.get("aws_lambda_async_events_dropped_total"), 1);
  assert.equal(metrics.get("aws_lambda_invocations_total"), undefined);
});

/** The values of a function's metrics, by their names in Prometheus. */
async function metricsOf(name: string): Promise<Map<string, number>> {
  const text = await (await fetch(`${setting.server.endpoint}/_lambent/metrics`)).text();
  const lines = text.split("\n").filter((line) => line.includes(`resource="${name}"`));
  return new Map(lines.map((line) => [line.split("{")[0] ?? "", Number(line.split(" ").at(-1))]));
}

test("a role that may no longer write to the bucket costs the record, and is counted", async () => {
  const Role = await makeRole(setting.iam, "withdrawn");
  await allow("withdrawn", ["s3:PutObject", "s3:ListBucket"]);
  const worker = await setting.create(WORKER, { Role });
  await configure(worker, { MaximumRetryAttempts: 0, DestinationConfig: onFailure(bucketArn(BUCKET)) });
  await allow("withdrawn", ["s3:ListBucket"]);
  await send(worker, { fail: "unheard" });
  while (!(await metricsOf(worker)).has(FAILURES)) await new Promise((resolve) => setTimeout(resolve, 50));
  const Prefix = `aws/lambda/async/${worker}/`;
  assert.equal((await s3.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix }))).KeyCount, 0);
});

test("a bucket whose policy denies the role costs the record, and is counted", async () => {
  const Bucket = "closed-to-records";
  await s3.send(new CreateBucketCommand({ Bucket }));
  const Statement = {
    Effect: "Deny",
    Principal: { AWS: setting.role },
    Action: "s3:PutObject",
    Resource: `${bucketArn(Bucket)}/*`,
  };
  await s3.send(new PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify({ Statement }) }));
  const worker = await setting.create(WORKER);
  await configure(worker, { MaximumRetryAttempts: 0, DestinationConfig: onFailure(bucketArn(Bucket)) });
  await send(worker, { fail: "unheard" });
  while (!(await metricsOf(worker)).has(FAILURES)) await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal((await s3.send(new ListObjectsV2Command({ Bucket }))).KeyCount, 0);
});

test("a destination that is gone costs its record and nothing else", async () => {
  const [worker, gone, sink] = [
    await setting.create(WORKER),
    await setting.create(SINK),
    await setting.create(SINK),
  ];
  await configure(worker, { MaximumRetryAttempts: 0, DestinationConfig: onFailure(arnOf(gone)) });
  await lambda.send(new DeleteFunctionCommand({ FunctionName: gone }));
  await send(worker, { fail: "into the void" });
  while (!(await metricsOf(worker)).has(FAILURES)) await new Promise((resolve) => setTimeout(resolve, 50));
  await configure(worker, { MaximumRetryAttempts: 0, DestinationConfig: onFailure(arnOf(sink)) });
  await send(worker, { fail: "then well" });
  const [record] = await recordsOf(sink, 1);
  assert.equal(record?.requestContext.condition, "RetriesExhausted");
  const metrics = await metricsOf(worker);
  assert.equal(metrics.get(FAILURES), 1);
  assert.equal(metrics.get("aws_lambda_async_events_dropped_total"), 2);
  assert.equal(metrics.get("aws_lambda_async_event_age_milliseconds_count"), 2);
});
