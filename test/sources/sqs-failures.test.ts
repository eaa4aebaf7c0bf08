/** Queues as event sources when things go wrong: errors, throttles, lost permissions, functions and queues that go away, loops. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DetachRolePolicyCommand, AttachRolePolicyCommand, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import {
  DeleteFunctionCommand,
  DeleteFunctionConcurrencyCommand,
  PutFunctionConcurrencyCommand,
} from "@aws-sdk/client-lambda";
import { ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { makeReader, startSources, until } from "./queue-setting.ts";
import type { Queue, SourcesSetting } from "./queue-setting.ts";

let setting: SourcesSetting;
before(async () => {
  setting = await startSources();
});
after(async () => setting?.stop());

const NOTE_COUNTS = `note(event.Records.map(({ body, attributes }) => [body, Number(attributes.ApproximateReceiveCount)]));`;
type Counted = [string, number][];

async function withDeadLetters(
  name: string,
  maxReceiveCount: number,
  VisibilityTimeout = "1",
): Promise<[Queue, Queue]> {
  const dead = await setting.queue(`${name}-dead`);
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount });
  return [await setting.queue(name, { RedrivePolicy, VisibilityTimeout }), dead];
}

async function receiveOne({ url }: Queue): Promise<string | undefined> {
  const { Messages } = await setting.sqs.send(
    new ReceiveMessageCommand({ QueueUrl: url, WaitTimeSeconds: 10 }),
  );
  return Messages?.[0]?.Body;
}

test("a batch that fails comes again when its visibility timeout has passed, and goes to the dead letters after its receives", async () => {
  const [queue, dead] = await withDeadLetters("failing", 2);
  const name = await setting.consumer(`${NOTE_COUNTS} throw new Error("on purpose");`);
  const uuid = await setting.map(name, queue);
  const began = Date.now();
  await setting.send(queue, ["poison"]);
  assert.equal(await receiveOne(dead), "poison");
  assert.ok(Date.now() - began >= 2_000, "each receive hid it for a second");
  assert.deepEqual((await setting.notes<Counted>(name)).flat(), [
    ["poison", 1],
    ["poison", 2],
  ]);
  assert.equal((await setting.mapping(uuid)).LastProcessingResult, "PROBLEM: Function call failed");
});

test("a function that times out or crashes leaves its messages too", async () => {
  const [queue, dead] = await withDeadLetters("crashing", 1);
  const name = await setting.consumer(
    `if (event.Records[0].body === "hang") await new Promise((resolve) => setTimeout(resolve, 60_000)); process.exit(7);`,
  );
  await setting.map(name, queue, { BatchSize: 1 });
  await setting.send(queue, ["hang", "crash"]);
  assert.deepEqual(new Set([await receiveOne(dead), await receiveOne(dead)]), new Set(["crash", "hang"]));
});

test("throttles hold nothing against a message: it is there again with its receives as they were, and runs when there is room", async () => {
  const [queue, dead] = await withDeadLetters("throttled", 1);
  const name = await setting.consumer(NOTE_COUNTS);
  const limit = (ReservedConcurrentExecutions: number) =>
    setting.lambda.send(
      new PutFunctionConcurrencyCommand({ FunctionName: name, ReservedConcurrentExecutions }),
    );
  await limit(0);
  const uuid = await setting.map(name, queue);
  await setting.send(queue, ["patient"]);
  await until(async () => /throttled/.test((await setting.mapping(uuid)).LastProcessingResult ?? ""));
  await setting.lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName: name }));
  assert.deepEqual(await setting.noted<Counted>(name, 1), [[["patient", 1]]]);
  await until(async () => (await setting.mapping(uuid)).LastProcessingResult === undefined);
  assert.deepEqual(await setting.counts(dead), { visible: 0, inFlight: 0 });
});

test("of a function with little concurrency all messages run, each received once", async () => {
  const queue = await setting.queue("narrow", { VisibilityTimeout: "30" });
  const name = await setting.consumer(
    `${NOTE_COUNTS} await new Promise((resolve) => setTimeout(resolve, 5));`,
  );
  await setting.lambda.send(
    new PutFunctionConcurrencyCommand({ FunctionName: name, ReservedConcurrentExecutions: 2 }),
  );
  await setting.map(name, queue, { BatchSize: 1 });
  const bodies = Array.from({ length: 30 }, (_, at) => String(at));
  await setting.send(queue, bodies);
  const notes = (await setting.noted<Counted>(name, (found) => found.length >= 30)).flat();
  assert.deepEqual(new Set(notes.map(([body]) => body)), new Set(bodies));
  assert.deepEqual(
    notes.filter(([, count]) => count > 1),
    [],
  );
});

test("a quick function that becomes slow gets no message late: what was received ahead of it goes back", async () => {
  const queue = await setting.queue("ahead", { VisibilityTimeout: "3" });
  const name = await setting.consumer(
    `${NOTE_COUNTS} if (event.Records[0].body === "slow") await new Promise((resolve) => setTimeout(resolve, 2_000));`,
    { Timeout: 3 },
  );
  await setting.map(name, queue, { BatchSize: 1 });
  await setting.send(
    queue,
    Array.from({ length: 40 }, () => "quick"),
  );
  await setting.noted(name, 40);
  await setting.send(
    queue,
    Array.from({ length: 15 }, () => "slow"),
  );
  await setting.noted(name, 55);
  await until(async () => {
    const { visible, inFlight } = await setting.counts(queue);
    return visible + inFlight === 0;
  });
  const notes = (await setting.notes<Counted>(name)).flat();
  assert.equal(notes.length, 55);
  assert.deepEqual(
    notes.filter(([, count]) => count > 1),
    [],
  );
});

test("a role that may no longer read shows in the mapping, which goes on when it may again", async () => {
  const RoleName = "changing";
  const PolicyArn = "arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole";
  const Role = await makeReader(setting, RoleName);
  const queue = await setting.queue("changing");
  const name = await setting.consumer(NOTE_COUNTS, { Role });
  const uuid = await setting.map(name, queue);
  await setting.iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn }));
  await setting.send(queue, ["kept"]);
  await until(
    async () =>
      (await setting.mapping(uuid)).LastProcessingResult ===
      "PROBLEM: The provided execution role does not have permissions to call ReceiveMessage on SQS",
  );
  assert.deepEqual(await setting.notes(name), []);
  await setting.iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn }));
  assert.deepEqual((await setting.noted<Counted>(name, 1)).flat(), [["kept", 1]]);
});

test("a function that is deleted shows in the mapping, and its messages stay", async () => {
  const queue = await setting.queue("orphaned");
  const name = await setting.consumer(NOTE_COUNTS);
  const uuid = await setting.map(name, queue);
  await setting.lambda.send(new DeleteFunctionCommand({ FunctionName: name }));
  await setting.send(queue, ["waiting"]);
  await until(async () =>
    /PROBLEM: Function not found/.test((await setting.mapping(uuid)).LastProcessingResult ?? ""),
  );
  await setting.consumer(NOTE_COUNTS, { FunctionName: name });
  assert.deepEqual((await setting.noted<Counted>(name, 1)).flat(), [["waiting", 1]]);
});

test("a function that sends to its own queue is stopped after sixteen runs", async () => {
  const [queue, dead] = await withDeadLetters("loop", 1, "3");
  await setting.iam.send(
    new PutRolePolicyCommand({
      RoleName: "reader",
      PolicyName: "loop",
      PolicyDocument: JSON.stringify({
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Action: "sqs:SendMessage", Resource: queue.arn }],
      }),
    }),
  );
  const name = await setting.consumer(
    `note(event.Records[0].body);
    const { SQSClient, SendMessageCommand } = await import("@aws-sdk/client-sqs");
    const MessageBody = String(Number(event.Records[0].body) + 1);
    await new SQSClient({}).send(new SendMessageCommand({ QueueUrl: process.env.QUEUE, MessageBody }));`,
    { Timeout: 3, Environment: { Variables: { QUEUE: queue.url } } },
  );
  await setting.map(name, queue);
  await setting.send(queue, ["1"]);
  await setting.noted(name, 16);
  assert.equal(await receiveOne(dead), "17");
  assert.equal((await setting.notes(name)).length, 16);
});
