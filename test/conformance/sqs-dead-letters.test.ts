/** Dead letters: redrive policies, who allows them, and tasks that move messages back. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  CancelMessageMoveTaskCommand,
  CreateQueueCommand,
  DeleteQueueCommand,
  ListMessageMoveTasksCommand,
  SQSClient,
  SetQueueAttributesCommand,
  StartMessageMoveTaskCommand,
} from "@aws-sdk/client-sqs";
import type { ListMessageMoveTasksResultEntry } from "@aws-sdk/client-sqs";
import { MovableClock } from "../../src/kit/movable-clock.ts";
import { spawnServer } from "../harness/process.ts";
import { clientOptions } from "../harness/server.ts";
import { queueAt, refusal, startSqs } from "../harness/sqs.ts";
import type { SqsSetting, TestQueue } from "../harness/sqs.ts";

const clock = new MovableClock();
let setting: SqsSetting;
before(async () => {
  setting = await startSqs({ clock });
});
after(() => setting.stop());

const redriveTo = (letters: { readonly arn: string }, maxReceiveCount = 1) =>
  JSON.stringify({ deadLetterTargetArn: letters.arn, maxReceiveCount });

/** A queue whose messages go to another one after one receive. */
async function pair(more: Record<string, string> = {}): Promise<[source: TestQueue, letters: TestQueue]> {
  const letters = await setting.queue(more);
  return [await setting.queue({ ...more, RedrivePolicy: redriveTo(letters) }), letters];
}

/** Receives messages and does nothing with them, until they are dead letters. */
async function kill(source: TestQueue): Promise<void> {
  await source.receive({ VisibilityTimeout: 0 });
  assert.deepEqual(await source.receive(), []);
}

async function tasksOf(
  source: TestQueue,
  client = setting.client,
): Promise<ListMessageMoveTasksResultEntry[]> {
  const { Results = [] } = await client.send(
    new ListMessageMoveTasksCommand({ SourceArn: source.arn, MaxResults: 10 }),
  );
  return Results;
}

