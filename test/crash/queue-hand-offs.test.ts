/** What S3 and Lambda hand to queues, over kill -9: each object that is there has had its message, and each failed event is a dead letter. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { InvokeCommand, PutFunctionEventInvokeConfigCommand } from "@aws-sdk/client-lambda";
import {
  CreateBucketCommand,
  ListObjectsV2Command,
  PutBucketNotificationConfigurationCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { ACCOUNT, settle } from "../conformance/lambda-setting.ts";
import { spawnServer } from "../harness/process.ts";
import type { ServerProcess } from "../harness/process.ts";
import { clientOptions } from "../harness/server.ts";

const Bucket = "sending";
const EVENTS = 20;
const OBJECTS = 40;
/** Longest wait for what the killed server had claimed, in milliseconds. */
const WAIT_MS_MAX = 60_000;

const FAILING = `export const handler = async (event) => { throw new Error(event.fail); };`;
const queueArn = (name: string) => `arn:aws:sqs:us-east-1:${ACCOUNT}:${name}`;
const policyOf = (statement: object) =>
  JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", ...statement }] });

/** Two queues; a bucket that notifies the one; a function whose dead letters go to the other. Answers its name. */
async function prepare({ endpoint }: ServerProcess): Promise<string> {
  const [s3, sqs] = [new S3Client(clientOptions(endpoint)), new SQSClient(clientOptions(endpoint))];
  const Policy = policyOf({ Principal: { Service: "s3.amazonaws.com" }, Action: "sqs:*", Resource: "*" });
  await sqs.send(new CreateQueueCommand({ QueueName: "sent", Attributes: { Policy } }));
  await sqs.send(new CreateQueueCommand({ QueueName: "dead" }));
  await s3.send(new CreateBucketCommand({ Bucket }));
  const QueueConfigurations = [{ QueueArn: queueArn("sent"), Events: ["s3:ObjectCreated:*" as const] }];
  const NotificationConfiguration = { QueueConfigurations };
  await s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration }));
  const { lambda, iam, create } = await settle(endpoint);
  const PolicyDocument = policyOf({ Action: ["logs:*", "sqs:SendMessage"], Resource: "*" });
  await iam.send(new PutRolePolicyCommand({ RoleName: "execution", PolicyName: "logs", PolicyDocument }));
  const FunctionName = await create(FAILING, { DeadLetterConfig: { TargetArn: queueArn("dead") } });
  await lambda.send(new PutFunctionEventInvokeConfigCommand({ FunctionName, MaximumRetryAttempts: 0 }));
  for (let n = 0; n < EVENTS; n++) {
    const Payload = JSON.stringify({ fail: `number ${n}` });
    await lambda.send(new InvokeCommand({ FunctionName, InvocationType: "Event", Payload }));
  }
  return FunctionName;
}

/** Writes objects until the server is killed, which it is in the midst of them. */
async function writeUntilKilled(server: ServerProcess): Promise<void> {
  const s3 = new S3Client(clientOptions(server.endpoint));
  let answered = 0;
  const writers = Array.from({ length: 4 }, async (_, writer) => {
    for (let i = writer; ; i += 4) {
      await s3.send(new PutObjectCommand({ Bucket, Key: `k${i}`, Body: "text" }));
      if (++answered === OBJECTS) void server.kill();
    }
  });
  await Promise.allSettled(writers);
  await server.kill();
  assert.ok(answered >= OBJECTS);
}

/** The bodies of a queue's messages, until so many have come. */
async function bodiesOf({ endpoint }: ServerProcess, queue: string, count: number): Promise<string[]> {
  const sqs = new SQSClient(clientOptions(endpoint));
  const QueueUrl = `${endpoint}/${ACCOUNT}/${queue}`;
  const bodies: string[] = [];
  for (const end = Date.now() + WAIT_MS_MAX; bodies.length < count;) {
    assert.ok(Date.now() < end, `${queue} has got ${bodies.length} of ${count}`);
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }),
    );
    bodies.push(...Messages.map(({ Body = "" }) => Body));
    const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
    if (Entries.length > 0) await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
  }
  const left = await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
  assert.equal(left.Messages, undefined, `${queue} has got more than ${count}`);
  sqs.destroy();
  return bodies;
}

test("over kill -9 each object that is there has had its message, and each failed event is a dead letter, once", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "lambent-hand-offs-"));
  const serve = () => spawnServer(["--data-dir", dataDir, "--port", "0", "--sandbox", "process"]);
  try {
    const first = await serve();
    try {
      await prepare(first);
      await writeUntilKilled(first);
    } finally {
      await first.kill();
    }
    const second = await serve();
    try {
      const s3 = new S3Client(clientOptions(second.endpoint));
      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
      s3.destroy();
      // The probe came first.
      const [, ...sent] = (await bodiesOf(second, "sent", Contents.length + 1)).toSorted(
        (a, b) => Number(b.includes("TestEvent")) - Number(a.includes("TestEvent")),
      );
      const keys = sent.map(
        (body) =>
          (JSON.parse(body) as { Records: [{ s3: { object: { key: string } } }] }).Records[0].s3.object.key,
      );
      assert.deepEqual(keys.toSorted(), Contents.map(({ Key = "" }) => Key).toSorted());
      const dead = await bodiesOf(second, "dead", EVENTS);
      const expected = Array.from({ length: EVENTS }, (_, n) => JSON.stringify({ fail: `number ${n}` }));
      assert.deepEqual(dead.toSorted(), expected.toSorted());
    } finally {
      await second.kill();
    }
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
});
