/** Queues with SqsManagedSseEnabled: what is kept of their messages' bodies is encrypted, and nobody who receives notices. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  StartMessageMoveTaskCommand,
} from "@aws-sdk/client-sqs";
import { queueAt, refusal, startSqs } from "../harness/sqs.ts";
import type { SqsSetting, TestQueue } from "../harness/sqs.ts";

const ENCRYPTED = { SqsManagedSseEnabled: "true" };
let dataDir: string;
let setting: SqsSetting;
before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "lambent-test-"));
  setting = await startSqs({ dataDir });
});
after(async () => {
  await setting.stop();
  await rm(dataDir, { recursive: true });
});

const md5 = (text: string) => createHash("md5").update(text).digest("hex");

/** Receives until nothing is left. */
async function receiveAll(queue: TestQueue): Promise<string[]> {
  const all: string[] = [];
  for (let messages = await queue.receive(); messages.length > 0; messages = await queue.receive())
    for (const { Body = "", MD5OfBody } of messages) {
      assert.equal(MD5OfBody, md5(Body));
      all.push(Body);
    }
  return all.toSorted();
}

/** Whether a text stands anywhere in the data directory. */
async function isKept(text: string): Promise<boolean> {
  for (const entry of await readdir(dataDir, { recursive: true, withFileTypes: true }))
    if (entry.isFile() && (await readFile(join(entry.parentPath, entry.name))).includes(text)) return true;
  return false;
}

test("bodies are encrypted where they are kept, and received as they were sent", async () => {
  const queue = await setting.queue(ENCRYPTED);
  const open = await setting.queue();
  await open.send("Written in the open");
  const MessageAttributes = { n: { DataType: "String", StringValue: "An attribute is not encrypted" } };
  const body = "A quiet word: \u{1f92b} ünïcode";
  const sent = await setting.client.send(
    new SendMessageCommand({ QueueUrl: queue.url, MessageBody: body, MessageAttributes }),
  );
  assert.equal(sent.MD5OfMessageBody, md5(body));
  await queue.sendAll(["A quiet word, together", "A quiet word, together"]);
  await queue.send("A quiet word, later", { DelaySeconds: 1 });
  assert.deepEqual(
    [await isKept("quiet word"), await isKept(md5(body)), await isKept("in the open")],
    [false, false, true],
  );
  assert.equal(await isKept("An attribute is not"), true);
  // Without attributes, and with them.
  const { Messages: [first] = [] } = await setting.client.send(
    new ReceiveMessageCommand({ QueueUrl: queue.url, VisibilityTimeout: 0 }),
  );
  assert.deepEqual([first?.Body, first?.MD5OfBody], [body, md5(body)]);
  const bodies = [body, "A quiet word, together", "A quiet word, together"];
  assert.deepEqual(await receiveAll(queue), bodies.toSorted());
  assert.equal(await isKept("quiet word"), false);
});

test("FIFO queues find duplicates by content; a message of 1 MiB fits; the attribute counts as others do", async () => {
  const queue = await setting.queue({ ...ENCRYPTED, FifoQueue: "true", ContentBasedDeduplication: "true" });
  await queue.sendAll(["twice", "twice", "once"], "g");
  assert.deepEqual(await queue.bodies(), ["twice", "once"]);
  const large = "x".repeat(1024 * 1024);
  const standard = await setting.queue(ENCRYPTED);
  await standard.send(large);
  assert.equal((await standard.bodies())[0] === large, true);
  const { Attributes } = await setting.client.send(
    new GetQueueAttributesCommand({ QueueUrl: standard.url, AttributeNames: ["SqsManagedSseEnabled"] }),
  );
  assert.deepEqual(Attributes, ENCRYPTED);
  const create = (Attributes: Record<string, string>) =>
    refusal(setting.client.send(new CreateQueueCommand({ QueueName: standard.name, Attributes })));
  assert.equal(await create(ENCRYPTED), "(accepted)");
  assert.match(await create({ SqsManagedSseEnabled: "false" }), /^QueueNameExists: .*SqsManagedSseEnabled/);
});

test("what is moved to dead letters and back, turned on and off, and kept over a restart, is read all the same", async () => {
  const letters = await setting.queue();
  const redrive = JSON.stringify({ deadLetterTargetArn: letters.arn, maxReceiveCount: 1 });
  const queue = await setting.queue({ ...ENCRYPTED, RedrivePolicy: redrive });
  const change = (SqsManagedSseEnabled: string) =>
    setting.client.send(
      new SetQueueAttributesCommand({ QueueUrl: queue.url, Attributes: { SqsManagedSseEnabled } }),
    );
  await queue.send("whispered");
  await queue.receive({ VisibilityTimeout: 0 });
  assert.deepEqual(await queue.bodies(), []);
  assert.deepEqual(await letters.bodies({ VisibilityTimeout: 0 }), ["whispered"]);
  assert.equal(await isKept("whispered"), false);
  await change("false");
  assert.equal(await queue.attribute("SqsManagedSseEnabled"), "false");
  await queue.send("said aloud");
  await change("true");
  await setting.client.send(new StartMessageMoveTaskCommand({ SourceArn: letters.arn }));
  await setting.stop();
  setting = await startSqs({ dataDir });
  const again: TestQueue = queueAt(setting.client, queue.url);
  while ((await again.counts())[0] < 2) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(await receiveAll(again), ["said aloud", "whispered"]);
});
