/** EventBridge Scheduler's API: schedules, groups, tags and tokens, each default, limit and refusal. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  CreateScheduleCommand,
  CreateScheduleGroupCommand,
  DeleteScheduleCommand,
  DeleteScheduleGroupCommand,
  GetScheduleCommand,
  GetScheduleGroupCommand,
  ListScheduleGroupsCommand,
  ListSchedulesCommand,
  ListTagsForResourceCommand,
  SchedulerClient,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateScheduleCommand,
} from "@aws-sdk/client-scheduler";
import type { CreateScheduleCommandInput } from "@aws-sdk/client-scheduler";
import { missingClient, runClient } from "../harness/client-programs.ts";
import { refusal, setTrust, startScheduler, trustOf } from "../harness/scheduler.ts";
import type { SchedulerSetting } from "../harness/scheduler.ts";

const QUEUE = "arn:aws:sqs:us-east-1:000000000000:somewhere";
const ARN = "arn:aws:scheduler:us-east-1:000000000000:schedule";
const YEAR = new Date().getUTCFullYear() + 1;

let setting: SchedulerSetting;
let client: SchedulerClient;
before(async () => {
  setting = await startScheduler();
  client = setting.client;
});
after(() => setting.stop());

/** A schedule that comes next year. */
const wanted = (
  Name: string,
  more: Partial<CreateScheduleCommandInput> = {},
): CreateScheduleCommandInput => ({
  Name,
  ScheduleExpression: `at(${YEAR}-01-01T00:00:00)`,
  FlexibleTimeWindow: { Mode: "OFF" },
  Target: { Arn: QUEUE, RoleArn: setting.role },
  ...more,
});
const create = (input: CreateScheduleCommandInput) => client.send(new CreateScheduleCommand(input));
const get = async (Name: string, GroupName?: string) => {
  const { $metadata: _, ...shown } = await client.send(new GetScheduleCommand({ Name, GroupName }));
  return shown;
};

test("CreateSchedule and GetSchedule: defaults are told; UpdateSchedule replaces all; DeleteSchedule", async () => {
  const { ScheduleArn } = await create(wanted("plain"));
  assert.equal(ScheduleArn, `${ARN}/default/plain`);
  const { CreationDate, LastModificationDate, ...plain } = await get("plain");
  assert.deepEqual(CreationDate, LastModificationDate);
  const RetryPolicy = { MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 185 };
  assert.deepEqual(plain, {
    Arn: `${ARN}/default/plain`,
    GroupName: "default",
    Name: "plain",
    State: "ENABLED",
    ScheduleExpression: `at(${YEAR}-01-01T00:00:00)`,
    ScheduleExpressionTimezone: "UTC",
    FlexibleTimeWindow: { Mode: "OFF" },
    ActionAfterCompletion: "NONE",
    Target: { Arn: QUEUE, RoleArn: setting.role, RetryPolicy },
  });
  const Target = {
    Arn: `${QUEUE}.fifo`,
    RoleArn: setting.role,
    Input: "hello",
    DeadLetterConfig: { Arn: QUEUE },
    SqsParameters: { MessageGroupId: "g" },
    RetryPolicy: { MaximumEventAgeInSeconds: 60, MaximumRetryAttempts: 0 },
  };
  const full = {
    ScheduleExpression: "cron(0 9 ? * MON-FRI *)",
    ScheduleExpressionTimezone: "Europe/Berlin",
    Description: "all of it",
    State: "DISABLED" as const,
    StartDate: new Date(`${YEAR}-01-01T00:00:00Z`),
    EndDate: new Date(`${YEAR}-02-01T00:00:00Z`),
    FlexibleTimeWindow: { Mode: "FLEXIBLE" as const, MaximumWindowInMinutes: 15 },
    ActionAfterCompletion: "DELETE" as const,
    Target,
  };
  await client.send(new UpdateScheduleCommand({ Name: "plain", ...full }));
  const { CreationDate: created, LastModificationDate: _modified, ...updated } = await get("plain");
  assert.deepEqual(created, CreationDate);
  assert.deepEqual(updated, { Arn: `${ARN}/default/plain`, GroupName: "default", Name: "plain", ...full });
  await client.send(new UpdateScheduleCommand(wanted("plain")));
  assert.equal((await get("plain")).Description, undefined);
  await client.send(new DeleteScheduleCommand({ Name: "plain" }));
  const gone = "ResourceNotFoundException: Schedule plain does not exist.";
  assert.equal(await refusal(get("plain")), gone);
  assert.equal(await refusal(client.send(new DeleteScheduleCommand({ Name: "plain" }))), gone);
  assert.equal(await refusal(client.send(new UpdateScheduleCommand(wanted("plain")))), gone);
});

