/** Event source mappings of DynamoDB Streams. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  BatchWriteItemCommand,
  CreateTableCommand,
  DeleteItemCommand,
  DeleteTableCommand,
  DynamoDBClient,
  PutItemCommand,
  PutResourcePolicyCommand,
  UpdateItemCommand,
  UpdateTimeToLiveCommand,
} from "@aws-sdk/client-dynamodb";
import { AttachRolePolicyCommand } from "@aws-sdk/client-iam";
import {
  CreateEventSourceMappingCommand,
  DeleteEventSourceMappingCommand,
  GetEventSourceMappingCommand,
  UpdateEventSourceMappingCommand,
} from "@aws-sdk/client-lambda";
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { makeRole } from "../conformance/lambda-setting.ts";
import { MovableClock } from "../../src/index.ts";
import { ran, startStreams, until } from "./stream-setting.ts";
import type { Recorder, StreamSetting } from "./stream-setting.ts";

const clock = new MovableClock();
let setting: StreamSetting;
let dynamodb: DynamoDBClient;
let tables = 0;

before(async () => {
  setting = await startStreams({ clock });
  dynamodb = new DynamoDBClient(setting.server.client());
});
after(() => setting?.stop());

/** A table with a stream of one shard. */
async function table(client = dynamodb): Promise<{ name: string; stream: string }> {
  const TableName = `table-${++tables}`;
  const { TableDescription } = await client.send(
    new CreateTableCommand({
      TableName,
      AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
      BillingMode: "PROVISIONED",
      ProvisionedThroughput: { ReadCapacityUnits: 100, WriteCapacityUnits: 100 },
      StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_AND_OLD_IMAGES" },
    }),
  );
  return { name: TableName, stream: TableDescription?.LatestStreamArn ?? "" };
}

const put = (TableName: string, id: string, text = "x") =>
  dynamodb.send(new PutItemCommand({ TableName, Item: { id: { S: id }, text: { S: text } } }));

async function idsOf(recorder: Recorder): Promise<string[]> {
  const runs = (await recorder.runs()).filter(({ error }) => error === undefined);
  return runs.flatMap(({ event }) => event.Records.map(({ dynamodb }) => dynamodb.Keys["id"]?.S ?? ""));
}

test("changes of items come in order, as AWS has them in events", async () => {
  const recorder = await setting.record();
  const { name: TableName, stream } = await table();
  const Key = { id: { S: "1" } };
  await put(TableName, "1", "first");
  await dynamodb.send(
    new UpdateItemCommand({
      TableName,
      Key,
      UpdateExpression: "SET n = :n",
      ExpressionAttributeValues: { ":n": { N: "7" } },
    }),
  );
  await dynamodb.send(new DeleteItemCommand({ TableName, Key }));
  const { State, StateTransitionReason, LastProcessingResult } = await setting.map(recorder, stream);
  assert.deepEqual(
    [State, StateTransitionReason, LastProcessingResult],
    ["Creating", "User action", "No records processed"],
  );
  await until("three changes have come", async () => (await idsOf(recorder)).length === 3);
  const records = (await recorder.runs()).flatMap(({ event }) => event.Records);
  const [insert] = records;
  assert.ok(insert);
  const { SequenceNumber } = insert.dynamodb;
  const { ApproximateCreationDateTime, SizeBytes } = insert.dynamodb as unknown as Record<string, number>;
  assert.deepEqual(insert, {
    eventID: insert.eventID,
    eventName: "INSERT",
    eventVersion: "1.1",
    eventSource: "aws:dynamodb",
    awsRegion: "us-east-1",
    dynamodb: {
      ApproximateCreationDateTime,
      Keys: { id: { S: "1" } },
      NewImage: { id: { S: "1" }, text: { S: "first" } },
      SequenceNumber,
      SizeBytes,
      StreamViewType: "NEW_AND_OLD_IMAGES",
    },
    eventSourceARN: stream,
  });
  assert.match(insert.eventID, /^[0-9a-f]{32}$/);
  assert.ok(Math.abs((ApproximateCreationDateTime ?? 0) * 1_000 - clock.now()) < 60_000);
  assert.deepEqual(
    records.map(({ eventName, dynamodb }) => [
      eventName,
      dynamodb.NewImage?.["n"]?.N,
      dynamodb.OldImage?.["n"]?.N,
    ]),
    [
      ["INSERT", undefined, undefined],
      ["MODIFY", "7", undefined],
      ["REMOVE", undefined, "7"],
    ],
  );
});

