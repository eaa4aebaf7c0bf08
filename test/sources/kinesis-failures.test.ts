/** What stream mappings do when functions fail: retries, bisection, partial batches, ages, throttles, destinations. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  DeleteFunctionConcurrencyCommand,
  GetEventSourceMappingCommand,
  PutFunctionConcurrencyCommand,
} from "@aws-sdk/client-lambda";
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { CreateTopicCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { MovableClock } from "../../src/index.ts";
import { numbered, ran, startStreams, taken, textsOf, until } from "./stream-setting.ts";
import type { StreamSetting } from "./stream-setting.ts";

/** Fails while a record says `bad`. */
const FAILS_ON_BAD = `if (texts.some((text) => text.startsWith("bad"))) throw new Error("bad record");`;
/** Reports the first record that says `bad`. */
const REPORTS_BAD = `const bad = event.Records.filter((_, at) => texts[at].startsWith("bad"));
  return { batchItemFailures: bad.map((one) => ({ itemIdentifier: one.kinesis.sequenceNumber })) };`;

const clock = new MovableClock();
let setting: StreamSetting;
let s3: S3Client;
let buckets = 0;

before(async () => {
  setting = await startStreams({ clock, shardThroughput: 0 });
  s3 = new S3Client(setting.server.client());
});
after(() => setting?.stop());

interface FailureRecord {
  readonly requestContext: {
    readonly requestId: string;
    readonly functionArn: string;
    readonly condition: string;
    readonly approximateInvokeCount: number;
  };
  readonly responseContext?: Record<string, unknown>;
  readonly version: string;
  readonly timestamp: string;
  readonly KinesisBatchInfo: Record<string, string | number>;
  readonly payload: string;
}

/** A bucket of its own for a test's discarded batches. */
async function bucket(): Promise<{
  arn: string;
  records(): Promise<FailureRecord[]>;
  keys(): Promise<string[]>;
}> {
  const Bucket = `discarded-${++buckets}`;
  await s3.send(new CreateBucketCommand({ Bucket }));
  const keys = async () => {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
    return Contents.map(({ Key = "" }) => Key);
  };
  return {
    arn: `arn:aws:s3:::${Bucket}`,
    keys,
    async records() {
      const found: FailureRecord[] = [];
      for (const Key of await keys()) {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
        found.push(JSON.parse((await Body?.transformToString()) ?? "") as FailureRecord);
      }
      return found.toSorted((a, b) => a.timestamp.localeCompare(b.timestamp));
    },
  };
}

const onFailure = (Destination: string) => ({ DestinationConfig: { OnFailure: { Destination } } });

