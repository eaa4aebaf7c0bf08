/** PutEvents: what is taken, what it becomes, and how it reaches each kind of target, or its dead-letter queue. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  FilterLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import {
  CreateEventBusCommand,
  DisableRuleCommand,
  EventBridgeClient,
  PutEventsCommand,
  PutPermissionCommand,
  PutRuleCommand,
  PutTargetsCommand,
} from "@aws-sdk/client-eventbridge";
import type { PutEventsRequestEntry } from "@aws-sdk/client-eventbridge";
import { CreateStreamCommand, GetRecordsCommand, KinesisClient } from "@aws-sdk/client-kinesis";
import { AddPermissionCommand } from "@aws-sdk/client-lambda";
import {
  CreateTopicCommand,
  SNSClient,
  SetTopicAttributesCommand,
  SubscribeCommand,
} from "@aws-sdk/client-sns";
import { SetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import { deployFunction } from "../harness/functions.ts";
import { changeWhilePutting, openLogGroups, refusal, startEvents } from "../harness/eventbridge.ts";
import type { EventSetting } from "../harness/eventbridge.ts";
import { iteratorOf } from "../harness/kinesis.ts";

let setting: EventSetting;
let client: EventBridgeClient;
before(async () => {
  setting = await startEvents();
  ({ client } = setting);
});
after(() => setting.stop());

const ACCOUNT = "000000000000";
const ALL = '{"source":[{"exists":true}]}';
const put = (...Entries: PutEventsRequestEntry[]) => client.send(new PutEventsCommand({ Entries }));
const entry = { Source: "test.app", DetailType: "Tested", Detail: "{}" };

test("PutEvents: the event in AWS's envelope, on the queue when it is answered", async () => {
  const queue = await setting.queue();
  await setting.rule({ EventPattern: '{"source":["whole"]}' }, { Arn: queue.arn });
  const Time = new Date("2026-01-02T03:04:05.678Z");
  const [id] = await setting.put(
    { Source: "whole", Time, Resources: ["arn:x"], Detail: '{ "n": 1.0, "big": 12345678901234567890 }' },
    { Source: "other" },
  );
  const [message, ...more] = await queue.receive();
  assert.equal(
    message?.Body,
    `{"version":"0","id":"${id}","detail-type":"Tested","source":"whole","account":"${ACCOUNT}",` +
      `"time":"2026-01-02T03:04:05Z","region":"us-east-1","resources":["arn:x"],"detail":{"n":1.0,"big":12345678901234567890}}`,
  );
  assert.equal(more.length, 0);
});

test("PutEvents: entries fail each by itself, in AWS's words", async () => {
  const required = (name: string) =>
    `Parameter ${name} is not valid. Reason: ${name} is a required argument.`;
  const { Source, DetailType, Detail } = entry;
  const answer = await put(
    entry,
    { DetailType, Detail },
    { Source, Detail },
    { Source, DetailType },
    { ...entry, Detail: "text" },
    { ...entry, Detail: "[]" },
    { ...entry, Detail: '"{}"' },
    { ...entry, Source: "aws.s3" },
    { ...entry, EventBusName: "nothing" },
  );
  assert.equal(answer.FailedEntryCount, 7);
  const said = answer.Entries?.map(({ EventId, ErrorCode, ErrorMessage }) =>
    EventId ? "taken" : `${ErrorCode}: ${ErrorMessage}`,
  );
  assert.deepEqual(said, [
    "taken",
    `InvalidArgument: ${required("Source")}`,
    `InvalidArgument: ${required("DetailType")}`,
    `InvalidArgument: ${required("Detail")}`,
    "MalformedDetail: Detail is malformed.",
    "MalformedDetail: Detail is malformed.",
    "MalformedDetail: Detail is malformed.",
    "NotAuthorizedForSourceException: Not authorized for the source.",
    "taken",
  ]);
});

test("PutEvents: ten entries and a megabyte at most, and no global endpoint", async () => {
  const many = Array.from({ length: 11 }, () => entry);
  assert.match(
    await refusal(put(...many)),
    /^ValidationException: .*'entries' failed to satisfy.*less than or equal to 10/s,
  );
  assert.match(await refusal(put()), /^ValidationException: .*'entries' failed to satisfy/);
  const Detail = JSON.stringify({ a: "x".repeat(600_000) });
  assert.equal(
    await refusal(put({ ...entry, Detail }, { ...entry, Detail })),
    "ValidationException: Total size of the entries in the request is over the limit.",
  );
  assert.equal((await put({ ...entry, Detail })).FailedEntryCount, 0);
  // The SDK signs such requests in a way that it has no code for.
  const endpoint = await fetch(setting.server.endpoint, {
    method: "POST",
    headers: { "content-type": "application/x-amz-json-1.1", "x-amz-target": "AWSEvents.PutEvents" },
    body: JSON.stringify({ Entries: [entry], EndpointId: "abc.xyz" }),
  });
  assert.equal(endpoint.status, 501);
  assert.match(await endpoint.text(), /global endpoints \(EndpointId abc\.xyz\)/);
});

test("a rule's changes hold from the next event on: its pattern, its state, its targets", async () => {
  const [one, other] = [await setting.queue(), await setting.queue()];
  const EventBusName = await setting.bus();
  const Name = await setting.rule({ EventBusName, EventPattern: '{"detail":{"k":[1]}}' }, { Arn: one.arn });
  const Detail = '{"k":1}';
  await setting.put({ EventBusName, Detail }, { EventBusName, Detail: '{"k":2}' }, { Detail });
  await client.send(new PutRuleCommand({ Name, EventBusName, EventPattern: '{"detail":{"k":[2]}}' }));
  await setting.put({ EventBusName, Detail }, { EventBusName, Detail: '{"k":2}' });
  await client.send(
    new PutTargetsCommand({ Rule: Name, EventBusName, Targets: [{ Id: "t0", Arn: other.arn }] }),
  );
  await setting.put({ EventBusName, Detail: '{"k":2}' });
  await client.send(new DisableRuleCommand({ Name, EventBusName }));
  await setting.put({ EventBusName, Detail: '{"k":2}' });
  const details = async (queue: typeof one) =>
    (await queue.bodies()).map((body) => (JSON.parse(body) as { detail: { k: number } }).detail.k);
  assert.deepEqual(await details(one), [1, 2]);
  assert.deepEqual(await details(other), [2]);
});

test("a rule's changes hold from the next event on, while others put events too", async () => {
  assert.deepEqual(await changeWhilePutting(setting, 10), [...Array(10).keys()]);
});

test("inputs, input paths and input transformers make what targets get; FIFO queues get it in order", async () => {
  const [queue, fifo] = [
    await setting.queue(),
    await setting.queue({ FifoQueue: "true", ContentBasedDeduplication: "true" }),
  ];
  const EventBusName = await setting.bus();
  const Name = await setting.rule(
    { EventBusName, EventPattern: ALL },
    { Arn: queue.arn, Input: '{"constant":true}' },
    { Arn: queue.arn, InputPath: "$.detail.order" },
    {
      Arn: queue.arn,
      InputTransformer: {
        InputPathsMap: { order: "$.detail.order", n: "$.detail.n" },
        InputTemplate: '{"rule": <aws.events.rule-name>, "order": <order>, "text": "n=<n>"}',
      },
    },
    { Arn: fifo.arn, SqsParameters: { MessageGroupId: "$.detail.order.id" }, InputPath: "$.detail.n" },
  );
  for (const n of [1, 2, 3]) await setting.put({ EventBusName, Detail: `{"order":{"id":"a"},"n":${n}}` });
  const bodies = await queue.bodies();
  assert.deepEqual(bodies.slice(0, 3), [
    '{"constant":true}',
    '{"id":"a"}',
    `{"rule": "${Name}", "order": {"id":"a"}, "text": "n=1"}`,
  ]);
  assert.equal(bodies.length, 9);
  const inOrder = await fifo.receive();
  assert.deepEqual(
    inOrder.map(({ Body, Attributes }) => [Body, Attributes?.["MessageGroupId"]]),
    ["1", "2", "3"].map((n) => [n, "a"]),
  );
});

test("buses as targets: the whole event goes on to a second bus, with a role or within the account, and to no third", async () => {
  const [first, second, third] = [await setting.bus(), await setting.bus(), await setting.bus()];
  const arn = (name: string) => `arn:aws:events:us-east-1:${ACCOUNT}:event-bus/${name}`;
  const [queue, last, letters] = [await setting.queue(), await setting.queue(), await setting.queue()];
  const RoleArn = await setting.role("put-events", "events:PutEvents", arn(second));
  await setting.rule(
    { EventBusName: first, EventPattern: '{"detail":{"by":["account"]}}' },
    { Arn: arn(second) },
  );
  await setting.rule(
    { EventBusName: first, EventPattern: '{"detail":{"by":["role"]}}' },
    { Arn: arn(second), RoleArn },
  );
  await setting.rule(
    { EventBusName: second, EventPattern: ALL },
    { Arn: queue.arn },
    { Arn: arn(first) },
    { Arn: arn(third), DeadLetterConfig: { Arn: letters.arn } },
  );
  await setting.rule({ EventBusName: third, EventPattern: ALL }, { Arn: last.arn });
  const ids = await setting.put(
    { EventBusName: first, Detail: '{"by":"account"}' },
    { EventBusName: first, Detail: '{"by":"role"}' },
  );
  const seen: string[] = [];
  while (seen.length < 2)
    seen.push(
      ...(await queue.bodies({ WaitTimeSeconds: 5 })).map((body) => (JSON.parse(body) as { id: string }).id),
    );
  assert.deepEqual(seen.sort(), ids.sort());
  assert.deepEqual(await last.bodies(), []);
  const refused = (await letters.receive()).map(
    ({ MessageAttributes: told = {} }) =>
      `${told["ERROR_CODE"]?.StringValue}: ${told["ERROR_MESSAGE"]?.StringValue}`,
  );
  assert.deepEqual(
    new Set(refused),
    new Set(
      ids.map(
        (id) =>
          `THIRD_ACCOUNT_HOP_DETECTED: Event ingestion rejected for event ${id} because an event can be sent to an event bus target only once. ` +
          "This event was previously delivered to an event bus target.",
      ),
    ),
  );
});

test("another account's bus needs a role and lets events in by its policy; they keep their account", async () => {
  const other = new EventBridgeClient(setting.server.client({ account: "222222222222" }));
  await other.send(new CreateEventBusCommand({ Name: "theirs" }));
  const busArn = "arn:aws:events:us-east-1:222222222222:event-bus/theirs";
  const letters = await setting.queue();
  const EventBusName = await setting.bus();
  const Rule = await setting.rule({ EventBusName, EventPattern: ALL });
  const target = { Id: "t", Arn: busArn, DeadLetterConfig: { Arn: letters.arn } };
  const putTargets = (RoleArn?: string) =>
    client.send(new PutTargetsCommand({ Rule, EventBusName, Targets: [{ ...target, RoleArn }] }));
  assert.equal(await refusal(putTargets()), `ValidationException: RoleArn is required for target ${busArn}.`);
  await putTargets(await setting.role("cross", "events:PutEvents"));
  await setting.put({ EventBusName });
  const [letter] = await letters.receive({ WaitTimeSeconds: 5 });
  assert.equal(letter?.MessageAttributes?.["ERROR_CODE"]?.StringValue, "NO_PERMISSIONS");
  await other.send(
    new PutPermissionCommand({
      EventBusName: "theirs",
      Action: "events:PutEvents",
      Principal: ACCOUNT,
      StatementId: "s",
    }),
  );
  await other.send(
    new PutRuleCommand({ Name: "r", EventBusName: "theirs", EventPattern: `{"account":["${ACCOUNT}"]}` }),
  );
  const logs = new CloudWatchLogsClient(setting.server.client({ account: "222222222222" }));
  await logs.send(new CreateLogGroupCommand({ logGroupName: "/aws/events/theirs" }));
  await openLogGroups(logs);
  const Arn = "arn:aws:logs:us-east-1:222222222222:log-group:/aws/events/theirs";
  await other.send(new PutTargetsCommand({ Rule: "r", EventBusName: "theirs", Targets: [{ Id: "l", Arn }] }));
  const [id = ""] = await setting.put({ EventBusName });
  let found: string | undefined;
  for (let tries = 0; found === undefined && tries < 100; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    const { events = [] } = await logs.send(
      new FilterLogEventsCommand({ logGroupName: "/aws/events/theirs" }),
    );
    found = events[0]?.message;
  }
  assert.match(found ?? "", new RegExp(`"id":"${id}".*"account":"${ACCOUNT}"`));
  for (const one of [other, logs]) one.destroy();
});

test("topics as targets: by the topic's policy", async () => {
  const sns = new SNSClient(setting.server.client());
  const { TopicArn = "" } = await sns.send(new CreateTopicCommand({ Name: "from-events" }));
  const [queue, letters] = [await setting.queue({}, false), await setting.queue()];
  const allow = (Service: string, Action: string, Resource: string) =>
    JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Principal: { Service }, Action, Resource }],
    });
  const Policy = allow("sns.amazonaws.com", "sqs:SendMessage", queue.arn);
  await setting.sqs.send(new SetQueueAttributesCommand({ QueueUrl: queue.url, Attributes: { Policy } }));
  const Attributes = { RawMessageDelivery: "true" };
  await sns.send(new SubscribeCommand({ TopicArn, Protocol: "sqs", Endpoint: queue.arn, Attributes }));
  const EventBusName = await setting.bus();
  const target = { Arn: TopicArn, InputPath: "$.detail.text", DeadLetterConfig: { Arn: letters.arn } };
  await setting.rule({ EventBusName, EventPattern: ALL }, target);
  await setting.put({ EventBusName, Detail: '{"text":"early"}' });
  assert.equal(
    (await letters.receive())[0]?.MessageAttributes?.["ERROR_CODE"]?.StringValue,
    "NO_PERMISSIONS",
  );
  await sns.send(
    new SetTopicAttributesCommand({
      TopicArn,
      AttributeName: "Policy",
      AttributeValue: allow("events.amazonaws.com", "sns:Publish", TopicArn),
    }),
  );
  await setting.put({ EventBusName, Detail: '{"text":"hello"}' });
  assert.deepEqual(await queue.bodies(), ['"hello"']);
  sns.destroy();
});

test("functions and streams as targets: by the function's policy, and by the role", async () => {
  const options = setting.server.client();
  const queue = await setting.queue();
  const code = 'export const handler = (event) => console.log("got " + event.detail.n);';
  const lambda = await deployFunction(options, "on-event", { "index.mjs": code });
  const EventBusName = await setting.bus();
  const kinesis = new KinesisClient(options);
  await kinesis.send(new CreateStreamCommand({ StreamName: "events", ShardCount: 1 }));
  const iterator = await iteratorOf(kinesis, "events", "TRIM_HORIZON");
  const functionArn = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:on-event`;
  const Name = await setting.rule(
    { EventBusName, EventPattern: ALL },
    { Arn: functionArn },
    {
      Arn: `arn:aws:kinesis:us-east-1:${ACCOUNT}:stream/events`,
      RoleArn: await setting.role("put-record", "kinesis:PutRecord"),
      KinesisParameters: { PartitionKeyPath: "$.detail.key" },
      InputPath: "$.detail.n",
    },
    { Arn: queue.arn },
  );
  await lambda.send(
    new AddPermissionCommand({
      FunctionName: "on-event",
      StatementId: "s",
      Action: "lambda:InvokeFunction",
      Principal: "events.amazonaws.com",
      SourceArn: `arn:aws:events:us-east-1:${ACCOUNT}:rule/${EventBusName}/${Name}`,
    }),
  );
  await setting.put({ EventBusName, Detail: '{"n":42,"key":"k"}' });
  assert.equal((await queue.bodies()).length, 1);
  const logs = new CloudWatchLogsClient(options);
  const deadline = Date.now() + 20_000;
  const until = async <T>(look: () => Promise<T | undefined>): Promise<T> => {
    for (;;) {
      const found = await look().catch(() => undefined);
      if (found !== undefined) return found;
      if (Date.now() > deadline) throw new Error("it did not come");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const record = await until(
    async () => (await kinesis.send(new GetRecordsCommand({ ShardIterator: iterator }))).Records?.[0],
  );
  assert.deepEqual([record.PartitionKey, Buffer.from(record.Data ?? []).toString()], ["k", "42"]);
  await until(async () => {
    const filter = { logGroupName: "/aws/lambda/on-event", filterPattern: '"got 42"' };
    return (await logs.send(new FilterLogEventsCommand(filter))).events?.[0];
  });
  for (const one of [kinesis, lambda, logs]) one.destroy();
});
