/** EventBridge Scheduler's invocations: when they come, what targets get, and what becomes of those that fail. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  CreateStreamCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
} from "@aws-sdk/client-kinesis";
import { CreateTopicCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from "@aws-sdk/client-eventbridge";
import { SetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import { GetScheduleCommand, ListSchedulesCommand, UpdateScheduleCommand } from "@aws-sdk/client-scheduler";
import type { Target } from "@aws-sdk/client-scheduler";
import { GetFunctionConfigurationCommand, PutFunctionEventInvokeConfigCommand } from "@aws-sdk/client-lambda";
import { deployFunction } from "../harness/functions.ts";
import {
  HOUR_MS,
  MINUTE_MS,
  atTime,
  schedulerRole,
  setTrust,
  startScheduler,
  trustOf,
} from "../harness/scheduler.ts";
import type { SchedulerSetting } from "../harness/scheduler.ts";
import type { TestQueue } from "../harness/sqs.ts";

/** Seconds that a test waits for what is on its way. */
const WaitTimeSeconds = 10;
const OFF = { FlexibleTimeWindow: { Mode: "OFF" as const } };

let setting: SchedulerSetting;
before(async () => {
  setting = await startScheduler();
});
after(() => setting.stop());

/** Messages of a queue in the order in which their schedules come; each is deleted. */
async function bodies(queue: TestQueue, count: number): Promise<string[]> {
  const found: string[] = [];
  while (found.length < count) {
    const messages = await queue.receive({ WaitTimeSeconds });
    if (messages.length === 0) break;
    found.push(...messages.map(({ Body = "" }) => Body));
    await queue.delete(...messages);
  }
  return found.sort();
}

/** Lets a service send to a queue for one resource. */
function sendPolicy(service: string, queueArn: string, sourceArn: string): string {
  const Condition = { ArnEquals: { "aws:SourceArn": sourceArn } };
  const grant = { Effect: "Allow", Principal: { Service: service }, Action: "sqs:SendMessage" };
  return JSON.stringify({ Version: "2012-10-17", Statement: [{ ...grant, Resource: queueArn, Condition }] });
}

async function nothing(queue: TestQueue): Promise<void> {
  assert.deepEqual(await queue.bodies(), []);
}

/** What a test's schedules are told, so that a later one finds nothing due. */
async function stopSchedule(Name: string, target: Target): Promise<void> {
  const { client } = setting;
  const { ScheduleExpression } = await client.send(new GetScheduleCommand({ Name }));
  const input = { Name, ScheduleExpression, Target: target, State: "DISABLED" as const, ...OFF };
  await client.send(new UpdateScheduleCommand(input));
}

test("a rate invokes at once, then at each of its times; context attributes tell of the invocation", async () => {
  const queue = await setting.queue();
  const Input =
    "<aws.scheduler.scheduled-time> <aws.scheduler.schedule-arn> <aws.scheduler.execution-id> <aws.scheduler.attempt-number>";
  const name = await setting.create("rate(1 minutes)", { Arn: queue.arn, Input });
  const [first = ""] = await bodies(queue, 1);
  const [time = "", arn, id, attempt] = first.split(" ");
  assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.equal(arn, `arn:aws:scheduler:us-east-1:000000000000:schedule/default/${name}`);
  assert.match(id ?? "", /^[0-9a-f]{16}$/);
  assert.equal(attempt, "1");
  await setting.advance(5 * MINUTE_MS);
  const times = (await bodies(queue, 5)).map((body) => Date.parse(body.split(" ")[0] ?? ""));
  assert.deepEqual(
    times.map((at) => (at - Date.parse(time)) / MINUTE_MS),
    [1, 2, 3, 4, 5],
  );
  await stopSchedule(name, { Arn: queue.arn, RoleArn: setting.role });
  await setting.advance(5 * MINUTE_MS);
  await nothing(queue);
});

test("at() comes once; ActionAfterCompletion deletes the schedule with it, or leaves it", async () => {
  const queue = await setting.queue();
  const at = (await setting.now()) + HOUR_MS;
  const target = (Input: string) => ({ Arn: queue.arn, Input });
  await setting.create(atTime(at), target("deleted"), { Name: "deleted", ActionAfterCompletion: "DELETE" });
  await setting.create(atTime(at), target("kept"), { Name: "kept" });
  await setting.create(atTime(at), target("off"), { Name: "off", State: "DISABLED" });
  await setting.advance(HOUR_MS - 5_000);
  await nothing(queue);
  await setting.advance(10_000);
  assert.deepEqual(await bodies(queue, 2), ["deleted", "kept"]);
  const { Schedules = [] } = await setting.client.send(new ListSchedulesCommand({}));
  const names = Schedules.map(({ Name }) => Name);
  assert.deepEqual(
    ["deleted", "kept", "off"].filter((name) => names.includes(name)),
    ["kept", "off"],
  );
  await setting.advance(24 * HOUR_MS);
  await nothing(queue);
});