test("MaximumRetryAttempts: an error blocks the shard; after the retries the batch is in its destination, and the shard goes on", async () => {
  const recorder = await setting.record(FAILS_ON_BAD);
  const stream = await setting.stream();
  const discarded = await bucket();
  await setting.put(stream, ["1", "bad", "3"]);
  const { UUID } = await setting.map(recorder, stream, {
    MaximumRetryAttempts: 2,
    ...onFailure(discarded.arn),
  });
  await ran(recorder, 3);
  await setting.put(stream, ["4"]);
  const runs = await ran(recorder, 4);
  assert.deepEqual(runs.map(textsOf), [["1", "bad", "3"], ["1", "bad", "3"], ["1", "bad", "3"], ["4"]]);
  const [first] = runs[0]?.event.Records ?? [];
  const last = runs[0]?.event.Records.at(-1);
  await until("the record is there", async () => (await discarded.records()).length > 0);
  const records = await discarded.records();
  assert.equal(records.length, 1);
  const [record] = records as [FailureRecord];
  const { requestContext, responseContext, version, timestamp, KinesisBatchInfo, payload, ...rest } = record;
  assert.match(requestContext.requestId, /^[0-9a-f-]{36}$/);
  assert.deepEqual(requestContext, {
    requestId: requestContext.requestId,
    functionArn: `arn:aws:lambda:us-east-1:000000000000:function:${recorder.name}`,
    condition: "RetryAttemptsExhausted",
    approximateInvokeCount: 3,
  });
  assert.deepEqual(responseContext, {
    statusCode: 200,
    executedVersion: "$LATEST",
    functionError: "Unhandled",
  });
  assert.equal(version, "1.0");
  assert.match(timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  const instant = (seconds = 0) => new Date(Math.round(seconds * 1_000)).toISOString();
  assert.deepEqual(KinesisBatchInfo, {
    shardId: "shardId-000000000000",
    startSequenceNumber: first?.kinesis.sequenceNumber,
    endSequenceNumber: last?.kinesis.sequenceNumber,
    approximateArrivalOfFirstRecord: instant(first?.kinesis.approximateArrivalTimestamp),
    approximateArrivalOfLastRecord: instant(last?.kinesis.approximateArrivalTimestamp),
    batchSize: 3,
    streamArn: stream,
  });
  assert.deepEqual(rest, {});
  // A bucket gets the whole event, under AWS's key.
  assert.deepEqual(JSON.parse(payload), runs[0]?.event);
  assert.match(
    (await discarded.keys())[0] ?? "",
    new RegExp(
      `^aws/lambda/${UUID}/shardId-000000000000/\\d{4}/\\d\\d/\\d\\d/\\d{4}-\\d\\d-\\d\\dT\\d\\d\\.\\d\\d\\.\\d\\d-[0-9a-f-]{36}$`,
    ),
  );
  await until("the result is told", async () => {
    const now = await setting.lambda.send(new GetEventSourceMappingCommand({ UUID }));
    return now.LastProcessingResult === "OK";
  });
});

test("without limits a batch is retried until it succeeds, and nothing passes it", async () => {
  const recorder = await setting.record(`if (n < 4) throw new Error("not yet");`);
  const stream = await setting.stream();
  const { UUID } = await setting.map(recorder, stream);
  await setting.put(stream, ["1", "2"]);
  await ran(recorder, 2);
  await until("the problem is told", async () => {
    const now = await setting.lambda.send(new GetEventSourceMappingCommand({ UUID }));
    return now.LastProcessingResult === "PROBLEM: Function call failed";
  });
  await setting.put(stream, ["3"]);
  await until("all are done", async () => (await taken(recorder)).length === 3);
  const runs = await recorder.runs();
  assert.deepEqual(runs.map(textsOf), [...Array.from({ length: 5 }, () => ["1", "2"]), ["3"]]);
});

test("a queue and a topic get the record alone", async () => {
  const recorder = await setting.record(FAILS_ON_BAD);
  const stream = await setting.stream();
  const sqs = new SQSClient(setting.server.client());
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: "discarded" }));
  await setting.put(stream, ["bad"]);
  const { UUID = "" } = await setting.map(recorder, stream, {
    MaximumRetryAttempts: 0,
    MetricsConfig: { Metrics: ["EventCount"] },
    ...onFailure("arn:aws:sqs:us-east-1:000000000000:discarded"),
  });
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 10 }));
  assert.equal(Messages.length, 1);
  const { payload, ...record } = JSON.parse(Messages[0]?.Body ?? "") as FailureRecord;
  assert.equal(payload, undefined);
  const metrics = await (await fetch(new URL("/_lambent/metrics", setting.server.endpoint))).text();
  for (const name of ["failed_invoke", "dropped", "on_failure_destination_delivered"])
    assert.match(metrics, new RegExp(`aws_lambda_${name}_event_count_total{[^}]*"${UUID}"} 1\n`));
  assert.equal(record.KinesisBatchInfo["batchSize"], 1);
  const sns = new SNSClient(setting.server.client());
  const { TopicArn = "" } = await sns.send(new CreateTopicCommand({ Name: "discarded" }));
  const Endpoint = "arn:aws:sqs:us-east-1:000000000000:told";
  const Statement = [{ Effect: "Allow", Principal: "*", Action: "sqs:SendMessage", Resource: Endpoint }];
  const Policy = JSON.stringify({ Version: "2012-10-17", Statement });
  const told = await sqs.send(new CreateQueueCommand({ QueueName: "told", Attributes: { Policy } }));
  const Attributes = { RawMessageDelivery: "true" };
  await sns.send(new SubscribeCommand({ TopicArn, Protocol: "sqs", Endpoint, Attributes }));
  const other = await setting.record(FAILS_ON_BAD);
  await setting.map(other, stream, { MaximumRetryAttempts: 0, ...onFailure(TopicArn) });
  const published = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl: told.QueueUrl, WaitTimeSeconds: 10 }),
  );
  const second = JSON.parse(published.Messages?.[0]?.Body ?? "") as FailureRecord;
  assert.equal(second.payload, undefined);
  assert.equal(second.KinesisBatchInfo["batchSize"], 1);
  sns.destroy();
});

test("BisectBatchOnFunctionError: only the bad record is discarded, and splitting uses no retry", async () => {
  const recorder = await setting.record(FAILS_ON_BAD);
  const stream = await setting.stream();
  const discarded = await bucket();
  const texts = numbered(20).map((text) => (text === "13" ? "bad" : text));
  await setting.put(stream, texts);
  await setting.map(recorder, stream, {
    BisectBatchOnFunctionError: true,
    MaximumRetryAttempts: 1,
    ...onFailure(discarded.arn),
  });
  const good = texts.filter((text) => text !== "bad");
  await until("all good ones are done", async () => (await taken(recorder)).length >= good.length);
  assert.deepEqual(await taken(recorder), good);
  const alone = (await recorder.runs()).filter((run) => textsOf(run).join() === "bad");
  assert.equal(alone.length, 2);
  await until("the record is there", async () => (await discarded.records()).length > 0);
  const [record] = await discarded.records();
  assert.equal(record?.KinesisBatchInfo["batchSize"], 1);
});

