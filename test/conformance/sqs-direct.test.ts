/** Plain requests go past the models; that they are answered exactly as all others are is shown by sending each both ways. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startSqs } from "../harness/sqs.ts";
import type { SqsSetting, TestQueue } from "../harness/sqs.ts";
import { rawRequest, scope } from "../protocol/raw-request.ts";

let setting: SqsSetting;
let standard: TestQueue;
let fifo: TestQueue;
before(async () => {
  setting = await startSqs();
  standard = await setting.queue({ VisibilityTimeout: "0" });
  fifo = await setting.queue({
    FifoQueue: "true",
    ContentBasedDeduplication: "true",
    VisibilityTimeout: "0",
  });
});
after(() => setting.stop());

/** @param isPlain Whether it is as the SDKs send it; one header that nobody knows makes it another. */
async function call(operation: string, input: unknown, isPlain: boolean) {
  const body = typeof input === "string" ? input : JSON.stringify(input);
  const response = await rawRequest(Number(new URL(setting.server.endpoint).port), {
    headers: {
      ...scope("sqs"),
      "content-type": "application/x-amz-json-1.0",
      "content-length": String(Buffer.byteLength(body)),
      "x-amz-target": `AmazonSQS.${operation}`,
      ...(!isPlain && { "x-unknown": "1" }),
    },
    body,
  });
  assert.match(String(response.headers["x-amzn-requestid"]), /^[0-9a-f-]{36}$/);
  const { status, headers } = response;
  return { status, headers, body: JSON.parse(response.body.toString()) as Record<string, unknown> };
}

/** What differs from one message to the next. */
function withoutNames(body: unknown): unknown {
  const text = JSON.stringify(body, (name, value: unknown) =>
    ["MessageId", "ReceiptHandle", "SequenceNumber"].includes(name) ? typeof value : value,
  );
  return JSON.parse(text);
}

test("SendMessage, SendMessageBatch, ReceiveMessage, DeleteMessage and DeleteMessageBatch answer alike both ways, errors too", async () => {
  const bodies = (more: object) => [0, 1, 2].map((n) => ({ Id: String(n), MessageBody: `m${n}`, ...more }));
  for (const { url: QueueUrl, isFifo } of [
    { url: standard.url, isFifo: false },
    { url: fifo.url, isFifo: true },
  ]) {
    const group = isFifo ? { MessageGroupId: "g" } : {};
    const calls: readonly (readonly [string, unknown])[] = [
      ["SendMessage", { QueueUrl, MessageBody: "Grüße 🎈", ...group }],
      ["SendMessage", { QueueUrl, MessageBody: "" }],
      ["SendMessage", { QueueUrl, MessageBody: "\u0001", ...group }],
      ["SendMessage", { QueueUrl, MessageBody: 7 }],
      ["SendMessage", { QueueUrl, MessageBody: "late", DelaySeconds: 901, ...group }],
      ["SendMessage", { QueueUrl, MessageBody: "late", DelaySeconds: 1.5, ...group }],
      ["SendMessage", { QueueUrl: `${QueueUrl}-none`, MessageBody: "m" }],
      ["SendMessage", "no json"],
      ["SendMessageBatch", { QueueUrl, Entries: bodies(group) }],
      ["SendMessageBatch", { QueueUrl, Entries: [...bodies(group), { Id: "bad", MessageBody: "\u0001" }] }],
      ["SendMessageBatch", { QueueUrl, Entries: [] }],
      ["SendMessageBatch", { QueueUrl, Entries: [{ Id: "a", MessageBody: "m" }, null] }],
      ["ReceiveMessage", { QueueUrl, MaxNumberOfMessages: 1 }],
      ["ReceiveMessage", { QueueUrl, MaxNumberOfMessages: 11 }],
      ["ReceiveMessage", { QueueUrl, WaitTimeSeconds: 21 }],
      ["DeleteMessage", { QueueUrl, ReceiptHandle: "nonsense" }],
      ["DeleteMessage", { QueueUrl }],
      ["DeleteMessageBatch", { QueueUrl, Entries: [{ Id: "a", ReceiptHandle: "nonsense" }] }],
      ["DeleteMessageBatch", { QueueUrl, Entries: [{ Id: "a" }] }],
    ];
    for (const [operation, input] of calls) {
      const [plain, other] = [await call(operation, input, true), await call(operation, input, false)];
      const told = (answer: typeof plain) => ({
        ...answer,
        body: withoutNames(answer.body),
        headers: answer.headers["content-type"],
      });
      assert.deepEqual(told(plain), told(other), `${operation} ${JSON.stringify(input)}`);
    }
    const received = await call(
      "ReceiveMessage",
      { QueueUrl, VisibilityTimeout: 60, MaxNumberOfMessages: 2 },
      true,
    );
    const [first, second] = received.body["Messages"] as { ReceiptHandle: string }[];
    const ReceiptHandle = first?.ReceiptHandle;
    assert.deepEqual((await call("DeleteMessage", { QueueUrl, ReceiptHandle }, true)).body, {});
    const Entries = [{ Id: "a", ReceiptHandle: second?.ReceiptHandle }];
    assert.deepEqual((await call("DeleteMessageBatch", { QueueUrl, Entries }, true)).body, {
      Successful: [{ Id: "a" }],
      Failed: [],
    });
  }
});

test("what a policy says holds on the direct way: a queue that has one does not take it", async () => {
  const queue = await setting.queue();
  const input = { QueueUrl: queue.url, MessageBody: "m" };
  assert.equal((await call("SendMessage", input, true)).status, 200);
  const Statement = { Effect: "Deny", Principal: "*", Action: "sqs:SendMessage", Resource: queue.arn };
  const Policy = JSON.stringify({ Version: "2012-10-17", Statement });
  await call("SetQueueAttributes", { QueueUrl: queue.url, Attributes: { Policy } }, true);
  assert.equal((await call("SendMessage", input, true)).status, 400);
});
