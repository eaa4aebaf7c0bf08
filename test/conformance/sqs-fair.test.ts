/** Fair queues: messages of quiet groups of a standard queue come before those of noisy ones, and none is lost by it. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DeleteQueueCommand, PurgeQueueCommand, StartMessageMoveTaskCommand } from "@aws-sdk/client-sqs";
import type { Message } from "@aws-sdk/client-sqs";
import { MovableClock } from "../../src/kit/movable-clock.ts";
import { startSqs } from "../harness/sqs.ts";
import type { SqsSetting, TestQueue } from "../harness/sqs.ts";

const clock = new MovableClock();
let setting: SqsSetting;
before(async () => {
  setting = await startSqs({ clock });
});
after(() => setting.stop());

/** Longer than what is known of groups is kept for. */
const LOOK_MS = 1_000;

const numbered = (group: string, count: number) => Array.from({ length: count }, (_, n) => `${group}${n}`);
const groupsOf = (messages: readonly Message[]) =>
  messages.map(({ Attributes = {} }) => Attributes.MessageGroupId ?? "").join("");

/** Receives of a queue until so many messages are in flight. */
async function holdInFlight(queue: TestQueue, count: number): Promise<Message[]> {
  const held: Message[] = [];
  while (held.length < count)
    held.push(...(await queue.receive({ MaxNumberOfMessages: Math.min(10, count - held.length) })));
  await clock.advance(LOOK_MS);
  return held;
}

/** A queue in which group `a` has thirty messages in flight, and more that wait. */
async function noisyQueue(waiting: number, attributes: Record<string, string> = {}) {
  const queue = await setting.queue({ VisibilityTimeout: "3600", ...attributes });
  await queue.sendAll(numbered("a", 30 + waiting), "a");
  return { queue, held: await holdInFlight(queue, 30) };
}

async function drain(queue: TestQueue): Promise<string[]> {
  const all: string[] = [];
  for (let messages = await queue.receive(); messages.length > 0; messages = await queue.receive()) {
    all.push(...messages.map(({ Body = "" }) => Body));
    await queue.delete(...messages);
  }
  return all;
}

test("ReceiveMessage gives a quiet group's messages first, however many of a noisy one wait before them", async () => {
  const { queue, held } = await noisyQueue(120);
  await queue.sendAll(numbered("b", 3), "b");
  await queue.send("alone");
  const first = await queue.receive();
  assert.equal(groupsOf(first), "bbbaaaaaa");
  assert.ok(first.slice(0, 4).some(({ Body }) => Body === "alone"));
  assert.deepEqual(await queue.counts(), [114, 40, 0]);
  await queue.delete(...held, ...first);
  // With fewer than thirty in flight, what the group has taken of the consumers' time still tells.
  await clock.advance(LOOK_MS);
  await queue.sendAll(numbered("c", 2), "c");
  assert.equal(groupsOf(await queue.receive()), "ccaaaaaaaa");
  // That is forgotten after five minutes; then it is as good as any other, and in order.
  await clock.advance(301_000);
  await queue.sendAll(["last"], "a");
  await queue.sendAll(["d"], "d");
  await clock.advance(LOOK_MS);
  assert.equal(groupsOf(await queue.receive()), "aaaaaaaaaa");
  assert.deepEqual((await drain(queue)).slice(-2), ["last", "d"]);
  assert.deepEqual(await queue.counts(), [0, 20, 0]);
});

test("a group with less than a tenth of what is in flight is not noisy, nor one to which nothing was sent for five minutes", async () => {
  const { queue } = await noisyQueue(20);
  await clock.advance(300_000);
  await queue.sendAll(numbered("b", 2), "b");
  assert.equal(groupsOf(await queue.receive()), "aaaaaaaaaa");
  // Sent to again, it is.
  await queue.sendAll(["again"], "a");
  await clock.advance(LOOK_MS);
  assert.equal(groupsOf(await queue.receive()).slice(0, 3), "bba");
  const crowd = await setting.queue({ VisibilityTimeout: "3600" });
  await crowd.sendAll(numbered("many", 270));
  await holdInFlight(crowd, 270);
  await crowd.sendAll(numbered("a", 32), "a");
  await holdInFlight(crowd, 30);
  await crowd.sendAll(["b"], "b");
  assert.equal(groupsOf(await crowd.receive()), "aab");
});

test("of several noisy groups the one with the fewest messages in flight comes first", async () => {
  const { queue } = await noisyQueue(10);
  await queue.sendAll(numbered("b", 45), "b");
  // By now only b's can come, of which thirty-five are then in flight.
  assert.equal(groupsOf(await holdInFlight(queue, 35)), "b".repeat(35));
  assert.equal(groupsOf(await queue.receive()), "aaaaaaaaaa");
  assert.equal(groupsOf(await queue.receive()), "bbbbbbbbbb");
});

test("a group whose messages take more than a tenth of the consumers' time is noisy with few in flight", async () => {
  const queue = await setting.queue({ VisibilityTimeout: "3600" });
  await queue.sendAll(numbered("a", 12), "a");
  const slow = await queue.receive({ MaxNumberOfMessages: 2 });
  await clock.advance(20_000);
  await queue.delete(...slow);
  await queue.sendAll(numbered("b", 2), "b");
  assert.equal(groupsOf(await queue.receive()), "bbaaaaaaaa");
});

test("DeleteMessage of a message that is visible again and set aside; PurgeQueue and DeleteQueue take what is aside", async () => {
  const { queue } = await noisyQueue(60, { VisibilityTimeout: "60" });
  const [late] = await queue.receive({ MaxNumberOfMessages: 1 });
  await clock.advance(61_000);
  await holdInFlight(queue, 30);
  await queue.sendAll(["b"], "b");
  assert.deepEqual(await queue.bodies({ MaxNumberOfMessages: 1 }), ["b"]);
  const [waiting] = await queue.counts();
  assert.ok(late);
  await queue.delete(late);
  assert.deepEqual(await queue.counts(), [waiting - 1, 31, 0]);
  await setting.client.send(new PurgeQueueCommand({ QueueUrl: queue.url }));
  assert.deepEqual(await queue.counts(), [0, 0, 0]);
  await setting.client.send(new DeleteQueueCommand({ QueueUrl: queue.url }));
});

test("StartMessageMoveTask moves what is set aside too", async () => {
  const { queue } = await noisyQueue(50);
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: queue.arn, maxReceiveCount: 1 });
  const source = await setting.queue({ RedrivePolicy });
  await queue.sendAll(["b"], "b");
  assert.deepEqual(await queue.bodies({ MaxNumberOfMessages: 1 }), ["b"]);
  await setting.client.send(
    new StartMessageMoveTaskCommand({ SourceArn: queue.arn, DestinationArn: source.arn }),
  );
  for (let tries = 0; (await source.counts())[0] < 50 && tries < 100; tries++) await clock.advance(1_000);
  assert.deepEqual(await source.counts(), [50, 0, 0]);
  assert.deepEqual(await queue.counts(), [0, 31, 0]);
});