test("ListSchedules: by group, prefix and state, in pages; accounts and regions are apart", async () => {
  await client.send(new CreateScheduleGroupCommand({ Name: "listed" }));
  for (const name of ["a_1", "a_2", "ax1", "b_1"])
    await create(wanted(name, { GroupName: "listed", State: name === "a_2" ? "DISABLED" : "ENABLED" }));
  const list = async (input: object) => {
    const { Schedules = [], NextToken } = await client.send(new ListSchedulesCommand(input));
    return [Schedules.map(({ Name }) => Name).join(" "), NextToken] as const;
  };
  assert.deepEqual(await list({ GroupName: "listed" }), ["a_1 a_2 ax1 b_1", undefined]);
  assert.deepEqual(await list({ NamePrefix: "a_" }), ["a_1 a_2", undefined]);
  assert.deepEqual(await list({ GroupName: "listed", State: "DISABLED" }), ["a_2", undefined]);
  const [first, token] = await list({ GroupName: "listed", MaxResults: 3 });
  assert.equal(first, "a_1 a_2 ax1");
  assert.deepEqual(await list({ GroupName: "listed", MaxResults: 3, NextToken: token }), ["b_1", undefined]);
  assert.match(await refusal(list({ NextToken: "x" })), /^ValidationException: Invalid NextToken/);
  assert.equal(
    await refusal(list({ GroupName: "nowhere" })),
    "ResourceNotFoundException: Schedule group nowhere does not exist.",
  );
  const { Schedules } = await client.send(new ListSchedulesCommand({ NamePrefix: "b_1" }));
  assert.deepEqual(Schedules?.[0]?.Target, { Arn: QUEUE });
  for (const other of [{ region: "eu-west-1" }, { account: "111122223333" }]) {
    const elsewhere = new SchedulerClient(setting.server.client(other));
    assert.deepEqual((await elsewhere.send(new ListSchedulesCommand({}))).Schedules, []);
  }
});

test("CreateScheduleGroup, GetScheduleGroup, ListScheduleGroups, DeleteScheduleGroup with its schedules; TagResource, UntagResource, ListTagsForResource", async () => {
  const { ScheduleGroupArn: ResourceArn } = await client.send(
    new CreateScheduleGroupCommand({ Name: "team", Tags: [{ Key: "a", Value: "1" }] }),
  );
  assert.equal(ResourceArn, "arn:aws:scheduler:us-east-1:000000000000:schedule-group/team");
  const group = await client.send(new GetScheduleGroupCommand({ Name: "team" }));
  assert.deepEqual([group.Arn, group.State], [ResourceArn, "ACTIVE"]);
  const { ScheduleGroups = [] } = await client.send(new ListScheduleGroupsCommand({}));
  assert.ok(["default", "team"].every((name) => ScheduleGroups.some(({ Name }) => Name === name)));
  const page = await client.send(new ListScheduleGroupsCommand({ NamePrefix: "t", MaxResults: 1 }));
  assert.deepEqual([page.ScheduleGroups?.[0]?.Name, page.NextToken], ["team", undefined]);
  await client.send(new TagResourceCommand({ ResourceArn, Tags: [{ Key: "b", Value: "2" }] }));
  await client.send(new UntagResourceCommand({ ResourceArn, TagKeys: ["a"] }));
  const tagsOf = () => client.send(new ListTagsForResourceCommand({ ResourceArn }));
  assert.deepEqual((await tagsOf()).Tags, [{ Key: "b", Value: "2" }]);
  assert.match(
    await refusal(client.send(new TagResourceCommand({ ResourceArn, Tags: [{ Key: "aws:x", Value: "" }] }))),
    /^ValidationException/,
  );
  await create(wanted("mine", { GroupName: "team" }));
  assert.equal((await get("mine", "team")).Arn, `${ARN}/team/mine`);
  await client.send(new DeleteScheduleGroupCommand({ Name: "team" }));
  const gone = "ResourceNotFoundException: Schedule group team does not exist.";
  for (const request of [
    () => get("mine", "team"),
    () => create(wanted("mine", { GroupName: "team" })),
    () => client.send(new GetScheduleGroupCommand({ Name: "team" })),
    () => client.send(new DeleteScheduleGroupCommand({ Name: "team" })),
    tagsOf,
  ])
    assert.equal(await refusal(request()), gone);
  const fixed = "ValidationException: This operation cannot be performed on schedule group default.";
  assert.equal(await refusal(client.send(new CreateScheduleGroupCommand({ Name: "default" }))), fixed);
  assert.equal(await refusal(client.send(new DeleteScheduleGroupCommand({ Name: "default" }))), fixed);
});

