/**
 * A way through five services under kills: an object put in S3 is told to an SNS topic, that to a queue, which a function reads that puts
 * an event on a bus, whose rule calls another function. Nothing that S3 has accepted is missing at the end.
 */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from "@aws-sdk/client-eventbridge";
import { PutRolePolicyCommand } from "@aws-sdk/client-iam";
import {
  AddPermissionCommand,
  CreateEventSourceMappingCommand,
  GetEventSourceMappingCommand,
} from "@aws-sdk/client-lambda";
import {
  CreateBucketCommand,
  PutBucketNotificationConfigurationCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { CreateTopicCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import { CreateQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import { ACCOUNT, settle } from "../conformance/lambda-setting.ts";
import { Life } from "../harness/life.ts";
import { clientOptions } from "../harness/server.ts";

const KILLS = 10;
/** Objects that are accepted between two kills. */
const PER_LIFE = 25;
const WRITERS = 3;
const Bucket = "arrivals";
/** Longest wait for the last event, in milliseconds. */
const WAIT_MS_MAX = 90_000;

const arn = (service: string, name: string) => `arn:aws:${service}:us-east-1:${ACCOUNT}:${name}`;
const policyOf = (statement: object) =>
  JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", ...statement }] });

/** Puts an event for each object that a message tells of. */
const FORWARD = `import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
const events = new EventBridgeClient();
export const handler = async ({ Records }) => {
  const keys = Records.flatMap(({ body }) => (JSON.parse(body).Records ?? []).map(({ s3 }) => s3.object.key));
  const Entries = keys.map((key) => ({ Source: "chain", DetailType: "arrived", Detail: JSON.stringify({ key }) }));
  if (Entries.length === 0) return;
  const { FailedEntryCount } = await events.send(new PutEventsCommand({ Entries }));
  if (FailedEntryCount > 0) throw new Error("events were not taken");
};`;

/** Writes the keys down. */
const recordTo = (file: string) => `import { appendFileSync } from "node:fs";
export const handler = async ({ detail }) => appendFileSync(${JSON.stringify(file)}, detail.key + "\\n");`;

async function prepare(endpoint: string, file: string): Promise<void> {
  const options = clientOptions(endpoint);
  const { lambda, iam, create } = await settle(endpoint);
  const PolicyDocument = policyOf({ Action: ["logs:*", "sqs:*", "events:PutEvents"], Resource: "*" });
  await iam.send(new PutRolePolicyCommand({ RoleName: "execution", PolicyName: "chain", PolicyDocument }));
  const forward = await create(FORWARD, { Timeout: 10 });
  const record = await create(recordTo(file));
  const events = new EventBridgeClient(options);
  await events.send(new PutRuleCommand({ Name: "arrived", EventPattern: '{"source":["chain"]}' }));
  await lambda.send(
    new AddPermissionCommand({
      FunctionName: record,
      StatementId: "events",
      Action: "lambda:InvokeFunction",
      Principal: "events.amazonaws.com",
      SourceArn: arn("events", "rule/arrived"),
    }),
  );
  const Targets = [{ Id: "record", Arn: arn("lambda", `function:${record}`) }];
  await events.send(new PutTargetsCommand({ Rule: "arrived", Targets }));
  const sqs = new SQSClient(options);
  const fromSns = policyOf({
    Principal: { Service: "sns.amazonaws.com" },
    Action: "sqs:SendMessage",
    Resource: "*",
  });
  const Attributes = { Policy: fromSns, VisibilityTimeout: "10" };
  await sqs.send(new CreateQueueCommand({ QueueName: "arrived", Attributes }));
  const EventSourceArn = arn("sqs", "arrived");
  const { UUID } = await lambda.send(
    new CreateEventSourceMappingCommand({ FunctionName: forward, EventSourceArn, BatchSize: 10 }),
  );
  while ((await lambda.send(new GetEventSourceMappingCommand({ UUID }))).State !== "Enabled") await sleep(20);
  const sns = new SNSClient(options);
  const fromS3 = policyOf({
    Principal: { Service: "s3.amazonaws.com" },
    Action: "sns:Publish",
    Resource: "*",
  });
  const { TopicArn } = await sns.send(
    new CreateTopicCommand({ Name: "arrived", Attributes: { Policy: fromS3 } }),
  );
  await sns.send(
    new SubscribeCommand({
      TopicArn,
      Protocol: "sqs",
      Endpoint: EventSourceArn,
      Attributes: { RawMessageDelivery: "true" },
    }),
  );
  const s3 = new S3Client(options);
  await s3.send(new CreateBucketCommand({ Bucket }));
  const NotificationConfiguration = {
    TopicConfigurations: [{ TopicArn, Events: ["s3:ObjectCreated:*" as const] }],
  };
  await s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration }));
  for (const client of [lambda, iam, events, sqs, sns, s3]) client.destroy();
}

/** Puts objects until the server is gone, which it is once so many were accepted. Answers the keys of those. */
async function putUntilKilled(life: Life, round: number): Promise<string[]> {
  const { endpoint } = await life.server;
  const s3 = new S3Client({ ...clientOptions(endpoint), maxAttempts: 1 });
  const accepted: string[] = [];
  let killed: Promise<void> | undefined;
  const writer = async (number: number) => {
    for (let n = number; ; n += WRITERS) {
      const Key = `${round}-${n}`;
      await s3.send(new PutObjectCommand({ Bucket, Key, Body: "text" }));
      accepted.push(Key);
      if (accepted.length >= PER_LIFE) killed ??= life.kill();
    }
  };
  await Promise.allSettled(Array.from({ length: WRITERS }, (_, number) => writer(number)));
  s3.destroy();
  await killed;
  assert.ok(accepted.length >= PER_LIFE);
  return accepted;
}

test("S3, SNS, SQS, Lambda, EventBridge, Lambda: over ten kills every object that was accepted comes through", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "lambent-chain-"));
  const file = join(folder, "recorded");
  const life = new Life(["--port", "0", "--data-dir", join(folder, "data"), "--sandbox", "process"]);
  try {
    await prepare((await life.server).endpoint, file);
    const accepted: string[] = [];
    for (let round = 0; round < KILLS; round++) accepted.push(...(await putUntilKilled(life, round)));
    const recorded = async () => (await readFile(file, "utf8").catch(() => "")).split("\n").slice(0, -1);
    const missing = async () => {
      const seen = new Set(await recorded());
      return accepted.filter((key) => !seen.has(key));
    };
    for (const end = Date.now() + WAIT_MS_MAX; (await missing()).length > 0; await sleep(100))
      assert.ok(Date.now() < end, `missing of ${accepted.length}: ${(await missing()).join(" ")}`);
    const all = await recorded();
    t.diagnostic(`${accepted.length} accepted, ${all.length - new Set(all).size} recorded again`);
  } finally {
    await (await life.server).terminate();
    await rm(folder, { recursive: true, force: true });
  }
});
