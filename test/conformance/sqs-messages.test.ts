/** Messages of standard queues: sending, receiving, hiding, deleting, and everything that is refused. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import {
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
} from "@aws-sdk/client-sqs";
import type { MessageAttributeValue, SendMessageBatchRequestEntry } from "@aws-sdk/client-sqs";
import { MovableClock } from "../../src/kit/movable-clock.ts";
import { refusal, startSqs } from "../harness/sqs.ts";
import type { SqsSetting } from "../harness/sqs.ts";

const clock = new MovableClock();
let setting: SqsSetting;
before(async () => {
  setting = await startSqs({ clock });
});
after(() => setting.stop());

test("SendMessage and ReceiveMessage keep the body, attributes and their MD5s, and tell when and by whom", async () => {
  const queue = await setting.queue();
  const MessageAttributes = {
    count: { DataType: "Number.int", StringValue: "12" },
    name: { DataType: "String", StringValue: "Zoë" },
    raw: { DataType: "Binary", BinaryValue: Buffer.from([0, 255, 1]) },
  };
  const body = "Grüße,\n\t<&>\r 🎈";
  const sent = await setting.client.send(
    new SendMessageCommand({
      QueueUrl: queue.url,
      MessageBody: body,
      MessageAttributes,
      MessageSystemAttributes: {
        AWSTraceHeader: { DataType: "String", StringValue: "Root=1-5e3d83c1-e6a0db584850d61342823d4c" },
      },
    }),
  );
  assert.equal(sent.MD5OfMessageBody, createHash("md5").update(body).digest("hex"));
  assert.equal(sent.MD5OfMessageAttributes, md5Of(MessageAttributes));
  assert.equal(sent.SequenceNumber, undefined);
  const [message] = await queue.receive();
  assert.equal(message?.Body, body);
  assert.equal(message.MessageId, sent.MessageId);
  assert.equal(message.MD5OfBody, sent.MD5OfMessageBody);
  assert.equal(message.MD5OfMessageAttributes, sent.MD5OfMessageAttributes);
  assert.deepEqual(message.MessageAttributes?.["count"], MessageAttributes.count);
  assert.deepEqual(
    Buffer.from(message.MessageAttributes["raw"]?.BinaryValue ?? []),
    Buffer.from([0, 255, 1]),
  );
  const { SentTimestamp, ApproximateFirstReceiveTimestamp, ...rest } = message.Attributes ?? {};
  assert.ok(Math.abs(Number(SentTimestamp) - clock.now()) < 5_000);
  assert.ok(Number(ApproximateFirstReceiveTimestamp) >= Number(SentTimestamp));
  assert.deepEqual(rest, {
    SenderId: "000000000000",
    ApproximateReceiveCount: "1",
    AWSTraceHeader: "Root=1-5e3d83c1-e6a0db584850d61342823d4c",
  });
});

function md5Of(attributes: Record<string, MessageAttributeValue>): string {
  const parts = Object.keys(attributes)
    .toSorted()
    .flatMap((name) => {
      const { DataType = "", StringValue, BinaryValue } = attributes[name] ?? {};
      const long = (bytes: Uint8Array) => {
        const length = Buffer.alloc(4);
        length.writeUInt32BE(bytes.length);
        return Buffer.concat([length, bytes]);
      };
      const value = BinaryValue ?? Buffer.from(StringValue ?? "");
      return [
        long(Buffer.from(name)),
        long(Buffer.from(DataType)),
        Buffer.from([BinaryValue ? 2 : 1]),
        long(value),
      ];
    });
  return createHash("md5").update(Buffer.concat(parts)).digest("hex");
}

test("ReceiveMessage tells the attributes that are asked for, by name or beginning, with the MD5 of those", async () => {
  const queue = await setting.queue();
  const text = (StringValue: string) => ({ DataType: "String", StringValue });
  await queue.send("m", { MessageAttributes: { "a.x": text("1"), "a.y": text("2"), b: text("3") } });
  const names = async (input: object) => {
    const [message] = await queue.receive({
      VisibilityTimeout: 0,
      MessageAttributeNames: undefined,
      MessageSystemAttributeNames: undefined,
      ...input,
    });
    return [Object.keys(message?.MessageAttributes ?? {}), Object.keys(message?.Attributes ?? {})];
  };
  assert.deepEqual(await names({}), [[], []]);
  assert.deepEqual(await names({ MessageAttributeNames: ["a.*"] }), [["a.x", "a.y"], []]);
  assert.deepEqual(await names({ MessageAttributeNames: ["b", "none"] }), [["b"], []]);
  assert.deepEqual(await names({ MessageAttributeNames: [".*"], AttributeNames: ["SenderId"] }), [
    ["a.x", "a.y", "b"],
    ["SenderId"],
  ]);
  assert.match(await refusal(queue.receive({ AttributeNames: ["Nope" as "All"] })), /^InvalidParameterValue/);
});

test("SendMessage refuses what no message may be", async () => {
  const queue = await setting.queue({ MaximumMessageSize: "1024" });
  const send = (MessageBody: string | undefined, more: object = {}) =>
    refusal(setting.client.send(new SendMessageCommand({ QueueUrl: queue.url, MessageBody, ...more })));
  assert.equal(await send(""), "MissingParameter: The request must contain the parameter MessageBody.");
  assert.equal(
    await send(undefined),
    "MissingParameter: The request must contain the parameter MessageBody.",
  );
  const long =
    "InvalidParameterValue: One or more parameters are invalid. Reason: Message must be shorter than 1024 bytes.";
  assert.equal(await send("é".repeat(513)), long);
  assert.equal(await send("a".repeat(1_024)), "(accepted)");
  const attribute = (value: object, name = "n") => ({
    MessageAttributes: { [name]: { DataType: "String", ...value } },
  });
  assert.equal(await send("a".repeat(1_016), attribute({ StringValue: "ab" })), long);
  assert.match(
    await send("\u0000"),
    /^InvalidMessageContents: Invalid binary character '#x0' was found in the message body/,
  );
  assert.match(await send("a\uffff"), /^InvalidMessageContents: Invalid binary character '#xffff'/);
  assert.match(
    await send("a", { DelaySeconds: 901 }),
    /^InvalidParameterValue: Value 901 for parameter DelaySeconds is invalid\./,
  );
  assert.match(
    await send("a", attribute({})),
    /^InvalidParameterValue: Message \(user\) attribute 'n' must contain a non-empty value of type 'String'\.$/,
  );
  assert.match(
    await send("a", attribute({ DataType: "Date", StringValue: "1" })),
    /set of supported type prefixes is Binary, Number, and String/,
  );
  assert.match(
    await send("a", attribute({ DataType: "Number", StringValue: "1x" })),
    /Can't cast the value of message \(user\) attribute 'n' to a number/,
  );
  assert.match(
    await send("a", attribute({ StringValue: "1" }, "AWS.x")),
    /^InvalidParameterValue: Invalid attribute name 'AWS.x'/,
  );
  const eleven = Object.fromEntries(
    Array.from({ length: 11 }, (_, n) => [`a${n}`, { DataType: "String", StringValue: "1" }]),
  );
  assert.match(
    await send("a", { MessageAttributes: eleven }),
    /Number of message attributes \[11\] exceeds the allowed maximum \[10\]/,
  );
  assert.match(
    await send("a", { MessageDeduplicationId: "d" }),
    /parameter MessageDeduplicationId is invalid.*not valid for this queue type/,
  );
  assert.match(
    await send("a", { MessageSystemAttributes: { Other: { DataType: "String", StringValue: "1" } } }),
    /^InvalidParameterValue/,
  );
  assert.match(
    await refusal(setting.client.send(new SendMessageCommand({ QueueUrl: "nonsense", MessageBody: "a" }))),
    /^QueueDoesNotExist/,
  );
});

test("a message of 1 MiB passes, and one byte more does not", async () => {
  const queue = await setting.queue();
  const body = "x".repeat(1024 * 1024);
  await queue.send(body);
  const [message] = await queue.receive();
  assert.equal(message?.Body?.length, body.length);
  assert.match(await refusal(queue.send(`${body}x`)), /Message must be shorter than 1048576 bytes/);
});

test("SendMessageBatch answers for each entry, and refuses batches that are none", async () => {
  const queue = await setting.queue();
  const send = (Entries: SendMessageBatchRequestEntry[]) =>
    setting.client.send(new SendMessageBatchCommand({ QueueUrl: queue.url, Entries }));
  const { Successful = [], Failed = [] } = await send([
    { Id: "good", MessageBody: "a", DelaySeconds: 0 },
    { Id: "bad", MessageBody: "\u0001" },
    { Id: "late", MessageBody: "b", DelaySeconds: 901 },
  ]);
  assert.deepEqual(
    Successful.map(({ Id }) => Id),
    ["good"],
  );
  assert.deepEqual(
    Failed.map(({ Id, SenderFault, Code }) => ({ Id, SenderFault, Code })),
    [
      { Id: "bad", SenderFault: true, Code: "InvalidMessageContents" },
      { Id: "late", SenderFault: true, Code: "InvalidParameterValue" },
    ],
  );
  assert.deepEqual(await queue.bodies(), ["a"]);
  const entry = (Id: string, MessageBody = "x") => ({ Id, MessageBody });
  assert.equal(
    await refusal(send([])),
    "EmptyBatchRequest: There should be at least one SendMessageBatchRequestEntry in the request.",
  );
  assert.equal(
    await refusal(send(Array.from({ length: 11 }, (_, n) => entry(String(n))))),
    "TooManyEntriesInBatchRequest: Maximum number of entries per request are 10. You have sent 11.",
  );
  assert.equal(await refusal(send([entry("a"), entry("a")])), "BatchEntryIdsNotDistinct: Id a repeated.");
  for (const id of ["", "a.b", "a".repeat(81)])
    assert.match(await refusal(send([entry(id)])), /^InvalidBatchEntryId/);
  const half = "x".repeat(600_000);
  // One that is too long by itself counts too.
  assert.match(await refusal(send([entry("a"), entry("b", half + half)])), /You have sent 1200001 bytes/);
  assert.equal(
    await refusal(send([entry("a", half), entry("b", half)])),
    "BatchRequestTooLong: Batch requests cannot be longer than 1048576 bytes. You have sent 1200000 bytes.",
  );
});

test("ReceiveMessage hides messages until their visibility timeout ends, and counts", async () => {
  const queue = await setting.queue({ VisibilityTimeout: "20" });
  await queue.send("m");
  const [first] = await queue.receive();
  assert.deepEqual(await queue.counts(), [0, 1, 0]);
  assert.deepEqual(await queue.receive(), []);
  await clock.advance(19_000);
  assert.deepEqual(await queue.receive(), []);
  await clock.advance(1_000);
  assert.deepEqual(await queue.counts(), [1, 0, 0]);
  const [second] = await queue.receive({ VisibilityTimeout: 100 });
  assert.equal(second?.Attributes?.ApproximateReceiveCount, "2");
  assert.equal(
    second.Attributes.ApproximateFirstReceiveTimestamp,
    first?.Attributes?.ApproximateFirstReceiveTimestamp,
  );
  assert.notEqual(second.ReceiptHandle, first?.ReceiptHandle);
  // The older handle is accepted, and deletes nothing.
  await queue.delete(first ?? {});
  await clock.advance(100_000);
  const [third] = await queue.receive({ VisibilityTimeout: 1 });
  await clock.advance(2_000);
  // The latest deletes even after its timeout, as long as nobody else has received the message.
  await queue.delete(third ?? {});
  assert.deepEqual(await queue.counts(), [0, 0, 0]);
});

test("ReceiveMessage refuses numbers out of bounds", async () => {
  const queue = await setting.queue();
  const receive = (input: object) =>
    refusal(setting.client.send(new ReceiveMessageCommand({ QueueUrl: queue.url, ...input })));
  const invalid = (value: number, parameter: string, reason: string) =>
    `InvalidParameterValue: Value ${value} for parameter ${parameter} is invalid. Reason: ${reason}, if provided.`;
  for (const value of [0, 11])
    assert.equal(
      await receive({ MaxNumberOfMessages: value }),
      invalid(value, "MaxNumberOfMessages", "Must be between 1 and 10"),
    );
  assert.equal(
    await receive({ VisibilityTimeout: 43_201 }),
    invalid(43_201, "VisibilityTimeout", "Must be between 0 and 43200"),
  );
  assert.equal(
    await receive({ WaitTimeSeconds: 21 }),
    invalid(21, "WaitTimeSeconds", "Must be >= 0 and <= 20"),
  );
  assert.match(await receive({ ReceiveRequestAttemptId: "a" }), /not valid for this queue type/);
});

test("ReceiveMessage waits for a message that is sent, becomes visible, or ends its delay; else until the time is over", async () => {
  const queue = await setting.queue({ ReceiveMessageWaitTimeSeconds: "20" });
  const waiting = Promise.all([queue.bodies(), queue.bodies(), queue.bodies()]);
  await new Promise((resolve) => setTimeout(resolve, 100));
  await queue.send("one", { DelaySeconds: 0 });
  await queue.send("two", { DelaySeconds: 5 });
  await clock.advance(5_000);
  await new Promise((resolve) => setTimeout(resolve, 100));
  await clock.advance(15_000);
  assert.deepEqual((await waiting).flat().toSorted(), ["one", "two"]);
  const again = queue.bodies();
  await new Promise((resolve) => setTimeout(resolve, 50));
  await clock.advance(10_000);
  assert.equal((await again).length, 1);
  // A caller who goes away while it waits takes no message along.
  const gone = new AbortController();
  const abandoned = setting.client.send(new ReceiveMessageCommand({ QueueUrl: queue.url }), {
    abortSignal: gone.signal,
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  gone.abort();
  await assert.rejects(abandoned);
  await new Promise((resolve) => setTimeout(resolve, 50));
  await queue.send("three");
  assert.deepEqual(await queue.bodies(), ["three"]);
});

test("delays of the queue and of a message; a standard queue's delay holds for later messages only", async () => {
  const queue = await setting.queue({ DelaySeconds: "10" });
  await queue.send("default");
  await queue.send("own", { DelaySeconds: 20 });
  await queue.send("none", { DelaySeconds: 0 });
  assert.deepEqual(await queue.counts(), [1, 0, 2]);
  await setting.client.send(
    new SetQueueAttributesCommand({ QueueUrl: queue.url, Attributes: { DelaySeconds: "0" } }),
  );
  assert.deepEqual(await queue.bodies(), ["none"]);
  await clock.advance(10_000);
  assert.deepEqual(await queue.bodies(), ["default"]);
  await clock.advance(10_000);
  assert.deepEqual(await queue.bodies(), ["own"]);
});

test("ChangeMessageVisibility and ChangeMessageVisibilityBatch move the end of the timeout", async () => {
  const queue = await setting.queue();
  await queue.sendAll(["a", "b", "c"]);
  const [a, b, c] = await queue.receive();
  const change = (ReceiptHandle: string | undefined, VisibilityTimeout: number) =>
    setting.client.send(
      new ChangeMessageVisibilityCommand({ QueueUrl: queue.url, ReceiptHandle, VisibilityTimeout }),
    );
  await change(a?.ReceiptHandle, 0);
  const [again] = await queue.receive({ VisibilityTimeout: 5 });
  assert.equal(again?.Body, "a");
  assert.match(
    await refusal(change(a?.ReceiptHandle, 5)),
    /Message does not exist or is not available for visibility timeout change/,
  );
  assert.match(
    await refusal(change(again.ReceiptHandle, 43_201)),
    /VisibilityTimeout must be an integer between 0 and 43200/,
  );
  assert.equal(
    await refusal(change("nonsense", 1)),
    'ReceiptHandleIsInvalid: The input receipt handle "nonsense" is not a valid receipt handle.',
  );
  const { Successful = [], Failed = [] } = await setting.client.send(
    new ChangeMessageVisibilityBatchCommand({
      QueueUrl: queue.url,
      Entries: [
        { Id: "b", ReceiptHandle: b?.ReceiptHandle, VisibilityTimeout: 100 },
        { Id: "c", ReceiptHandle: c?.ReceiptHandle, VisibilityTimeout: 0 },
        { Id: "x", ReceiptHandle: "nonsense", VisibilityTimeout: 0 },
      ],
    }),
  );
  assert.deepEqual(
    Successful.map(({ Id }) => Id),
    ["b", "c"],
  );
  assert.deepEqual(
    Failed.map(({ Id, Code }) => `${Id} ${Code}`),
    ["x ReceiptHandleIsInvalid"],
  );
  // Visible again, and not received since: hidden once more.
  await change(c?.ReceiptHandle, 5);
  assert.deepEqual(await queue.bodies(), []);
  await clock.advance(5_000);
  assert.deepEqual(await queue.bodies(), ["a", "c"]);
  await clock.advance(31_000);
  assert.deepEqual((await queue.bodies()).toSorted(), ["a", "c"]);
});

test("ChangeMessageVisibility hides a message for no more than twelve hours from its receipt on", async () => {
  const queue = await setting.queue();
  await queue.send("m");
  const change = (ReceiptHandle: string | undefined, VisibilityTimeout: number) =>
    refusal(
      setting.client.send(
        new ChangeMessageVisibilityCommand({ QueueUrl: queue.url, ReceiptHandle, VisibilityTimeout }),
      ),
    );
  const [first] = await queue.receive({ VisibilityTimeout: 43_200 });
  await clock.advance(3_600_000);
  assert.match(
    await change(first?.ReceiptHandle, 43_200),
    /^InvalidParameterValue: Value 43200 for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the message is beyond the limit \[43200 seconds\]/,
  );
  assert.equal(await change(first?.ReceiptHandle, 39_000), "(accepted)");
  assert.equal(await change(first?.ReceiptHandle, 0), "(accepted)");
  const [again] = await queue.receive();
  assert.equal(await change(again?.ReceiptHandle, 43_200), "(accepted)");
});

test("DeleteMessage and DeleteMessageBatch", async () => {
  const queue = await setting.queue();
  await queue.sendAll(["a", "b", "c"]);
  const [a, b, c] = await queue.receive();
  await queue.delete(a ?? {}, a ?? {});
  const { Successful = [], Failed = [] } = await setting.client.send(
    new DeleteMessageBatchCommand({
      QueueUrl: queue.url,
      Entries: [
        { Id: "b", ReceiptHandle: b?.ReceiptHandle },
        { Id: "c", ReceiptHandle: c?.ReceiptHandle },
        { Id: "x", ReceiptHandle: "?" },
      ],
    }),
  );
  assert.deepEqual(
    Successful.map(({ Id }) => Id),
    ["b", "c"],
  );
  assert.deepEqual(
    Failed.map(({ Id, Code, SenderFault }) => ({ Id, Code, SenderFault })),
    [{ Id: "x", Code: "ReceiptHandleIsInvalid", SenderFault: true }],
  );
  assert.deepEqual(await queue.counts(), [0, 0, 0]);
  const other = await setting.queue();
  const foreign = new DeleteMessageCommand({ QueueUrl: other.url, ReceiptHandle: a?.ReceiptHandle });
  assert.match(await refusal(setting.client.send(foreign)), /^ReceiptHandleIsInvalid/);
  const empty = new DeleteMessageBatchCommand({ QueueUrl: queue.url, Entries: [] });
  assert.match(
    await refusal(setting.client.send(empty)),
    /^EmptyBatchRequest: There should be at least one DeleteMessageBatchRequestEntry/,
  );
});

test("messages expire after the retention period, also while nobody looks", async () => {
  const queue = await setting.queue({ MessageRetentionPeriod: "60" });
  await queue.sendAll(["a", "b"]);
  await queue.receive({ MaxNumberOfMessages: 1 });
  await clock.advance(59_000);
  await queue.send("c");
  await clock.advance(1_500);
  assert.deepEqual(await queue.counts(), [1, 0, 0]);
  assert.deepEqual(await queue.bodies(), ["c"]);
});

test("of messages that were sent and received together, each is hidden, deleted and counted alone", async () => {
  const deadLetters = await setting.queue();
  const queue = await setting.queue({
    VisibilityTimeout: "30",
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn: deadLetters.arn, maxReceiveCount: 2 }),
  });
  await queue.sendAll(["a", "b", "c", "d", "e"]);
  const [a, b, c, ...others] = await queue.receive();
  assert.deepEqual([a?.Body, b?.Body, c?.Body, others.length], ["a", "b", "c", 2]);
  assert.deepEqual(await queue.counts(), [0, 5, 0]);
  await queue.delete(a ?? {}, c ?? {});
  assert.deepEqual(await queue.counts(), [0, 3, 0]);
  const change = new ChangeMessageVisibilityCommand({
    QueueUrl: queue.url,
    ReceiptHandle: b?.ReceiptHandle,
    VisibilityTimeout: 90,
  });
  await setting.client.send(change);
  assert.deepEqual(await queue.counts(), [0, 3, 0]);
  await clock.advance(31_000);
  assert.deepEqual(await queue.counts(), [2, 1, 0]);
  // A handle is good until the message is received again, and the count goes on where it was.
  await queue.delete(others[1] ?? {});
  const [d] = await queue.receive();
  assert.deepEqual([d?.Body, d?.Attributes?.["ApproximateReceiveCount"]], ["d", "2"]);
  await queue.delete(others[0] ?? {});
  assert.deepEqual(await queue.counts(), [0, 2, 0]);
  await clock.advance(61_000);
  assert.deepEqual(await queue.bodies(), ["b"]);
  assert.deepEqual(await deadLetters.bodies(), ["d"]);
});

test("a purge takes messages in flight too, and those in flight expire", async () => {
  const queue = await setting.queue({ MessageRetentionPeriod: "60", VisibilityTimeout: "50" });
  await queue.sendAll(["a", "b"]);
  await queue.receive();
  await setting.client.send(new PurgeQueueCommand({ QueueUrl: queue.url }));
  assert.deepEqual(await queue.counts(), [0, 0, 0]);
  await clock.advance(51_000);
  assert.deepEqual(await queue.bodies(), []);
  await queue.sendAll(["c", "d"]);
  await queue.receive();
  await clock.advance(61_000);
  assert.deepEqual(await queue.counts(), [0, 0, 0]);
  assert.deepEqual(await queue.bodies(), []);
});

test("no message is received twice, and none is left, by many receivers at once", async () => {
  const queue = await setting.queue();
  const all = Array.from({ length: 300 }, (_, n) => String(n));
  await queue.sendAll(all);
  const got: string[] = [];
  await Promise.all(
    Array.from({ length: 12 }, async () => {
      for (;;) {
        const messages = await queue.receive({ MaxNumberOfMessages: 7 });
        if (messages.length === 0) return;
        got.push(...messages.map(({ Body = "" }) => Body));
        await queue.delete(...messages);
      }
    }),
  );
  assert.deepEqual([new Set(got), got.length], [new Set(all), all.length]);
  assert.deepEqual(await queue.counts(), [0, 0, 0]);
});