test("cron comes in its time zone, between StartDate and EndDate; a flexible window bounds how late", async () => {
  const queue = await setting.queue();
  const day = Math.ceil((await setting.now()) / (24 * HOUR_MS)) * 24 * HOUR_MS;
  await setting.create(
    "cron(30 9 * * ? *)",
    { Arn: queue.arn, Input: "<aws.scheduler.scheduled-time>" },
    {
      ScheduleExpressionTimezone: "Asia/Kolkata",
      StartDate: new Date(day + 24 * HOUR_MS),
      EndDate: new Date(day + 72 * HOUR_MS),
      FlexibleTimeWindow: { Mode: "FLEXIBLE", MaximumWindowInMinutes: 60 },
    },
  );
  await setting.advance(day + 28 * HOUR_MS - 1_000 - (await setting.now()));
  await nothing(queue);
  await setting.advance(72 * HOUR_MS);
  const time = (days: number) =>
    new Date(day + days * 24 * HOUR_MS + 4 * HOUR_MS).toISOString().replace(".000", "");
  assert.deepEqual(await bodies(queue, 2), [time(1), time(2)]);
});

test("targets: a notification without Input, a FIFO queue, a stream, a function, an operation by its name", async () => {
  const [queue, fifo] = [
    await setting.queue(),
    await setting.queue({ FifoQueue: "true", ContentBasedDeduplication: "true" }),
  ];
  const options = setting.server.client();
  const kinesis = new KinesisClient(options);
  await kinesis.send(new CreateStreamCommand({ StreamName: "s", ShardCount: 1 }));
  const at = atTime((await setting.now()) + HOUR_MS);
  const name = await setting.create(at, { Arn: queue.arn });
  await setting.create(at, { Arn: fifo.arn, Input: "ordered", SqsParameters: { MessageGroupId: "g" } });
  const stream = "arn:aws:kinesis:us-east-1:000000000000:stream/s";
  await setting.create(at, { Arn: stream, Input: "record", KinesisParameters: { PartitionKey: "k" } });
  const tellers = await setting.queue();
  await setTrust(setting.iam, "scheduler", trustOf(["scheduler.amazonaws.com", "lambda.amazonaws.com"]));
  const code = "export const handler = async (event) => event;";
  const lambda = await deployFunction(options, "echo", { "index.mjs": code }, { Role: setting.role });
  const results = await setting.queue();
  const DestinationConfig = { OnSuccess: { Destination: results.arn } };
  await lambda.send(new PutFunctionEventInvokeConfigCommand({ FunctionName: "echo", DestinationConfig }));
  const { FunctionArn = "" } = await lambda.send(
    new GetFunctionConfigurationCommand({ FunctionName: "echo" }),
  );
  await setting.create(at, { Arn: FunctionArn, Input: '{"from":"schedule"}' });
  const universal = "arn:aws:scheduler:::aws-sdk:sqs:sendMessage";
  const attributes = { kind: { DataType: "String", StringValue: "universal" } };
  const message = { QueueUrl: tellers.url, MessageBody: "at <aws.scheduler.attempt-number>" };
  await setting.create(at, {
    Arn: universal,
    Input: JSON.stringify({ ...message, MessageAttributes: attributes }),
  });
  await setting.advance(HOUR_MS);
  const [notification = "{}"] = await bodies(queue, 1);
  const { id, time, ...told } = JSON.parse(notification) as Record<string, string>;
  assert.match(id ?? "", /^[0-9a-f]{16}$/);
  assert.equal(at, `at(${time?.slice(0, -1)})`);
  assert.deepEqual(told, {
    version: "0",
    "detail-type": "Scheduled Event",
    source: "aws.scheduler",
    account: "000000000000",
    region: "us-east-1",
    resources: [`arn:aws:scheduler:us-east-1:000000000000:schedule/default/${name}`],
    detail: "{}",
  });
  const [ordered] = await fifo.receive({ WaitTimeSeconds });
  assert.deepEqual([ordered?.Body, ordered?.Attributes?.MessageGroupId], ["ordered", "g"]);
  const { Shards: [shard] = [] } = await kinesis.send(new ListShardsCommand({ StreamName: "s" }));
  const begin = { StreamName: "s", ShardId: shard?.ShardId, ShardIteratorType: "TRIM_HORIZON" as const };
  const { ShardIterator } = await kinesis.send(new GetShardIteratorCommand(begin));
  const { Records: [record] = [] } = await kinesis.send(new GetRecordsCommand({ ShardIterator }));
  assert.deepEqual([Buffer.from(record?.Data ?? []).toString(), record?.PartitionKey], ["record", "k"]);
  const [result = "{}"] = await bodies(results, 1);
  const { requestPayload } = JSON.parse(result) as { requestPayload?: unknown };
  assert.deepEqual(requestPayload, { from: "schedule" });
  const [sent] = await tellers.receive({ WaitTimeSeconds });
  assert.deepEqual([sent?.Body, sent?.MessageAttributes?.["kind"]?.StringValue], ["at 1", "universal"]);
});

