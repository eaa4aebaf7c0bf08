/** Event source mappings of Kinesis: events, batches, starting positions, filters, lanes. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { GetEventSourceMappingCommand } from "@aws-sdk/client-lambda";
import { ran, startStreams, taken, textsOf, until, numbered } from "./stream-setting.ts";
import type { StreamSetting } from "./stream-setting.ts";

let setting: StreamSetting;
before(async () => {
  setting = await startStreams({ shardThroughput: 0 });
});
after(() => setting?.stop());

test("CreateEventSourceMapping of a stream: AWS's defaults, then its records in AWS's shape", async () => {
  const recorder = await setting.record();
  const stream = await setting.stream();
  await setting.put(stream, ["Hello, this is a test."], () => "1");
  const { $metadata: _, UUID, LastModified, ...mapping } = await setting.map(recorder, stream);
  assert.match(UUID ?? "", /^[0-9a-f-]{36}$/);
  assert.ok(LastModified instanceof Date);
  assert.deepEqual(mapping, {
    BatchSize: 100,
    BisectBatchOnFunctionError: false,
    DestinationConfig: { OnFailure: {} },
    EventSourceArn: stream,
    EventSourceMappingArn: `arn:aws:lambda:us-east-1:000000000000:event-source-mapping:${UUID}`,
    FunctionArn: `arn:aws:lambda:us-east-1:000000000000:function:${recorder.name}`,
    FunctionResponseTypes: [],
    LastProcessingResult: "No records processed",
    MaximumBatchingWindowInSeconds: 0,
    MaximumRecordAgeInSeconds: -1,
    MaximumRetryAttempts: -1,
    ParallelizationFactor: 1,
    StartingPosition: "TRIM_HORIZON",
    State: "Creating",
    StateTransitionReason: "User action",
    TumblingWindowInSeconds: 0,
  });
  const [run] = await ran(recorder, 1);
  const [record] = run?.event.Records ?? [];
  assert.ok(run && record);
  const { sequenceNumber, approximateArrivalTimestamp } = record.kinesis;
  assert.deepEqual(run.event, {
    Records: [
      {
        kinesis: {
          kinesisSchemaVersion: "1.0",
          partitionKey: "1",
          sequenceNumber,
          data: "SGVsbG8sIHRoaXMgaXMgYSB0ZXN0Lg==",
          approximateArrivalTimestamp,
        },
        eventSource: "aws:kinesis",
        eventVersion: "1.0",
        eventID: `shardId-000000000000:${sequenceNumber}`,
        eventName: "aws:kinesis:record",
        invokeIdentityArn: setting.role,
        awsRegion: "us-east-1",
        eventSourceARN: stream,
      },
    ],
  });
  assert.ok(Math.abs(approximateArrivalTimestamp * 1_000 - Date.now()) < 60_000);
  await until("the result is told", async () => {
    const now = await setting.lambda.send(new GetEventSourceMappingCommand({ UUID }));
    return now.State === "Enabled" && now.LastProcessingResult === "OK";
  });
});

test("a batch holds BatchSize records at most, and what is there goes at once", async () => {
  const recorder = await setting.record();
  const stream = await setting.stream();
  await setting.put(stream, numbered(25));
  await setting.map(recorder, stream, { BatchSize: 10 });
  const runs = await ran(recorder, 3);
  assert.deepEqual(
    runs.map((run) => run.event.Records.length),
    [10, 10, 5],
  );
  assert.deepEqual(runs.flatMap(textsOf), numbered(25));
  const putAt = Date.now();
  await setting.put(stream, ["one more"]);
  const last = (await ran(recorder, 4)).at(-1);
  assert.deepEqual(last && textsOf(last), ["one more"]);
  assert.ok(last && last.began - putAt < 1_000, "nothing waits for a polling period");
});

test("MaximumBatchingWindowInSeconds gathers; a full batch does not wait for it", async () => {
  const recorder = await setting.record();
  const stream = await setting.stream();
  await setting.map(recorder, stream, { BatchSize: 4, MaximumBatchingWindowInSeconds: 1 });
  const putAt = Date.now();
  await setting.put(stream, ["a"]);
  await sleep(200);
  await setting.put(stream, ["b", "c"]);
  const [first] = await ran(recorder, 1);
  assert.ok(first);
  assert.deepEqual(textsOf(first), ["a", "b", "c"]);
  assert.ok(first.began - putAt >= 1_000, `after ${first.began - putAt} ms`);
  const fullAt = Date.now();
  await setting.put(stream, ["d", "e", "f", "g"]);
  const [, second] = await ran(recorder, 2);
  assert.ok(second && second.began - fullAt < 900);
  assert.deepEqual(textsOf(second), ["d", "e", "f", "g"]);
});

test("a batch is cut before its event is larger than 6 MB", async () => {
  const recorder = await setting.record("event.Records = event.Records.map(({ eventID }) => ({ eventID }));");
  const stream = await setting.stream(1);
  // In base64 each is 1.2 MB: five fit.
  for (let at = 0; at < 7; at++) await setting.put(stream, [Buffer.alloc(900_000, at)]);
  await setting.map(recorder, stream);
  const runs = await ran(recorder, 2);
  assert.deepEqual(
    runs.map((run) => run.event.Records.length),
    [5, 2],
  );
});

test("StartingPosition: LATEST begins with what comes after the mapping, AT_TIMESTAMP with a time, TRIM_HORIZON with all", async () => {
  const stream = await setting.stream();
  await setting.put(stream, ["before"]);
  await sleep(50);
  const time = new Date();
  await sleep(50);
  await setting.put(stream, ["between"]);
  const recorders = await Promise.all([0, 1, 2].map(() => setting.record()));
  const [latest, at, all] = recorders;
  assert.ok(latest && at && all);
  await sleep(20);
  await Promise.all([
    setting.map(latest, stream, { StartingPosition: "LATEST" }),
    setting.map(at, stream, { StartingPosition: "AT_TIMESTAMP", StartingPositionTimestamp: time }),
    setting.map(all, stream),
  ]);
  await setting.put(stream, ["after"]);
  for (const recorder of recorders)
    await until("the last record has come", async () => (await taken(recorder)).includes("after"));
  assert.deepEqual(await taken(latest), ["after"]);
  assert.deepEqual(await taken(at), ["between", "after"]);
  assert.deepEqual(await taken(all), ["before", "between", "after"]);
});

test("FilterCriteria: records that do not match are skipped and counted", async () => {
  const recorder = await setting.record();
  const stream = await setting.stream();
  const { UUID } = await setting.map(recorder, stream, {
    FilterCriteria: {
      Filters: [
        { Pattern: JSON.stringify({ data: { color: ["red"] } }) },
        { Pattern: JSON.stringify({ partitionKey: ["special"] }) },
      ],
    },
    MetricsConfig: { Metrics: ["EventCount"] },
  });
  const data = [
    { color: "red", n: 1 },
    { color: "blue", n: 2 },
    { color: "blue", n: 3 },
    { color: "red", n: 4 },
  ];
  await setting.put(
    stream,
    [...data.map((one) => JSON.stringify(one)), "no JSON", Buffer.from([0xff, 0xfe])],
    (place) => (place === 2 ? "special" : "key"),
  );
  await until("all that match have come", async () => (await taken(recorder)).length === 3);
  const seen = (await taken(recorder)).map((text) => (JSON.parse(text) as { n: number }).n);
  assert.deepEqual(seen, [1, 3, 4]);
  const counted = async (metric: string) => {
    const text = await (await fetch(new URL("/_lambent/metrics", setting.server.endpoint))).text();
    const line = text
      .split("\n")
      .find((one) => one.startsWith(`aws_lambda_${metric}`) && one.includes(UUID ?? ""));
    return Number(line?.split(" ").at(-1));
  };
  assert.equal(await counted("polled_event_count_total"), 6);
  assert.equal(await counted("filtered_out_event_count_total"), 3);
  assert.equal(await counted("invoked_event_count_total"), 3);
  const text = await (await fetch(new URL("/_lambent/metrics", setting.server.endpoint))).text();
  assert.match(
    text,
    new RegExp(`aws_lambda_iterator_age_milliseconds_count{[^}]*function_name="${recorder.name}"`),
  );
});

test("ParallelizationFactor: so many batches of a shard at once, and order within each key", async () => {
  const recorder = await setting.record("await sleep(30);");
  const stream = await setting.stream();
  const keys = numbered(8);
  await setting.put(
    stream,
    Array.from({ length: 160 }, (_, at) => `${at % 8}:${Math.floor(at / 8)}`),
    (place) => keys[place % 8] ?? "",
  );
  await setting.map(recorder, stream, { ParallelizationFactor: 4, BatchSize: 5 });
  await until("all have come", async () => (await taken(recorder)).length === 160);
  const runs = await recorder.runs();
  const atOnce = (run: { began: number }) =>
    runs.filter(({ began, ended }) => began <= run.began && run.began < ended).length;
  const most = Math.max(...runs.map(atOnce));
  assert.ok(most > 1 && most <= 4, `${most} at once`);
  for (const key of keys) {
    const ofKey = runs.flatMap(textsOf).filter((text) => text.startsWith(`${key}:`));
    assert.deepEqual(
      ofKey,
      numbered(20).map((place) => `${key}:${place}`),
    );
  }
});
