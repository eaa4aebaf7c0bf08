/** Universal targets: schedules call any operation of this server's services that changes something, as their role. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { CloudWatchLogsClient, DescribeLogGroupsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { CreateTableCommand, DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { DeleteFunctionConcurrencyCommand, PutFunctionConcurrencyCommand } from "@aws-sdk/client-lambda";
import { CreateBucketCommand, GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { CreateScheduleCommand, GetScheduleCommand, SchedulerClient } from "@aws-sdk/client-scheduler";
import { GetQueueAttributesCommand, GetQueueUrlCommand } from "@aws-sdk/client-sqs";
import { deployFunction } from "../harness/functions.ts";
import { makeUser, policyOf } from "../harness/principals.ts";
import {
  MINUTE_MS,
  atTime,
  refusal,
  schedulerRole,
  setTrust,
  startScheduler,
  trustOf,
} from "../harness/scheduler.ts";
import type { SchedulerSetting } from "../harness/scheduler.ts";
import type { TestQueue } from "../harness/sqs.ts";

const WaitTimeSeconds = 10;

let setting: SchedulerSetting;
before(async () => {
  setting = await startScheduler();
});
after(() => setting.stop());

const named = (operation: string) => `arn:aws:scheduler:::aws-sdk:${operation}`;

/** Makes schedules that come in two seconds, and lets those pass. */
async function call(...calls: [operation: string, input: object | string, more?: object][]): Promise<void> {
  const at = atTime((await setting.now()) + 2_000);
  for (const [operation, input, more] of calls)
    await setting.create(at, {
      Arn: named(operation),
      Input: typeof input === "string" ? input : JSON.stringify(input),
      ...more,
    });
  await setting.advance(5_000);
}

/** A dead letter's attributes and body. */
async function letter(queue: TestQueue): Promise<Record<string, string>> {
  const [message] = await queue.receive({ WaitTimeSeconds });
  if (message) await queue.delete(message);
  const { MessageAttributes: attributes = {}, Body: body = "" } = message ?? {};
  const told = Object.entries(attributes).map(([key, { StringValue = "" }]) => [key, StringValue]);
  return Object.fromEntries([...told, ["body", body]]) as Record<string, string>;
}

/** Until something is there that a call makes. */
async function eventually<T>(look: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await look();
    } catch (error) {
      if (tries >= 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

test("operations of every kind of protocol, by members as SDKs write them", async () => {
  const options = setting.server.client();
  const [dynamodb, s3] = [new DynamoDBClient(options), new S3Client({ ...options, forcePathStyle: true })];
  const key = { AttributeName: "id", KeyType: "HASH" as const };
  const AttributeDefinitions = [{ AttributeName: "id", AttributeType: "S" as const }];
  const BillingMode = "PAY_PER_REQUEST";
  const more = { RoleArn: await schedulerRole(options, "everything", policyOf({ Action: "*" })) };
  await dynamodb.send(
    new CreateTableCommand({ TableName: "runs", KeySchema: [key], AttributeDefinitions, BillingMode }),
  );
  await s3.send(new CreateBucketCommand({ Bucket: "reports" }));
  const note = "run <aws.scheduler.attempt-number>";
  await call(
    ["sqs:createQueue", { QueueName: "made", Attributes: { DelaySeconds: "7" } }, more],
    [
      "dynamodb:putItem",
      { TableName: "runs", Item: { id: { S: "1" }, note: { S: note }, n: { N: "5" } } },
      more,
    ],
    ["cloudwatchlogs:createLogGroup", { LogGroupName: "/made" }, more],
    ["s3:putObject", { Bucket: "reports", Key: "daily.txt", Body: "é ok", ContentType: "text/plain" }, more],
  );
  const { QueueUrl } = await eventually(() =>
    setting.sqs.send(new GetQueueUrlCommand({ QueueName: "made" })),
  );
  const { Attributes } = await setting.sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["DelaySeconds"] }),
  );
  assert.equal(Attributes?.["DelaySeconds"], "7");
  await eventually(async () => {
    const { Item } = await dynamodb.send(new GetItemCommand({ TableName: "runs", Key: { id: { S: "1" } } }));
    assert.deepEqual(Item, { id: { S: "1" }, note: { S: "run 1" }, n: { N: "5" } });
    const { logGroups = [] } = await new CloudWatchLogsClient(options).send(new DescribeLogGroupsCommand({}));
    assert.ok(logGroups.some(({ logGroupName }) => logGroupName === "/made"));
    const found = await s3.send(new GetObjectCommand({ Bucket: "reports", Key: "daily.txt" }));
    assert.deepEqual([await found.Body?.transformToString(), found.ContentType], ["é ok", "text/plain"]);
  });
});