test("a ClientToken makes a request that is sent again change nothing a second time", async () => {
  const input = wanted("once", { ClientToken: "token-1" });
  const [first, second] = [await create(input), await create(input)];
  assert.equal(first.ScheduleArn, second.ScheduleArn);
  const exists = "ConflictException: Schedule once already exists.";
  assert.equal(await refusal(create({ ...input, ClientToken: "token-2" })), exists);
  assert.match(
    await refusal(create({ ...input, Description: "other" })),
    /^ConflictException: The ClientToken/,
  );
  const remove = new DeleteScheduleCommand({ Name: "once", ClientToken: "token-3" });
  await client.send(remove);
  await client.send(remove);
  const group = new CreateScheduleGroupCommand({ Name: "once", ClientToken: "token-4" });
  await client.send(group);
  await client.send(group);
  assert.equal(
    await refusal(client.send(new CreateScheduleGroupCommand({ Name: "once" }))),
    "ConflictException: Schedule group once already exists.",
  );
});

test("what a schedule cannot be is refused, in AWS's words where they are known", async () => {
  const target = (more: object) => ({ Target: { Arn: QUEUE, RoleArn: setting.role, ...more } });
  const lambda = "arn:aws:lambda:us-east-1:000000000000:function:f";
  const universal = (name: string, input: object) =>
    target({ Arn: `arn:aws:scheduler:::aws-sdk:${name}`, Input: JSON.stringify(input) });
  const refused: [object, RegExp][] = [
    [
      { ScheduleExpression: "rate(10 seconds)" },
      /^ValidationException: Invalid Schedule Expression rate\(10 seconds\)\.$/,
    ],
    [{ ScheduleExpression: "cron(0 1 * * * *)" }, /Invalid Schedule Expression cron\(0 1 \* \* \* \*\)\./],
    [
      { ScheduleExpressionTimezone: "Mars/Base" },
      /^ValidationException: Invalid Schedule Expression Timezone Mars\/Base/,
    ],
    [
      { StartDate: new Date("2020-01-01") },
      /The StartDate you specify cannot be earlier than 5 minutes ago\.$/,
    ],
    [{ EndDate: new Date("2020-01-01") }, /^ValidationException: The EndDate/],
    [{ StartDate: new Date(`${YEAR}-02-01`), EndDate: new Date(`${YEAR}-01-01`) }, /after the StartDate/],
    [{ FlexibleTimeWindow: { Mode: "FLEXIBLE" } }, /^ValidationException: .*needs MaximumWindowInMinutes/],
    [
      { FlexibleTimeWindow: { Mode: "OFF", MaximumWindowInMinutes: 5 } },
      /^ValidationException: MaximumWindowInMinutes/,
    ],
    [
      { FlexibleTimeWindow: { Mode: "FLEXIBLE", MaximumWindowInMinutes: 1441 } },
      /less than or equal to 1440/,
    ],
    [{ KmsKeyArn: "arn:aws:kms:us-east-1:000000000000:key/k" }, /^NotImplemented: .*KmsKeyArn/],
    [{ GroupName: "nowhere" }, /^ResourceNotFoundException: Schedule group nowhere does not exist\.$/],
    [target({ Arn: "not-an-arn" }), /^ValidationException: Provided Arn is not in correct format\.$/],
    [
      target({ Arn: "arn:aws:events:us-east-1:000000000000:api-destination/d" }),
      /Provided Arn is not in correct format/,
    ],
    [
      target({ Arn: "arn:aws:states:us-east-1:000000000000:stateMachine:s" }),
      /^NotImplemented: .*stateMachine:s/,
    ],
    [target({ EcsParameters: { TaskDefinitionArn: "t" } }), /^NotImplemented: .*EcsParameters/],
    [
      target({ KinesisParameters: { PartitionKey: "k" } }),
      /^ValidationException: KinesisParameters cannot be given/,
    ],
    [target({ Arn: "arn:aws:kinesis:us-east-1:000000000000:stream/s" }), /needs KinesisParameters/],
    [target({ Arn: lambda, Input: "{" }), /^ValidationException: .*well-formed JSON/],
    [target({ Input: "x".repeat(262_145) }), /^ValidationException: .*at most 262144 bytes/],
    [target({ DeadLetterConfig: { Arn: `${QUEUE}.fifo` } }), /FIFO|pattern/],
    [
      target({ RoleArn: "arn:aws:iam::000000000000:role/nobody" }),
      /The execution role you provide must allow AWS EventBridge Scheduler to assume the role\.$/,
    ],
    [target({ RoleArn: "arn:aws:iam::111122223333:role/scheduler" }), /must allow AWS EventBridge Scheduler/],
    [universal("sqs:sendMessage", { QueueUrl: "http://x/000000000000/q" }), /needs MessageBody/],
  ];
  for (const [more, expected] of refused)
    assert.match(
      await refusal(create(wanted("refused", more))),
      expected,
      JSON.stringify(more).slice(0, 200),
    );
  assert.match(await refusal(get("refused")), /^ResourceNotFoundException/);
});