async function untilEnded(
  source: TestQueue,
  client = setting.client,
): Promise<ListMessageMoveTasksResultEntry> {
  for (let attempt = 0; attempt < 400; attempt++) {
    const [task] = await tasksOf(source, client);
    if (task && !["RUNNING", "CANCELLING"].includes(task.Status ?? "")) return task;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error("the task goes on");
}

test("a message that was received too often is moved, and keeps its id, attributes and counts", async () => {
  const [source, letters] = await pair();
  const { id } = await source.send("m", {
    MessageAttributes: { a: { DataType: "String", StringValue: "1" } },
  });
  const [before] = await source.receive({ VisibilityTimeout: 0 });
  const waiting = letters.receive({ WaitTimeSeconds: 20 });
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(await source.receive(), []);
  const [letter] = await waiting;
  assert.equal(letter?.MessageId, id);
  assert.deepEqual(letter.MessageAttributes, before?.MessageAttributes);
  assert.equal(letter.Attributes?.SentTimestamp, before?.Attributes?.SentTimestamp);
  assert.equal(letter.Attributes?.ApproximateReceiveCount, "2");
  assert.equal(letter.Attributes.DeadLetterQueueSourceArn, source.arn);
  assert.deepEqual(await source.counts(), [0, 0, 0]);
});

test("dead letters of a FIFO queue keep their group and order, and let the group go on", async () => {
  const [source, letters] = await pair({ FifoQueue: "true", ContentBasedDeduplication: "true" });
  await source.sendAll(["1", "2"], "g");
  await source.receive({ MaxNumberOfMessages: 1, VisibilityTimeout: 0 });
  assert.deepEqual(await source.bodies(), ["2"]);
  const [letter] = await letters.receive();
  assert.deepEqual([letter?.Body, letter?.Attributes?.MessageGroupId], ["1", "g"]);
  assert.equal(letter?.Attributes?.MessageDeduplicationId, letter?.MessageId);
});

test("where the dead-letter queue is gone, messages stay", async () => {
  const [source, letters] = await pair();
  await source.send("m");
  await setting.client.send(new DeleteQueueCommand({ QueueUrl: letters.url }));
  for (const count of ["1", "2", "3"]) {
    const [message] = await source.receive({ VisibilityTimeout: 0 });
    assert.equal(message?.Attributes?.ApproximateReceiveCount, count);
  }
});

test("CreateQueue and SetQueueAttributes refuse redrive policies that cannot work", async () => {
  const letters = await setting.queue();
  const source = await setting.queue();
  const set = (target: TestQueue, name: string, value: unknown) =>
    refusal(
      setting.client.send(
        new SetQueueAttributesCommand({
          QueueUrl: target.url,
          Attributes: { [name]: typeof value === "string" ? value : JSON.stringify(value) },
        }),
      ),
    );
  const redrive = (value: unknown) => set(source, "RedrivePolicy", value);
  assert.match(
    await redrive("no json"),
    /^InvalidParameterValue: Value no json for parameter RedrivePolicy is invalid/,
  );
  assert.match(
    await redrive({ maxReceiveCount: 1 }),
    /does not contain mandatory attribute: deadLetterTargetArn/,
  );
  assert.match(
    await redrive({ deadLetterTargetArn: letters.arn }),
    /does not contain mandatory attribute: maxReceiveCount/,
  );
  for (const maxReceiveCount of [0, 1_001, "x"])
    assert.match(
      await redrive({ deadLetterTargetArn: letters.arn, maxReceiveCount }),
      /Invalid value for maxReceiveCount/,
    );
  assert.match(
    await redrive({ deadLetterTargetArn: `${letters.arn}-nowhere`, maxReceiveCount: 1 }),
    /Dead letter target does not exist/,
  );
  const fifo = await setting.queue({ FifoQueue: "true" });
  assert.match(
    await redrive({ deadLetterTargetArn: fifo.arn, maxReceiveCount: 1 }),
    /must be same type of queue as the source/,
  );
  const other = letters.arn.replace("us-east-1", "eu-west-1");
  assert.match(await redrive({ deadLetterTargetArn: other, maxReceiveCount: 1 }), /^InvalidParameterValue/);
  const policy = { deadLetterTargetArn: letters.arn, maxReceiveCount: 1 };
  await set(letters, "RedriveAllowPolicy", { redrivePermission: "denyAll" });
  assert.match(await redrive(policy), /redrive allow policy does not allow/);
  await set(letters, "RedriveAllowPolicy", { redrivePermission: "byQueue", sourceQueueArns: [source.arn] });
  assert.equal(await redrive(policy), "(accepted)");
  for (const bad of [
    { redrivePermission: "byQueue" },
    { redrivePermission: "some" },
    { redrivePermission: "allowAll", sourceQueueArns: [source.arn] },
  ])
    assert.match(
      await set(letters, "RedriveAllowPolicy", bad),
      /^InvalidParameterValue: Value .* for parameter RedriveAllowPolicy/,
    );
});

test("StartMessageMoveTask gives dead letters back to their source, as new messages", async () => {
  const [source, letters] = await pair();
  await source.sendAll(Array.from({ length: 250 }, (_, n) => String(n)));
  for (let left = 250; left > 0;) left -= (await source.receive({ VisibilityTimeout: 0 })).length;
  const [first] = await letters.receive({ MaxNumberOfMessages: 1 });
  assert.deepEqual(first, undefined, "nothing has been moved yet");
  await kill(source);
  while ((await source.counts())[0] > 0) await source.receive();
  const id = (await letters.receive({ VisibilityTimeout: 0, MaxNumberOfMessages: 1 }))[0]?.MessageId;
  await setting.client.send(new StartMessageMoveTaskCommand({ SourceArn: letters.arn }));
  const task = await untilEnded(letters);
  assert.deepEqual(
    [
      task.Status,
      task.ApproximateNumberOfMessagesMoved,
      task.ApproximateNumberOfMessagesToMove,
      task.TaskHandle,
    ],
    ["COMPLETED", 250, 250, undefined],
  );
  assert.deepEqual(await letters.counts(), [0, 0, 0]);
  assert.deepEqual(await source.counts(), [250, 0, 0]);
  const [message] = await source.receive();
  assert.equal(message?.Attributes?.ApproximateReceiveCount, "1");
  assert.equal(message.Attributes.DeadLetterQueueSourceArn, undefined);
  assert.notEqual(message.MessageId, id);
});

test("a task to another queue, at a rate, ListMessageMoveTasks and CancelMessageMoveTask", async () => {
  const [source, letters] = await pair();
  const target = await setting.queue();
  await source.sendAll(["a", "b", "c"]);
  await kill(source);
  const { TaskHandle } = await setting.client.send(
    new StartMessageMoveTaskCommand({
      SourceArn: letters.arn,
      DestinationArn: target.arn,
      MaxNumberOfMessagesPerSecond: 1,
    }),
  );
  const [running] = await tasksOf(letters);
  assert.deepEqual(
    [running?.Status, running?.TaskHandle, running?.DestinationArn, running?.MaxNumberOfMessagesPerSecond],
    ["RUNNING", TaskHandle, target.arn, 1],
  );
  const again = new StartMessageMoveTaskCommand({ SourceArn: letters.arn });
  assert.match(
    await refusal(setting.client.send(again)),
    /^InvalidParameterValue: There is already a task running/,
  );
  while ((await target.counts())[0] < 1) await new Promise((resolve) => setTimeout(resolve, 10));
  await clock.advance(1_000);
  while ((await target.counts())[0] < 2) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.deepEqual(await letters.counts(), [1, 0, 0]);
  const cancel = () => setting.client.send(new CancelMessageMoveTaskCommand({ TaskHandle }));
  assert.equal((await cancel()).ApproximateNumberOfMessagesMoved, 2);
  assert.match(await refusal(cancel()), /^ResourceNotFoundException/);
  await clock.advance(1_000);
  assert.equal((await untilEnded(letters)).Status, "CANCELLED");
  assert.deepEqual(await letters.counts(), [1, 0, 0]);
});

test("CancelMessageMoveTask refuses handles of no task", async () => {
  const cancel = (TaskHandle: string) =>
    refusal(setting.client.send(new CancelMessageMoveTaskCommand({ TaskHandle })));
  assert.equal(await cancel("x"), "InvalidParameterValue: Value for parameter TaskHandle is invalid.");
  const [, letters] = await pair();
  const handle = (sourceArn: string) =>
    Buffer.from(JSON.stringify({ taskId: "nothing", sourceArn })).toString("base64");
  assert.match(
    await cancel(handle(`${letters.arn}x`)),
    /^ResourceNotFoundException: .* the SourceArn parameter/,
  );
  assert.equal(await cancel(handle(letters.arn)), "ResourceNotFoundException: Task does not exist.");
});

test("tasks of FIFO queues keep the order of groups", async () => {
  const [source, letters] = await pair({ FifoQueue: "true", ContentBasedDeduplication: "true" });
  await source.sendAll(["1", "2", "3"], "g");
  await source.sendAll(["x"], "h");
  await kill(source);
  await setting.client.send(new StartMessageMoveTaskCommand({ SourceArn: letters.arn }));
  await untilEnded(letters);
  const bodies = await source.bodies();
  assert.deepEqual(
    bodies.filter((body) => body !== "x"),
    ["1", "2", "3"],
  );
  assert.equal(bodies.length, 4);
});

test("StartMessageMoveTask refuses what cannot be moved, and a task that cannot go on says why", async () => {
  const [, letters] = await pair();
  const plain = await setting.queue();
  const start = (input: {
    SourceArn: string;
    DestinationArn?: string;
    MaxNumberOfMessagesPerSecond?: number;
  }) => refusal(setting.client.send(new StartMessageMoveTaskCommand(input)));
  assert.equal(
    await start({ SourceArn: plain.arn }),
    "InvalidParameterValue: Source queue must be configured as a Dead Letter Queue.",
  );
  assert.equal(
    await start({ SourceArn: `${plain.arn}x` }),
    "ResourceNotFoundException: The resource that you specified for the SourceArn parameter doesn't exist.",
  );
  assert.match(
    await start({ SourceArn: letters.arn, MaxNumberOfMessagesPerSecond: 501 }),
    /^InvalidParameterValue/,
  );
  assert.match(
    await start({ SourceArn: letters.arn, DestinationArn: letters.arn }),
    /^InvalidParameterValue/,
  );
  await letters.send("nobody's");
  assert.equal(await start({ SourceArn: letters.arn }), "(accepted)");
  const task = await untilEnded(letters);
  assert.deepEqual([task.Status, task.FailureReason], ["FAILED", "CouldNotDetermineMessageSource"]);
});

test("a task runs for no longer than 36 hours", async () => {
  const [source, letters] = await pair();
  await source.sendAll(["a", "b", "c"]);
  await kill(source);
  await setting.client.send(
    new StartMessageMoveTaskCommand({ SourceArn: letters.arn, MaxNumberOfMessagesPerSecond: 1 }),
  );
  while ((await letters.counts())[0] > 2) await new Promise((resolve) => setTimeout(resolve, 10));
  await clock.leap(36 * 3_600_000);
  const task = await untilEnded(letters);
  assert.deepEqual(
    [task.Status, task.FailureReason, task.ApproximateNumberOfMessagesMoved],
    ["FAILED", "TaskTimedOut", 1],
  );
  assert.deepEqual(await letters.counts(), [2, 0, 0]);
});

test("a task goes on after kill -9", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "lambent-moves-"));
  const flags = ["--data-dir", dataDir, "--port", "0", "--sandbox", "process"];
  const first = await spawnServer(flags);
  try {
    const client = new SQSClient(clientOptions(first.endpoint));
    const make = async (QueueName: string, Attributes: Record<string, string> = {}) =>
      queueAt(client, (await client.send(new CreateQueueCommand({ QueueName, Attributes }))).QueueUrl ?? "");
    const letters = await make("letters");
    const source = await make("source", { RedrivePolicy: redriveTo(letters) });
    await source.sendAll(Array.from({ length: 10 }, (_, n) => String(n)));
    await kill(source);
    const input = { SourceArn: letters.arn, MaxNumberOfMessagesPerSecond: 10 };
    await client.send(new StartMessageMoveTaskCommand(input));
    await first.kill();
  } finally {
    await first.kill();
  }
  const second = await spawnServer(flags);
  try {
    const client = new SQSClient(clientOptions(second.endpoint));
    const at = (name: string) => queueAt(client, `${second.endpoint}/000000000000/${name}`);
    const task = await untilEnded(at("letters"), client);
    assert.deepEqual([task.Status, task.ApproximateNumberOfMessagesMoved], ["COMPLETED", 10]);
    assert.equal(new Set(await at("source").bodies()).size, 10);
  } finally {
    await second.kill();
    await rm(dataDir, { recursive: true, force: true });
  }
});