test("ReportBatchItemFailures: the checkpoint moves to the lowest failed record", async () => {
  const recorder = await setting.record(REPORTS_BAD);
  const stream = await setting.stream();
  const discarded = await bucket();
  await setting.put(stream, ["1", "2", "bad", "4", "5"]);
  await setting.map(recorder, stream, {
    FunctionResponseTypes: ["ReportBatchItemFailures"],
    MaximumRetryAttempts: 1,
    ...onFailure(discarded.arn),
  });
  await until("the record is there", async () => (await discarded.records()).length > 0);
  const runs = await recorder.runs();
  assert.deepEqual(runs.map(textsOf), [
    ["1", "2", "bad", "4", "5"],
    ["bad", "4", "5"],
  ]);
  const [record] = await discarded.records();
  assert.equal(record?.KinesisBatchInfo["batchSize"], 3);
  assert.deepEqual(record?.responseContext, {
    statusCode: 200,
    executedVersion: "$LATEST",
    functionError: null,
  });
});

test("ReportBatchItemFailures with BisectBatchOnFunctionError cuts there, and only what failed is discarded", async () => {
  const recorder = await setting.record(REPORTS_BAD);
  const stream = await setting.stream();
  const discarded = await bucket();
  await setting.put(stream, ["1", "2", "bad", "4", "5"]);
  await setting.map(recorder, stream, {
    FunctionResponseTypes: ["ReportBatchItemFailures"],
    BisectBatchOnFunctionError: true,
    MaximumRetryAttempts: 0,
    ...onFailure(discarded.arn),
  });
  await until("the record is there", async () => (await discarded.records()).length > 0);
  await until("the last is done", async () => (await recorder.runs()).flatMap(textsOf).at(-1) === "5");
  assert.deepEqual((await recorder.runs()).map(textsOf), [
    ["1", "2", "bad", "4", "5"],
    ["bad", "4", "5"],
    ["bad", "4"],
    ["bad"],
    ["4"],
    ["5"],
  ]);
});

test("an answer that names no record of the batch fails it whole", async () => {
  const recorder = await setting.record(
    `if (n === 0) return { batchItemFailures: [{ itemIdentifier: "7" }] };`,
  );
  const stream = await setting.stream();
  await setting.put(stream, ["1", "2"]);
  await setting.map(recorder, stream, { FunctionResponseTypes: ["ReportBatchItemFailures"] });
  assert.deepEqual((await ran(recorder, 2)).map(textsOf), [
    ["1", "2"],
    ["1", "2"],
  ]);
});

test("throttles use up no retry; the batch runs once there is concurrency", async () => {
  const recorder = await setting.record();
  const stream = await setting.stream();
  const { name: FunctionName } = recorder;
  await setting.lambda.send(
    new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 0 }),
  );
  await setting.put(stream, ["1"]);
  const { UUID } = await setting.map(recorder, stream, { MaximumRetryAttempts: 0 });
  await until("the throttle is told", async () => {
    const now = await setting.lambda.send(new GetEventSourceMappingCommand({ UUID }));
    return now.LastProcessingResult?.startsWith("PROBLEM: ") === true;
  });
  await setting.lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName }));
  await ran(recorder, 1);
  assert.deepEqual(await taken(recorder), ["1"]);
});

test("without limits a batch is retried until its records have expired, and is told to the destination then", async () => {
  const recorder = await setting.record(FAILS_ON_BAD);
  const stream = await setting.stream();
  const discarded = await bucket();
  await setting.put(stream, ["bad"]);
  await setting.map(recorder, stream, onFailure(discarded.arn));
  await ran(recorder, 1);
  await clock.advance(86_400_000);
  await setting.put(stream, ["good"]);
  await until("the good one has come", async () => (await taken(recorder)).length === 1);
  await until("the record is there", async () => (await discarded.records()).length > 0);
  const [record] = await discarded.records();
  assert.equal(record?.requestContext.condition, "RecordAgeExceeded");
});

test("MaximumRecordAgeInSeconds: what is older is discarded, what came later is not", async () => {
  const recorder = await setting.record(FAILS_ON_BAD);
  const stream = await setting.stream();
  const discarded = await bucket();
  await setting.put(stream, ["bad 1", "bad 2"]);
  await setting.map(recorder, stream, { MaximumRecordAgeInSeconds: 60, ...onFailure(discarded.arn) });
  await ran(recorder, 1);
  await clock.advance(30_000);
  await setting.put(stream, ["good"]);
  await sleep(100);
  await clock.advance(31_000);
  await until("the good one has come", async () => (await taken(recorder)).length === 1);
  assert.deepEqual(await taken(recorder), ["good"]);
  await until("the record is there", async () => (await discarded.records()).length > 0);
  const [record] = await discarded.records();
  assert.equal(record?.requestContext.condition, "RecordAgeExceeded");
  assert.equal(record?.KinesisBatchInfo["batchSize"], 2);
  // What is too old when it is read is not even tried.
  const second = await setting.record();
  await setting.map(second, stream, { MaximumRecordAgeInSeconds: 60, ...onFailure(discarded.arn) });
  await until("it is discarded untried", async () => (await discarded.records()).length > 1);
  const untried = (await discarded.records())[1];
  assert.equal(untried?.requestContext.approximateInvokeCount, 0);
  assert.equal(untried?.responseContext, undefined);
});