test("topics and event buses, by their ARN and by the operation that takes it", async () => {
  const options = setting.server.client();
  const [published, matched] = [await setting.queue(), await setting.queue()];
  const sns = new SNSClient(options);
  const { TopicArn = "" } = await sns.send(new CreateTopicCommand({ Name: "t" }));
  const events = new EventBridgeClient(options);
  const EventPattern = JSON.stringify({ source: ["my.schedules"] });
  await events.send(new PutRuleCommand({ Name: "r", EventPattern }));
  for (const [queue, service, arn] of [
    [published, "sns.amazonaws.com", TopicArn],
    [matched, "events.amazonaws.com", "arn:aws:events:us-east-1:000000000000:rule/r"],
  ] as const)
    await setting.sqs.send(
      new SetQueueAttributesCommand({
        QueueUrl: queue.url,
        Attributes: { Policy: sendPolicy(service, queue.arn, arn) },
      }),
    );
  const Attributes = { RawMessageDelivery: "true" };
  await sns.send(new SubscribeCommand({ TopicArn, Protocol: "sqs", Endpoint: published.arn, Attributes }));
  await events.send(new PutTargetsCommand({ Rule: "r", Targets: [{ Id: "q", Arn: matched.arn }] }));
  const at = atTime((await setting.now()) + HOUR_MS);
  const universal = (operation: string, input: object) =>
    setting.create(at, { Arn: `arn:aws:scheduler:::aws-sdk:${operation}`, Input: JSON.stringify(input) });
  await setting.create(at, { Arn: TopicArn, Input: "by ARN" });
  await universal("sns:publish", { TopicArn, Message: "by operation" });
  const EventBridgeParameters = { Source: "my.schedules", DetailType: "due" };
  const bus = "arn:aws:events:us-east-1:000000000000:event-bus/default";
  await setting.create(at, { Arn: bus, Input: '{"by":"ARN"}', EventBridgeParameters });
  const entry = { Source: "my.schedules", DetailType: "due", Detail: '{"by":"operation"}' };
  await universal("eventbridge:putEvents", { Entries: [entry] });
  await setting.advance(HOUR_MS);
  assert.deepEqual(await bodies(published, 2), ["by ARN", "by operation"]);
  const details = (await bodies(matched, 2)).map((body) => {
    const event = JSON.parse(body) as Record<string, unknown>;
    assert.deepEqual([event["source"], event["detail-type"]], ["my.schedules", "due"]);
    return event["detail"] as { by: string };
  });
  assert.deepEqual(details.map(({ by }) => by).sort(), ["ARN", "operation"]);
});

test("what a target refuses goes to the dead-letter queue, as the role, with AWS's attributes", async () => {
  const dead = await setting.queue();
  const missing = "arn:aws:sqs:us-east-1:000000000000:missing";
  const DeadLetterConfig = { Arn: dead.arn };
  const target = await setting.queue();
  const only = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "sqs:SendMessage", Resource: dead.arn }],
  });
  const RoleArn = await schedulerRole(setting.server.client(), "narrow", only);
  const letter = async () => {
    const [message] = await dead.receive({ WaitTimeSeconds });
    if (message) await dead.delete(message);
    const { MessageAttributes: attributes = {}, Body: body = "" } = message ?? {};
    const told = Object.entries(attributes).map(([key, { StringValue = "" }]) => [key, StringValue]);
    return Object.fromEntries([...told, ["body", body]]) as Record<string, string>;
  };
  const soon = async () => atTime((await setting.now()) + 2_000);
  const name = await setting.create(await soon(), { Arn: missing, Input: "lost", DeadLetterConfig });
  await setting.advance(5_000);
  const { EXECUTION_ID: id, SCHEDULED_TIME: time, ERROR_MESSAGE: message, ...lost } = await letter();
  assert.match(String(id), /^[0-9a-f]{16}$/);
  assert.match(String(time), /^\d{4}-.*Z$/);
  assert.match(String(message), /no such queue/);
  assert.deepEqual(lost, {
    body: "lost",
    ERROR_CODE: "AWS.SimpleQueueService.NonExistentQueue",
    IS_PAYLOAD_TRUNCATED: "false",
    RETRY_ATTEMPTS: "0",
    SCHEDULE_ARN: `arn:aws:scheduler:us-east-1:000000000000:schedule/default/${name}`,
    TARGET_ARN: missing,
  });
  await setting.create(await soon(), { Arn: target.arn, Input: "denied", DeadLetterConfig, RoleArn });
  await setting.advance(5_000);
  const denied = await letter();
  assert.deepEqual([denied.body, denied["ERROR_CODE"]], ["denied", "AccessDeniedException"]);
  // A role that no longer trusts the service is no longer acted for: not for the target, and not for dead letters.
  await setting.create(await soon(), { Arn: dead.arn, Input: "untrusted", RoleArn });
  await setTrust(setting.iam, "narrow", trustOf("lambda.amazonaws.com"));
  await setting.advance(5_000);
  await nothing(target);
  assert.equal((await dead.receive({ WaitTimeSeconds: 1 })).length, 0);
  const metrics = await (await fetch(`${setting.server.endpoint}/_lambent/metrics`)).text();
  assert.match(metrics, /aws_scheduler_invocations_sent_to_dead_letter_count\w*\{[^}]*\} 2/);
  assert.match(metrics, /aws_scheduler_invocation_dropped_count\w*\{[^}]*\} 3/);
});
