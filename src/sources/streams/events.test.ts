/** Compared with the examples of aws-lambda-go's test data. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { discardedRecord } from "./discarded.ts";
import { DYNAMODB_EVENTS, KINESIS_EVENTS } from "./events.ts";

const STREAM = "arn:aws:kinesis:us-east-1:123456789012:stream/lambda-stream";
const place = {
  shardId: "shardId-000000000006",
  eventSourceArn: STREAM,
  region: "us-east-1",
  roleArn: "arn:aws:iam::123456789012:role/lambda-kinesis-role",
};
const kinesis = {
  partitionKey: "1",
  sequenceNumber: "49590338271490256608559692538361571095921575989136588898",
  data: Buffer.from("Hello, this is a test."),
  arrivalMs: 1_607_497_475_000,
};

test("a record of Kinesis in the event, and as filters see it", () => {
  const expected = {
    kinesis: {
      kinesisSchemaVersion: "1.0",
      partitionKey: "1",
      sequenceNumber: "49590338271490256608559692538361571095921575989136588898",
      data: "SGVsbG8sIHRoaXMgaXMgYSB0ZXN0Lg==",
      approximateArrivalTimestamp: 1_607_497_475,
    },
    eventSource: "aws:kinesis",
    eventVersion: "1.0",
    eventID: "shardId-000000000006:49590338271490256608559692538361571095921575989136588898",
    eventName: "aws:kinesis:record",
    invokeIdentityArn: "arn:aws:iam::123456789012:role/lambda-kinesis-role",
    awsRegion: "us-east-1",
    eventSourceARN: STREAM,
  };
  assert.equal(KINESIS_EVENTS.json(kinesis, place), JSON.stringify(expected));
  const { record, data } = KINESIS_EVENTS.filtered(kinesis, place);
  assert.equal(record["partitionKey"], "1");
  assert.equal(data, "Hello, this is a test.");
  const binary = { ...kinesis, data: Buffer.from([0xff, 0x00]), partitionKey: 'quoted " é' };
  assert.equal(KINESIS_EVENTS.filtered(binary, place).data, undefined);
  const json = JSON.parse(KINESIS_EVENTS.json(binary, place)) as { kinesis: Record<string, unknown> };
  assert.equal(json.kinesis["partitionKey"], 'quoted " é');
});

test("a record of DynamoDB Streams in the event", () => {
  const record = {
    eventID: "1",
    eventName: "REMOVE",
    eventVersion: "1.1",
    eventSource: "aws:dynamodb",
    awsRegion: "us-east-1",
    userIdentity: { type: "Service", principalId: "dynamodb.amazonaws.com" },
    dynamodb: {
      ApproximateCreationDateTime: 1_480_642_020,
      Keys: { Id: { N: "101" } },
      SequenceNumber: "333",
    },
  };
  const table = { ...place, eventSourceArn: "arn:aws:dynamodb:us-east-1:123456789012:table/t/stream/l" };
  const read = { sequenceNumber: "333", arrivalMs: 1, key: "101", json: JSON.stringify(record) };
  const expected = { ...record, eventSourceARN: table.eventSourceArn };
  assert.equal(DYNAMODB_EVENTS.json(read, table), JSON.stringify(expected));
  assert.deepEqual(DYNAMODB_EVENTS.filtered(read, table), { record: expected });
});

test("the record of a discarded batch", () => {
  const at = Date.parse("2019-11-14T00:38:06.021Z");
  const discarded = {
    condition: "RetryAttemptsExhausted",
    functionArn: "arn:aws:lambda:us-east-2:123456789012:function:myfunction",
    shardId: "shardId-000000000001",
    streamArn: "arn:aws:kinesis:us-east-2:123456789012:stream/mystream",
    batchInfo: "KinesisBatchInfo",
    batchSize: 500,
    first: { sequenceNumber: "1", arrivalMs: at - 1_186 },
    last: { sequenceNumber: "2", arrivalMs: at - 441 },
    requestId: "c9b8fa9f-5a7f-xmpl-af9c-0c604cde93a5",
    invokes: 1,
    response: { executedVersion: "$LATEST", isError: true },
    at,
  } as const;
  const expected = {
    requestContext: {
      requestId: "c9b8fa9f-5a7f-xmpl-af9c-0c604cde93a5",
      functionArn: "arn:aws:lambda:us-east-2:123456789012:function:myfunction",
      condition: "RetryAttemptsExhausted",
      approximateInvokeCount: 1,
    },
    responseContext: { statusCode: 200, executedVersion: "$LATEST", functionError: "Unhandled" },
    version: "1.0",
    timestamp: "2019-11-14T00:38:06.021Z",
    KinesisBatchInfo: {
      shardId: "shardId-000000000001",
      startSequenceNumber: "1",
      endSequenceNumber: "2",
      approximateArrivalOfFirstRecord: "2019-11-14T00:38:04.835Z",
      approximateArrivalOfLastRecord: "2019-11-14T00:38:05.580Z",
      batchSize: 500,
      streamArn: "arn:aws:kinesis:us-east-2:123456789012:stream/mystream",
    },
  };
  assert.equal(discardedRecord(discarded, undefined).toString(), JSON.stringify(expected));
  const whole = `{"Records":[]}`;
  assert.equal(discardedRecord(discarded, whole).toString(), JSON.stringify({ ...expected, payload: whole }));
  const never = { ...discarded, condition: "RecordAgeExceeded", invokes: 0, response: undefined } as const;
  assert.ok(!("responseContext" in (JSON.parse(discardedRecord(never, undefined).toString()) as object)));
});