test("LATEST begins with what is written after the mapping; filters see the record", async () => {
  const recorder = await setting.record();
  const { name, stream } = await table();
  await put(name, "before");
  await clock.advance(10);
  await setting.map(recorder, stream, {
    StartingPosition: "LATEST",
    FilterCriteria: {
      Filters: [
        {
          Pattern: JSON.stringify({
            eventName: ["INSERT"],
            dynamodb: { NewImage: { text: { S: ["yes"] } } },
          }),
        },
      ],
    },
  });
  await put(name, "1", "yes");
  await put(name, "2", "no");
  await put(name, "3", "yes");
  await until("both have come", async () => (await idsOf(recorder)).length === 2);
  assert.deepEqual(await idsOf(recorder), ["1", "3"]);
});

test("a mapping with LATEST that was made disabled begins when it is enabled", async () => {
  const recorder = await setting.record();
  const { name, stream } = await table();
  const { UUID } = await setting.map(recorder, stream, { StartingPosition: "LATEST", Enabled: false });
  await setting.inState(UUID, "Disabled");
  await put(name, "1");
  await clock.advance(10);
  await setting.enable(UUID, true);
  await put(name, "2");
  await until("it has come", async () => (await idsOf(recorder)).length > 0);
  assert.deepEqual(await idsOf(recorder), ["2"]);
});

test("what expires is told as DynamoDB's own doing", async () => {
  const recorder = await setting.record();
  const { name: TableName, stream } = await table();
  const TimeToLiveSpecification = { AttributeName: "expires", Enabled: true };
  await dynamodb.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }));
  const expires = { N: String(Math.floor(clock.now() / 1_000) + 1) };
  await dynamodb.send(new PutItemCommand({ TableName, Item: { id: { S: "1" }, expires } }));
  await setting.map(recorder, stream, {
    FilterCriteria: {
      Filters: [
        {
          Pattern: JSON.stringify({
            userIdentity: { type: ["Service"], principalId: ["dynamodb.amazonaws.com"] },
          }),
        },
      ],
    },
  });
  await clock.advance(180_000);
  const [run] = await ran(recorder, 1);
  const [record] = run?.event.Records ?? [];
  assert.equal(record?.["eventName"], "REMOVE");
  assert.deepEqual(record?.["userIdentity"], { type: "Service", principalId: "dynamodb.amazonaws.com" });
});

test("a discarded batch is told with DDBStreamBatchInfo", async () => {
  const recorder = await setting.record(
    `if (event.Records.some(({ dynamodb }) => dynamodb.Keys.id.S === "bad")) throw new Error("bad");`,
  );
  const s3 = new S3Client(setting.server.client());
  await s3.send(new CreateBucketCommand({ Bucket: "discarded" }));
  const { name, stream } = await table();
  await put(name, "bad");
  await put(name, "good");
  await setting.map(recorder, stream, {
    MaximumRetryAttempts: 0,
    BisectBatchOnFunctionError: true,
    DestinationConfig: { OnFailure: { Destination: "arn:aws:s3:::discarded" } },
  });
  await until("the good one is done", async () => (await idsOf(recorder)).includes("good"));
  let Key: string | undefined;
  await until("the record is there", async () => {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: "discarded" }));
    Key = Contents[0]?.Key;
    return Key !== undefined;
  });
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: "discarded", Key }));
  const record = JSON.parse((await Body?.transformToString()) ?? "") as {
    requestContext: { condition: string };
    DDBStreamBatchInfo: Record<string, unknown>;
  };
  assert.equal(record.requestContext.condition, "RetryAttemptsExhausted");
  assert.equal(record.DDBStreamBatchInfo["streamArn"], stream);
  assert.equal(record.DDBStreamBatchInfo["batchSize"], 1);
});

test("ParallelizationFactor keeps the order of each item's changes", async () => {
  const recorder = await setting.record("await sleep(20);");
  const { name, stream } = await table();
  for (let round = 0; round < 6; round++)
    await dynamodb.send(
      new BatchWriteItemCommand({
        RequestItems: {
          [name]: Array.from({ length: 10 }, (_, item) => ({
            PutRequest: { Item: { id: { S: `item-${item}` }, round: { N: String(round) } } },
          })),
        },
      }),
    );
  await setting.map(recorder, stream, { ParallelizationFactor: 5, BatchSize: 4 });
  await until("all have come", async () => (await idsOf(recorder)).length === 60);
  const runs = await recorder.runs();
  const changes = runs.flatMap(({ event }) => event.Records.map((one) => one.dynamodb));
  for (let item = 0; item < 10; item++)
    assert.deepEqual(
      changes
        .filter(({ Keys }) => Keys["id"]?.S === `item-${item}`)
        .map(({ NewImage }) => NewImage?.["round"]?.N),
      ["0", "1", "2", "3", "4", "5"],
    );
  assert.ok(
    runs.some((run) =>
      runs.some((other) => other !== run && other.began < run.ended && run.began < other.ended),
    ),
  );
});

