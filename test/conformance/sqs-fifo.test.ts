/** FIFO queues: order and blocking of message groups, deduplication, attempts to receive. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  ChangeMessageVisibilityCommand,
  SendMessageBatchCommand,
  SetQueueAttributesCommand,
} from "@aws-sdk/client-sqs";
import { MovableClock } from "../../src/kit/movable-clock.ts";
import { refusal, startSqs } from "../harness/sqs.ts";
import type { SqsSetting } from "../harness/sqs.ts";

const clock = new MovableClock();
let setting: SqsSetting;
before(async () => {
  setting = await startSqs({ clock });
});
after(() => setting.stop());

const fifo = (more: Record<string, string> = {}) =>
  setting.queue({ FifoQueue: "true", ContentBasedDeduplication: "true", ...more });

test("a group's messages come in order, and while one is in flight no more of its group do", async () => {
  const queue = await fifo();
  await queue.sendAll(["a1", "a2", "a3"], "a");
  await queue.sendAll(["b1"], "b");
  assert.deepEqual(await queue.bodies({ MaxNumberOfMessages: 2 }), ["a1", "a2"]);
  assert.deepEqual(await queue.bodies(), ["b1"]);
  assert.deepEqual(await queue.bodies(), []);
  await clock.advance(30_000);
  const again = await queue.receive({ MaxNumberOfMessages: 2 });
  assert.deepEqual(
    again.map(({ Body }) => Body),
    ["a1", "a2"],
  );
  await queue.delete(...again.slice(1));
  assert.deepEqual(await queue.bodies(), ["b1"]);
  await queue.delete(...again.slice(0, 1));
  const rest = await queue.receive();
  assert.deepEqual(
    rest.map(({ Body, Attributes }) => [Body, Attributes?.MessageGroupId]),
    [["a3", "a"]],
  );
});

test("two receivers that wait never get messages of one group at once", async () => {
  const queue = await fifo();
  const waiting = Promise.all(
    [1, 2, 3].map(() => queue.receive({ WaitTimeSeconds: 20, MaxNumberOfMessages: 1 })),
  );
  await new Promise((resolve) => setTimeout(resolve, 50));
  const entry = (MessageBody: string, MessageGroupId: string) => ({
    Id: MessageBody,
    MessageBody,
    MessageGroupId,
  });
  await setting.client.send(
    new SendMessageBatchCommand({
      QueueUrl: queue.url,
      Entries: [entry("a1", "a"), entry("a2", "a"), entry("b1", "b"), entry("b2", "b")],
    }),
  );
  await new Promise((resolve) => setTimeout(resolve, 200));
  await clock.advance(20_000);
  assert.deepEqual(
    (await waiting).map(([message]) => message?.Body),
    ["a1", "b1", undefined],
  );
});

test("a message that becomes visible again goes before the others of its group", async () => {
  const queue = await fifo();
  await queue.sendAll(["1", "2", "3"], "g");
  const [first] = await queue.receive({ MaxNumberOfMessages: 1 });
  await setting.client.send(
    new ChangeMessageVisibilityCommand({
      QueueUrl: queue.url,
      ReceiptHandle: first?.ReceiptHandle,
      VisibilityTimeout: 0,
    }),
  );
  const again = await queue.receive();
  assert.deepEqual(
    again.map(({ Body, Attributes }) => [Body, Attributes?.ApproximateReceiveCount]),
    [
      ["1", "2"],
      ["2", "1"],
      ["3", "1"],
    ],
  );
});

test("a receipt handle whose timeout is over deletes nothing", async () => {
  const queue = await fifo();
  await queue.sendAll(["m"], "g");
  const [message] = await queue.receive({ VisibilityTimeout: 1 });
  await clock.advance(1_500);
  assert.match(
    await refusal(queue.delete(message ?? {})),
    /^InvalidParameterValue: .*The receipt handle has expired/,
  );
  assert.deepEqual(await queue.counts(), [1, 0, 0]);
});

test("duplicates within five minutes are accepted and not delivered, by content or by id", async () => {
  const queue = await fifo();
  const send = (body: string, id?: string, group = "g") =>
    queue.send(body, { MessageGroupId: group, ...(id !== undefined && { MessageDeduplicationId: id }) });
  const first = await send("same");
  assert.deepEqual(await send("same"), first);
  assert.deepEqual(await send("same", undefined, "other-group"), first);
  const named = await send("one", "id");
  assert.deepEqual(await send("two", "id"), named);
  assert.ok(BigInt(named.sequence) > BigInt(first.sequence));
  const messages = await queue.receive();
  assert.deepEqual(
    messages.map(({ Body, Attributes }) => [Body, Attributes?.MessageDeduplicationId?.length]),
    [
      ["same", 64],
      ["one", 2],
    ],
  );
  await queue.delete(...messages);
  assert.deepEqual(await send("two", "id"), named, "deleted, and still a duplicate");
  await clock.advance(300_001);
  await send("two", "id");
  assert.deepEqual(await queue.bodies(), ["two"]);
});

test("with DeduplicationScope messageGroup each group has its own duplicates", async () => {
  const queue = await fifo({ DeduplicationScope: "messageGroup", FifoThroughputLimit: "perMessageGroupId" });
  for (const group of ["a", "b", "a"]) await queue.sendAll(["same"], group);
  const messages = await queue.receive();
  assert.deepEqual(
    messages.map(({ Attributes }) => Attributes?.MessageGroupId),
    ["a", "b"],
  );
});

test("SendMessage to a FIFO queue needs a group and, unless by content, a deduplication id", async () => {
  const queue = await setting.queue({ FifoQueue: "true" });
  assert.equal(
    await refusal(queue.send("m")),
    "MissingParameter: The request must contain the parameter MessageGroupId.",
  );
  assert.match(
    await refusal(queue.send("m", { MessageGroupId: "g" })),
    /^InvalidParameterValue: The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided/,
  );
  const named = { MessageGroupId: "g", MessageDeduplicationId: "d" };
  assert.match(
    await refusal(queue.send("m", { ...named, DelaySeconds: 1 })),
    /parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid for this queue type/,
  );
  for (const bad of ["", "a b", "x".repeat(129)])
    assert.match(
      await refusal(queue.send("m", { ...named, MessageGroupId: bad })),
      /can only include alphanumeric and punctuation/,
    );
  const together = (second: object) =>
    setting.client.send(
      new SendMessageBatchCommand({
        QueueUrl: queue.url,
        Entries: [
          { Id: "1", MessageBody: "m", ...named },
          { Id: "2", MessageBody: "m", ...second },
        ],
      }),
    );
  assert.equal(
    await refusal(together({ MessageDeduplicationId: "e" })),
    "InvalidParameterValue: The request must contain the parameter MessageGroupId.",
  );
  assert.match(
    await refusal(together({ MessageGroupId: "g" })),
    /^InvalidParameterValue: The queue should either have ContentBasedDeduplication enabled/,
  );
  assert.deepEqual(await queue.bodies(), []);
  const { Successful = [], Failed = [] } = await together({ ...named, MessageGroupId: "a b" });
  assert.equal(Successful[0]?.SequenceNumber?.length, 20);
  assert.deepEqual(
    Failed.map(({ Id, Code }) => [Id, Code]),
    [["2", "InvalidParameterValue"]],
  );
});

test("ReceiveMessage with a ReceiveRequestAttemptId gets the same messages again, with the same receipt handles", async () => {
  const queue = await fifo();
  await queue.sendAll(["1", "2"], "g");
  const attempt = (id: string) => queue.receive({ ReceiveRequestAttemptId: id });
  const first = await attempt("one");
  await clock.advance(10_000);
  const again = await attempt("one");
  assert.deepEqual(
    again.map(({ ReceiptHandle }) => ReceiptHandle),
    first.map(({ ReceiptHandle }) => ReceiptHandle),
  );
  assert.equal(again[0]?.Attributes?.ApproximateReceiveCount, "1");
  assert.deepEqual(await attempt("two"), []);
  // Hidden anew: 30 seconds from the second attempt on.
  await clock.advance(25_000);
  assert.deepEqual(await queue.receive(), []);
  await queue.delete(...again.slice(0, 1));
  assert.deepEqual(await attempt("one"), [], "one of them is deleted: a receive like any other");
});

test("a FIFO queue's delay holds for messages that wait already", async () => {
  const queue = await fifo({ DelaySeconds: "100" });
  await queue.sendAll(["1", "2"], "g");
  assert.deepEqual(await queue.counts(), [0, 0, 2]);
  const waiting = queue.bodies({ WaitTimeSeconds: 20 });
  await new Promise((resolve) => setTimeout(resolve, 50));
  await setting.client.send(
    new SetQueueAttributesCommand({ QueueUrl: queue.url, Attributes: { DelaySeconds: "10" } }),
  );
  await clock.advance(10_000);
  assert.deepEqual(await waiting, ["1", "2"]);
});

test("many groups and many receivers: each group in its order, each message once", async () => {
  const queue = await fifo();
  const groups = Array.from({ length: 20 }, (_, n) => `group-${n}`);
  await Promise.all(
    groups.map((group) =>
      queue.sendAll(
        Array.from({ length: 15 }, (_, n) => `${group} ${n}`),
        group,
      ),
    ),
  );
  const seen = new Map<string, number[]>();
  await Promise.all(
    Array.from({ length: 6 }, async () => {
      for (;;) {
        const messages = await queue.receive({ MaxNumberOfMessages: 4, WaitTimeSeconds: 0 });
        if (messages.length === 0 && (await queue.counts())[0] === 0) return;
        for (const { Body = "" } of messages) {
          const [group = "", n] = Body.split(" ");
          seen.set(group, [...(seen.get(group) ?? []), Number(n)]);
        }
        await queue.delete(...messages);
      }
    }),
  );
  const inOrder = Array.from({ length: 15 }, (_, n) => n);
  for (const group of groups) assert.deepEqual(seen.get(group), inOrder, group);
});
