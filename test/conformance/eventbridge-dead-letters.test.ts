/** What becomes of events that targets do not take, what is counted, and log groups as targets. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  FilterLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { PutEventsCommand } from "@aws-sdk/client-eventbridge";
import type { PutEventsRequestEntry } from "@aws-sdk/client-eventbridge";
import { deployFunction } from "../harness/functions.ts";
import { openLogGroups, refusal, startEvents } from "../harness/eventbridge.ts";
import type { EventSetting } from "../harness/eventbridge.ts";

let setting: EventSetting;
before(async () => {
  setting = await startEvents();
});
after(() => setting.stop());

const ACCOUNT = "000000000000";
const ALL = '{"source":[{"exists":true}]}';
const put = (...Entries: PutEventsRequestEntry[]) => setting.client.send(new PutEventsCommand({ Entries }));
const entry = { Source: "test.app", DetailType: "Tested", Detail: "{}" };

test("what a target does not take goes to the dead-letter queue with what it is and why, and is counted", async () => {
  const [closed, letters] = [await setting.queue({}, false), await setting.queue()];
  const missing = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:nothing`;
  const DeadLetterConfig = { Arn: letters.arn };
  const EventBusName = await setting.bus();
  const Name = await setting.rule(
    { EventBusName, EventPattern: ALL },
    { Arn: closed.arn, DeadLetterConfig, Input: '{"a":1}' },
    { Arn: missing, DeadLetterConfig },
    { Arn: closed.arn },
  );
  const rule = { event_bus_name: EventBusName, rule_name: Name };
  const [id] = await setting.put({ EventBusName });
  const letter = (await letters.receive()).map(({ Body = "", MessageAttributes = {} }) => ({
    id: (JSON.parse(Body) as { id: string }).id,
    ...Object.fromEntries(
      Object.entries(MessageAttributes).map(([key, { StringValue }]) => [key, StringValue]),
    ),
  }));
  const RULE_ARN = `arn:aws:events:us-east-1:${ACCOUNT}:rule/${EventBusName}/${Name}`;
  const common = { id, RULE_ARN, RETRY_ATTEMPTS: "0" };
  assert.deepEqual(letter, [
    {
      ...common,
      TARGET_ARN: closed.arn,
      ERROR_CODE: "NO_RESOURCE",
      ERROR_MESSAGE: `the policy of ${closed.arn} does not let events.amazonaws.com call sqs:SendMessage on it`,
    },
    {
      ...common,
      TARGET_ARN: missing,
      ERROR_CODE: "NO_RESOURCE",
      ERROR_MESSAGE: `there is no such function: ${missing}`,
    },
  ]);
  assert.deepEqual(await closed.bodies(), []);
  const counted = async (names: readonly string[], dimensions: Record<string, string>) =>
    Object.fromEntries(
      await Promise.all(names.map(async (name) => [name, await setting.metric(name, dimensions)])),
    );
  assert.deepEqual(await counted(OF_RULES, rule), {
    MatchedEvents: 1,
    TriggeredRules: 1,
    InvocationAttempts: 3,
    Invocations: 3,
    FailedInvocations: 3,
    InvocationsSentToDlq: 2,
    IngestionToInvocationStartLatency: 3,
    IngestionToInvocationCompleteLatency: 3,
    IngestionToInvocationSuccessLatency: 0,
  });
  const bus = { event_bus_name: EventBusName };
  assert.deepEqual(await counted(["MatchedEvents", "TriggeredRules", "InvocationAttempts"], bus), {
    MatchedEvents: 1,
    TriggeredRules: 1,
    InvocationAttempts: 3,
  });
});

const OF_RULES = [
  "MatchedEvents",
  "TriggeredRules",
  "InvocationAttempts",
  "Invocations",
  "FailedInvocations",
  "InvocationsSentToDlq",
  "IngestionToInvocationStartLatency",
  "IngestionToInvocationCompleteLatency",
  "IngestionToInvocationSuccessLatency",
];

test("requests of PutEvents are counted over the account, and so are the invocations that follow", async () => {
  const names = [
    "PutEventsApproximateCallCount",
    "PutEventsApproximateSuccessCount",
    "PutEventsApproximateFailedCount",
    "PutEventsEntriesCount",
    "PutEventsFailedEntriesCount",
    "PutEventsLatency",
    "PutEventsRequestSize",
    "InvocationsCreated",
    "Invocations",
    "SuccessfulInvocationAttempts",
    "IngestionToInvocationSuccessLatency",
  ];
  const all = () => Promise.all(names.map((name) => setting.metric(name)));
  const queue = await setting.queue();
  await setting.rule({ EventPattern: '{"source":["counted"]}' }, { Arn: queue.arn }, { Arn: queue.arn });
  const before = await all();
  await put({ ...entry, Source: "counted" }, { ...entry, Source: "aws.mine" });
  await refusal(put({ ...entry, Detail: JSON.stringify({ a: "x".repeat(1_100_000) }) }));
  assert.deepEqual(
    (await all()).map((value, at) => value - (before[at] ?? 0)),
    [2, 1, 1, 2, 1, 1, 1, 2, 2, 2, 2],
  );
});

test("what goes by a role: a role that does not trust EventBridge, or that may not, is told in the dead letter", async () => {
  const letters = await setting.queue();
  const EventBusName = await setting.bus();
  const Arn = `arn:aws:kinesis:us-east-1:${ACCOUNT}:stream/none`;
  const target = { Arn, DeadLetterConfig: { Arn: letters.arn }, RetryPolicy: { MaximumRetryAttempts: 0 } };
  await setting.rule(
    { EventBusName, EventPattern: ALL },
    { ...target, RoleArn: `arn:aws:iam::${ACCOUNT}:role/nobody` },
    { ...target, RoleArn: await setting.role("may-put", "kinesis:PutRecord") },
  );
  await setting.put({ EventBusName });
  const codes = new Set<string | undefined>();
  while (codes.size < 2)
    for (const { MessageAttributes } of await letters.receive({ WaitTimeSeconds: 5 }))
      codes.add(MessageAttributes?.["ERROR_CODE"]?.StringValue);
  assert.deepEqual(codes, new Set(["FAILED_TO_ASSUME_ROLE", "NO_RESOURCE"]));
});

test("a function gets no lines of text: they are no JSON", async () => {
  const letters = await setting.queue();
  const EventBusName = await setting.bus();
  const lambda = await deployFunction(setting.server.client(), "reads-json", {
    "index.mjs": "export const handler = () => {};",
  });
  const Arn = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:reads-json`;
  await setting.rule(
    { EventBusName, EventPattern: ALL },
    {
      Arn,
      DeadLetterConfig: { Arn: letters.arn },
      InputTransformer: { InputTemplate: '"one <aws.events.rule-name>"\n"two"' },
    },
  );
  await setting.put({ EventBusName });
  const [letter] = await letters.receive();
  assert.equal(letter?.MessageAttributes?.["ERROR_CODE"]?.StringValue, "INVALID_PARAMETER");
  assert.match(letter?.MessageAttributes?.["ERROR_MESSAGE"]?.StringValue ?? "", /into json/);
  lambda.destroy();
});

test("log groups as targets: the event at its own time, or what a transformer makes of it; else a dead letter says why", async () => {
  const logs = new CloudWatchLogsClient(setting.server.client());
  const logGroupName = "/aws/events/made";
  await logs.send(new CreateLogGroupCommand({ logGroupName }));
  await openLogGroups(logs);
  const Arn = `arn:aws:logs:us-east-1:${ACCOUNT}:log-group:${logGroupName}`;
  const letters = await setting.queue();
  const EventBusName = await setting.bus();
  const target = { Arn, DeadLetterConfig: { Arn: letters.arn } };
  const made = (InputTemplate: string) => ({
    ...target,
    InputTransformer: { InputPathsMap: { who: "$.detail.who", at: "$.detail.at" }, InputTemplate },
  });
  await setting.rule(
    { EventBusName, EventPattern: ALL },
    target,
    made('{"timestamp": <at>, "message": "hello <who>"}'),
    made('{"text": "hello <who>"}'),
    made('{"timestamp": <at>, "message": "<aws.events.event.json>"}'),
    made('{"timestamp": "2001-01-01T00:00:00Z", "message": "old"}'),
  );
  const second = Math.floor(Date.now() / 1_000) * 1_000 - 60_000;
  const Detail = JSON.stringify({ who: "you", at: second + 5 });
  await setting.put({ EventBusName, Detail, Time: new Date(second + 999) });
  const { events = [] } = await logs.send(new FilterLogEventsCommand({ logGroupName }));
  assert.deepEqual(
    events.map(({ timestamp, message = "" }) => [timestamp, message.slice(0, 14)]),
    [
      [second, '{"version":"0"'],
      [second + 5, "hello you"],
    ],
  );
  const refused = (await letters.receive()).map(
    ({ MessageAttributes = {}, Body = "" }) =>
      `${MessageAttributes["ERROR_CODE"]?.StringValue} ${(JSON.parse(Body) as { detail: { who: string } }).detail.who}`,
  );
  assert.deepEqual(
    new Set(refused),
    new Set(["EVENTS_IN_BATCH_REQUEST_REJECTED you", "INVALID_JSON you", "INVALID_PARAMETER you"]),
  );
  logs.destroy();
});
