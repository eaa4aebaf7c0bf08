/** Queues as event sources: what a function gets, in which batches, and what its answer does to the messages. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { startSources, until } from "./queue-setting.ts";
import type { Queue, SourcesSetting } from "./queue-setting.ts";

let setting: SourcesSetting;
before(async () => {
  setting = await startSources();
});
after(async () => setting?.stop());

const NOTE_BODIES = "note(event.Records.map(({ body }) => body));";

const isEmpty = (queue: Queue) => async () => {
  const { visible, inFlight } = await setting.counts(queue);
  return visible + inFlight === 0;
};

test("a message is an event of AWS's shape, with attributes of every kind, and is deleted when the function has succeeded", async () => {
  const queue = await setting.queue("shape");
  const name = await setting.consumer("note({ event, arn: context.invokedFunctionArn });");
  await setting.map(name, queue);
  const sent = await setting.sqs.send(
    new SendMessageCommand({
      QueueUrl: queue.url,
      MessageBody: "Hello from SQS!",
      MessageAttributes: {
        text: { DataType: "String", StringValue: "fizzbuzz" },
        number: { DataType: "Number.int", StringValue: "7" },
        bytes: { DataType: "Binary", BinaryValue: Buffer.from("\u0001\u0002") },
      },
      MessageSystemAttributes: {
        AWSTraceHeader: { DataType: "String", StringValue: "Root=1-5759e988-bd862e3fe1be46a994272793" },
      },
    }),
  );
  const [note] = await setting.noted<{ event: { Records: Record<string, unknown>[] }; arn: string }>(name, 1);
  assert.deepEqual(Object.keys(note?.event ?? {}), ["Records"]);
  assert.equal(note?.event.Records.length, 1);
  const { attributes, receiptHandle, ...record } = note?.event.Records[0] ?? assert.fail();
  assert.deepEqual(record, {
    messageId: sent.MessageId,
    body: "Hello from SQS!",
    md5OfBody: sent.MD5OfMessageBody,
    md5OfMessageAttributes: sent.MD5OfMessageAttributes,
    messageAttributes: {
      text: { stringValue: "fizzbuzz", stringListValues: [], binaryListValues: [], dataType: "String" },
      number: { stringValue: "7", stringListValues: [], binaryListValues: [], dataType: "Number.int" },
      bytes: { binaryValue: "AQI=", stringListValues: [], binaryListValues: [], dataType: "Binary" },
    },
    eventSource: "aws:sqs",
    eventSourceARN: queue.arn,
    awsRegion: "us-east-1",
  });
  assert.ok(typeof receiptHandle === "string" && receiptHandle.length > 0);
  const { SentTimestamp, ApproximateFirstReceiveTimestamp, SenderId, ...rest } = attributes as Record<
    string,
    string
  >;
  assert.deepEqual(rest, {
    ApproximateReceiveCount: "1",
    AWSTraceHeader: "Root=1-5759e988-bd862e3fe1be46a994272793",
  });
  assert.ok(Number(SentTimestamp) <= Number(ApproximateFirstReceiveTimestamp));
  assert.ok(SenderId);
  await until(isEmpty(queue));
});

test("a batch has at most BatchSize messages, which wait for others as long as the window", async () => {
  const queue = await setting.queue("window", { VisibilityTimeout: "10" });
  const name = await setting.consumer(NOTE_BODIES);
  await setting.map(name, queue, { BatchSize: 15, MaximumBatchingWindowInSeconds: 1 });
  const began = Date.now();
  await setting.send(
    queue,
    Array.from({ length: 10 }, (_, at) => `first ${at}`),
  );
  await sleep(200);
  await setting.send(
    queue,
    Array.from({ length: 8 }, (_, at) => `second ${at}`),
  );
  const batches = await setting.noted<string[]>(name, (found) => found.flat().length === 18);
  assert.deepEqual(
    batches.map(({ length }) => length),
    [15, 3],
  );
  assert.ok(Date.now() - began >= 1_000, "the rest waited for its window");
});

test("without a window a message waits for nothing, and a batch is never larger than BatchSize", async () => {
  const queue = await setting.queue("sizes");
  await setting.send(
    queue,
    Array.from({ length: 30 }, (_, at) => String(at)),
  );
  const name = await setting.consumer(NOTE_BODIES);
  await setting.map(name, queue, { BatchSize: 4 });
  const batches = await setting.noted<string[]>(name, (found) => found.flat().length === 30);
  assert.ok(batches.every(({ length }) => length >= 1 && length <= 4));
  assert.equal(new Set(batches.flat()).size, 30);
  await setting.send(queue, ["alone"]);
  await setting.noted<string[]>(name, (found) => found.flat().includes("alone"));
  await until(isEmpty(queue));
});

test("a batch is cut at 6 MB of payload", async () => {
  const queue = await setting.queue("large", { MaximumMessageSize: "1048576", VisibilityTimeout: "10" });
  const name = await setting.consumer("note([event.Records.length, JSON.stringify(event).length]);", {
    Timeout: 10,
  });
  // As JSON they are twice as long.
  const bodies = Array.from({ length: 8 }, () => '"'.repeat(1_000_000));
  for (const body of bodies) await setting.send(queue, [body]);
  await setting.map(name, queue, { BatchSize: 100, MaximumBatchingWindowInSeconds: 1 });
  const batches = await setting.noted<[number, number]>(
    name,
    (found) => found.reduce((sum, [count]) => sum + count, 0) === 8,
  );
  for (const [count, size] of batches)
    assert.ok(count <= 3 && size <= 6_291_456, `${count} in ${size} bytes`);
  await until(isEmpty(queue));
});

test("filters let by what matches, and what does not is deleted", async () => {
  const queue = await setting.queue("filtered");
  const name = await setting.consumer(NOTE_BODIES);
  const Filters = [
    { Pattern: JSON.stringify({ body: { city: ["Seattle"], n: [{ numeric: [">", 10] }] } }) },
    { Pattern: JSON.stringify({ messageAttributes: { kind: { stringValue: [{ prefix: "ur" }] } } }) },
  ];
  await setting.map(name, queue, { FilterCriteria: { Filters } });
  const wanted = '{"city":"Seattle","n":11}';
  await setting.send(
    queue,
    [wanted, '{"city":"Seattle","n":10}', '{"city":"Paris","n":11}', "plain text", "urgent"],
    (body) =>
      body === "urgent" ? { MessageAttributes: { kind: { DataType: "String", StringValue: "urgent" } } } : {},
  );
  await until(isEmpty(queue));
  assert.deepEqual((await setting.notes<string[]>(name)).flat().toSorted(), ["urgent", wanted].toSorted());
});

test("with ReportBatchItemFailures only what the function names comes again; bad answers fail the whole batch", async () => {
  const queue = await setting.queue("partial", { VisibilityTimeout: "1" });
  // Each message says what the function answers at its first receive; at the second all is well.
  const name = await setting.consumer(`
    const times = event.Records.map(({ attributes }) => Number(attributes.ApproximateReceiveCount));
    note(event.Records.map(({ body }, at) => [body, times[at]]));
    if (times[0] > 1) return {};
    const answer = event.Records[0].messageAttributes.answer?.stringValue ?? "null";
    return JSON.parse(answer.replaceAll("OWN", event.Records[0].messageId));`);
  await setting.map(name, queue, { BatchSize: 1, FunctionResponseTypes: ["ReportBatchItemFailures"] });
  const good = ["null", "{}", '{"batchItemFailures":[]}', '{"batchItemFailures":null}', '""'];
  const bad = [
    '{"batchItemFailures":[{"itemIdentifier":"OWN"}]}',
    '{"batchItemFailures":[{"itemIdentifier":"other"}]}',
    '{"batchItemFailures":[{"itemIdentifier":""}]}',
    '{"batchItemFailures":[{"itemIdentifier":null}]}',
    '{"batchItemFailures":[{"id":"OWN"}]}',
  ];
  await setting.send(queue, [...good, ...bad], (StringValue) => ({
    MessageAttributes: { answer: { DataType: "String", StringValue } },
  }));
  await until(isEmpty(queue));
  const notes = (await setting.notes<[string, number][]>(name)).flat();
  const timesOf = (body: string) =>
    Math.max(...notes.filter(([one]) => one === body).map(([, times]) => times));
  for (const body of good) assert.equal(timesOf(body), 1, body);
  for (const body of bad) assert.equal(timesOf(body), 2, body);
});

test("of a batch only the failed items come again", async () => {
  const queue = await setting.queue("items");
  await setting.send(queue, ["a", "bad", "c"]);
  const name = await setting.consumer(`
    ${NOTE_BODIES}
    const failed = event.Records.filter(({ body, attributes }) => body === "bad" && attributes.ApproximateReceiveCount === "1");
    return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };`);
  await setting.map(name, queue, { FunctionResponseTypes: ["ReportBatchItemFailures"] });
  const batches = await setting.noted<string[]>(name, 2);
  assert.deepEqual(
    batches.map((batch) => batch.toSorted()),
    [["a", "bad", "c"], ["bad"]],
  );
  await until(isEmpty(queue));
});

test("what a function reports means nothing where the mapping does not ask for it", async () => {
  const queue = await setting.queue("unasked");
  const name = await setting.consumer(`
    ${NOTE_BODIES}
    return { batchItemFailures: event.Records.map(({ messageId }) => ({ itemIdentifier: messageId })) };`);
  await setting.map(name, queue);
  await setting.send(queue, ["once"]);
  await setting.noted(name, 1);
  await until(isEmpty(queue));
  assert.equal((await setting.notes(name)).length, 1);
});