test("a role's trust is asked with the schedule's group as aws:SourceArn, as CDK writes it", async () => {
  const group = "arn:aws:scheduler:us-east-1:000000000000:schedule-group/default";
  const trust = (arn: string) =>
    trustOf("scheduler.amazonaws.com", {
      StringEquals: { "aws:SourceAccount": "000000000000", "aws:SourceArn": arn },
    });
  await setTrust(setting.iam, "scheduler", trust(group));
  await create(wanted("trusted"));
  await setTrust(setting.iam, "scheduler", trust(`${ARN}/default/trusted`));
  assert.match(await refusal(create(wanted("untrusted"))), /must allow AWS EventBridge Scheduler/);
  await setTrust(setting.iam, "scheduler", trustOf("scheduler.amazonaws.com"));
});

test(
  "the AWS CLI creates, lists and deletes a schedule",
  { skip: await missingClient("aws", ["--version"]) },
  async () => {
    const aws = async (...parameters: string[]) => {
      const endpoint = ["--endpoint-url", setting.server.endpoint, "--output", "json", "scheduler"];
      const printed = await runClient(setting.server, "aws", [...endpoint, ...parameters]);
      return printed === "" ? {} : (JSON.parse(printed) as Record<string, unknown>);
    };
    const created = await aws(
      ..."create-schedule --name cli --schedule-expression rate(1hour) --flexible-time-window Mode=OFF"
        .split(" ")
        .map((word) => word.replace("1hour", "1 hour")),
      "--target",
      JSON.stringify({ Arn: QUEUE, RoleArn: setting.role, Input: "hi" }),
      "--state",
      "DISABLED",
    );
    assert.deepEqual(created, { ScheduleArn: `${ARN}/default/cli` });
    const shown = await aws("get-schedule", "--name", "cli");
    assert.equal(shown["ScheduleExpression"], "rate(1 hour)");
    await aws("delete-schedule", "--name", "cli");
    assert.match(await refusal(get("cli")), /^ResourceNotFoundException/);
  },
);