test("UpdateEventSourceMapping: disabling keeps the checkpoint, changes take effect from it; DeleteEventSourceMapping forgets it", async () => {
  const recorder = await setting.record();
  const { name, stream } = await table();
  const { UUID } = await setting.map(recorder, stream, { BatchSize: 1 });
  await put(name, "1");
  await ran(recorder, 1);
  await setting.enable(UUID, false);
  await put(name, "2");
  await put(name, "3");
  await setting.lambda.send(
    new UpdateEventSourceMappingCommand({ UUID, BatchSize: 10, ParallelizationFactor: 2 }),
  );
  await setting.inState(UUID, "Disabled");
  await setting.enable(UUID, true);
  await until("both have come", async () => (await idsOf(recorder)).length === 3);
  assert.deepEqual((await idsOf(recorder)).toSorted(), ["1", "2", "3"]);
  await setting.lambda.send(new DeleteEventSourceMappingCommand({ UUID }));
  await until("it is gone", () =>
    setting.lambda.send(new GetEventSourceMappingCommand({ UUID })).then(
      () => false,
      ({ name }: Error) => name === "ResourceNotFoundException",
    ),
  );
  await put(name, "4");
  await setting.map(recorder, stream);
  await until("all have come again", async () => (await idsOf(recorder)).length === 7);
  assert.deepEqual((await idsOf(recorder)).slice(3), ["1", "2", "3", "4"]);
});

test("CreateEventSourceMapping says what is missing: the stream, the role's permissions", async () => {
  const recorder = await setting.record();
  const { stream } = await table();
  const create = (more: object) =>
    setting.lambda.send(
      new CreateEventSourceMappingCommand({
        FunctionName: recorder.name,
        EventSourceArn: stream,
        StartingPosition: "LATEST",
        ...more,
      }),
    );
  const gone = stream.replace(/[^/]+$/, "2026-01-01T00:00:00.000");
  await assert.rejects(create({ EventSourceArn: gone }), {
    name: "InvalidParameterValueException",
    message: `Stream not found: ${gone}`,
  });
  const Role = await makeRole(setting.iam, "without-streams");
  const other = await setting.record("", { Role });
  await assert.rejects(create({ FunctionName: other.name }), {
    name: "InvalidParameterValueException",
    message:
      `Cannot access stream ${stream}. Please ensure the role can perform the GetRecords, GetShardIterator, ` +
      "DescribeStream, and ListStreams Actions on your stream in IAM.",
  });
  // AWS's own policy for such functions is enough.
  await setting.iam.send(
    new AttachRolePolicyCommand({
      RoleName: "without-streams",
      PolicyArn: "arn:aws:iam::aws:policy/service-role/AWSLambdaDynamoDBExecutionRole",
    }),
  );
  await create({ FunctionName: other.name });
});

test("a stream of another account is read where its policy and the role's both allow it", async () => {
  const theirs = new DynamoDBClient(setting.server.client({ account: "111111111111" }));
  const { name, stream } = await table(theirs);
  const recorder = await setting.record();
  await assert.rejects(setting.map(recorder, stream), { message: /^Cannot access stream/ });
  const Statement = [
    { Effect: "Allow", Principal: { AWS: setting.role }, Action: "dynamodb:*", Resource: stream },
  ];
  const Policy = JSON.stringify({ Version: "2012-10-17", Statement });
  await theirs.send(new PutResourcePolicyCommand({ ResourceArn: stream, Policy }));
  await setting.map(recorder, stream);
  await theirs.send(new PutItemCommand({ TableName: name, Item: { id: { S: "abroad" } } }));
  await until("it has come", async () => (await idsOf(recorder)).length > 0);
  assert.deepEqual(await idsOf(recorder), ["abroad"]);
});

test("a stream whose table is deleted is read to its end", async () => {
  const recorder = await setting.record("await sleep(300);");
  const { name, stream } = await table();
  await setting.map(recorder, stream, { BatchSize: 1 });
  for (const id of ["1", "2", "3"]) await put(name, id);
  await dynamodb.send(new DeleteTableCommand({ TableName: name }));
  await until("all have come", async () => (await idsOf(recorder)).length === 3);
});

test("a shard's child is read when the shard has ended, after four hours", async () => {
  const recorder = await setting.record();
  const { name, stream } = await table();
  await setting.map(recorder, stream);
  await put(name, "1");
  await ran(recorder, 1);
  await clock.advance(4 * 3_600_000);
  await put(name, "2");
  await put(name, "3");
  await until("those of the child have come", async () => (await idsOf(recorder)).length === 3);
  assert.deepEqual(await idsOf(recorder), ["1", "2", "3"]);
});