test("what a message is sent with beyond a hand-over is the operation's own to do: a delay, a synchronous call", async () => {
  const queue = await setting.queue();
  const options = setting.server.client();
  await setTrust(setting.iam, "scheduler", trustOf(["scheduler.amazonaws.com", "lambda.amazonaws.com"]));
  const code = `export const handler = async (event) => { console.log("handled", event.n); return event; };`;
  const lambda = await deployFunction(options, "busy", { "index.mjs": code }, { Role: setting.role });
  await lambda.send(
    new PutFunctionConcurrencyCommand({ FunctionName: "busy", ReservedConcurrentExecutions: 0 }),
  );
  const dead = await setting.queue();
  const more = {
    DeadLetterConfig: { Arn: dead.arn },
    RetryPolicy: { MaximumRetryAttempts: 1, MaximumEventAgeInSeconds: 3_600 },
  };
  const invocation = { FunctionName: "busy", InvocationType: "RequestResponse", Payload: '{"n":1}' };
  await call(
    ["sqs:sendMessage", { QueueUrl: queue.url, MessageBody: "later", DelaySeconds: 600 }],
    ["lambda:invoke", invocation, more],
  );
  await setting.advance(MINUTE_MS);
  const throttled = await letter(dead);
  assert.deepEqual(
    [throttled["ERROR_CODE"], throttled["RETRY_ATTEMPTS"], throttled["EXHAUSTED_RETRY_CONDITION"]],
    ["TooManyRequestsException", "1", "MaximumRetryAttempts"],
  );
  assert.deepEqual(
    [throttled["TARGET_ARN"], throttled.body],
    [named("lambda:invoke"), JSON.stringify(invocation)],
  );
  const metrics = await (await fetch(`${setting.server.endpoint}/_lambent/metrics`)).text();
  for (const name of ["target_error_count", "target_error_throttled_count"])
    assert.match(
      metrics,
      new RegExp(`aws_scheduler_${name}\\w*\\{[^}]*schedule_group="default"[^}]*\\} 2`),
      name,
    );
  assert.deepEqual(await queue.bodies(), []);
  await setting.advance(10 * MINUTE_MS);
  assert.deepEqual(
    (await queue.receive({ WaitTimeSeconds })).map(({ Body }) => Body),
    ["later"],
  );
  await lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName: "busy" }));
  await call(["lambda:invoke", invocation, more]);
  await eventually(async () => {
    const metrics = await (await fetch(`${setting.server.endpoint}/_lambent/metrics`)).text();
    assert.match(metrics, /aws_lambda_invocations\w*\{[^}]*function_name="busy"[^}]*\} 1/);
  });
});

test("a role may call what its policies allow; errors of the API are the dead letter's", async () => {
  const dead = await setting.queue();
  const may = policyOf(
    { Action: "sqs:SendMessage", Resource: dead.arn },
    { Action: "sqs:CreateQueue", Resource: "arn:aws:sqs:*:*:allowed*" },
    { Action: "dynamodb:DeleteTable" },
  );
  const RoleArn = await schedulerRole(setting.server.client(), "operations", may);
  const more = { RoleArn, DeadLetterConfig: { Arn: dead.arn } };
  await call(["sqs:createQueue", { QueueName: "forbidden" }, more]);
  const denied = await letter(dead);
  assert.deepEqual([denied["ERROR_CODE"], denied["RETRY_ATTEMPTS"]], ["AccessDeniedException", "0"]);
  assert.match(
    String(denied["ERROR_MESSAGE"]),
    /^User: arn:aws:sts::000000000000:assumed-role\/operations\/\w+ is not authorized to perform: sqs:createqueue on resource: arn:aws:sqs:us-east-1:000000000000:forbidden because no identity-based policy/i,
  );
  assert.match(await refusalOfQueue("forbidden"), /NonExistentQueue|QueueDoesNotExist/);
  await call(["sqs:createQueue", { QueueName: "allowed" }, more]);
  await eventually(() => setting.sqs.send(new GetQueueUrlCommand({ QueueName: "allowed" })));
  await call(["dynamodb:deleteTable", { TableName: "nowhere" }, more]);
  assert.equal((await letter(dead))["ERROR_CODE"], "ResourceNotFoundException");
  await call(["sqs:createQueue", { QueueName: "allowed?" }, more]);
  assert.match(String((await letter(dead))["ERROR_CODE"]), /Invalid|Validation/);
});

async function refusalOfQueue(QueueName: string): Promise<string> {
  return setting.sqs.send(new GetQueueUrlCommand({ QueueName })).then(
    () => "it is there",
    (error: Error) => error.name,
  );
}

test("what could never be called is refused at once", async () => {
  const refused: [operation: string, input: string, expected: RegExp][] = [
    [
      "ec2:stopInstances",
      "{}",
      /^NotImplemented: .*aws-sdk:ec2:stopInstances: this server has no service 'ec2'/,
    ],
    ["cloudwatchlogs:createExportTask", "{}", /^NotImplemented: .*no CloudWatch Logs CreateExportTask/],
    ["lambda:invokeWithResponseStream", "{}", /^NotImplemented: .*stream/],
    ["sqs:makeQueue", "{}", /^ValidationException: .*SQS has no operation 'makeQueue'/],
    ["sqs:CreateQueue", "{}", /^ValidationException: Provided Arn is not in correct format/],
    ["sqs:getQueueUrl", '{"QueueName":"q"}', /^ValidationException: .*only read/],
    ["dynamodb:batchGetItem", "{}", /^ValidationException: .*only read/],
    ["cognitoidentityprovider:adminGetUser", "{}", /^ValidationException: .*only read/],
    ["sqs:createQueue", "{", /^ValidationException: .*well-formed JSON/],
    ["sqs:createQueue", "[]", /^ValidationException: .*must be a JSON object/],
    ["sqs:createQueue", "{}", /^ValidationException: .*needs QueueName/],
    ["sqs:createQueue", '{"QueueName":"q","Colour":"red"}', /^ValidationException: .*no member Colour/],
    ["sqs:createQueue", '{"QueueName":["q"]}', /^ValidationException: /],
    [
      "sqs:sendMessage",
      '{"QueueUrl":"q","MessageBody":"","MessageAttributes":{"a":{"Type":"String"}}}',
      /^ValidationException: .*no member MessageAttributes\.a\.Type/,
    ],
  ];
  const at = atTime((await setting.now()) + MINUTE_MS);
  for (const [operation, Input, expected] of refused)
    assert.match(await refusal(setting.create(at, { Arn: named(operation), Input })), expected, operation);
});

test("whoever makes a schedule must be allowed to pass its role on: iam:PassRole", async () => {
  const queue = await setting.queue();
  const options = setting.server.client();
  const user = await makeUser(options, "planner", { Action: "scheduler:*" });
  const client = new SchedulerClient(user.options);
  const create = (Name: string) =>
    client.send(
      new CreateScheduleCommand({
        Name,
        ScheduleExpression: "rate(1 hour)",
        State: "DISABLED",
        FlexibleTimeWindow: { Mode: "OFF" },
        Target: { Arn: queue.arn, RoleArn: setting.role },
      }),
    );
  assert.match(
    await refusal(create("passed")),
    /^AccessDeniedException: User: arn:aws:iam::000000000000:user\/planner is not authorized to perform: iam:PassRole on resource: arn:aws:iam::000000000000:role\/scheduler because no identity-based policy allows the iam:PassRole action$/,
  );
  const pass = (service: string) => ({
    Action: "iam:PassRole",
    Resource: setting.role,
    Condition: { StringEquals: { "iam:PassedToService": service } },
  });
  await user.may({ Action: "scheduler:*" }, pass("lambda.amazonaws.com"));
  assert.match(await refusal(create("passed")), /iam:PassRole/);
  await user.may({ Action: "scheduler:*" }, pass("scheduler.amazonaws.com"));
  await create("passed");
  assert.equal((await client.send(new GetScheduleCommand({ Name: "passed" }))).State, "DISABLED");
});
