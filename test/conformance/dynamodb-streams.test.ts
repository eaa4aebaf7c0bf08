/** DynamoDB Streams: what is recorded, in which form, and how it is read. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  BatchWriteItemCommand,
  CreateTableCommand,
  DeleteItemCommand,
  DeleteTableCommand,
  PutItemCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
  UpdateTableCommand,
} from "@aws-sdk/client-dynamodb";
import type { DynamoDBClient, StreamViewType } from "@aws-sdk/client-dynamodb";
import {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  ListStreamsCommand,
} from "@aws-sdk/client-dynamodb-streams";
import type { GetRecordsCommandOutput, GetShardIteratorCommandInput } from "@aws-sdk/client-dynamodb-streams";
import { MovableClock } from "../../src/index.ts";
import { N, S, createTable, keySchema, startDynamoDb } from "../harness/dynamodb.ts";
import type { DynamoDbSetting } from "../harness/dynamodb.ts";
import {
  eventually,
  iteratorOf,
  latestStream,
  recordsOf,
  sequenceOf,
  shardsOf,
} from "../harness/dynamodb-streams.ts";

const HOUR_MS = 60 * 60 * 1000;
const STREAM = (StreamViewType: StreamViewType = "NEW_AND_OLD_IMAGES") => ({
  StreamSpecification: { StreamEnabled: true, StreamViewType },
});
/** One shard: a provisioned table of one partition. */
const ONE_SHARD = {
  BillingMode: "PROVISIONED" as const,
  ProvisionedThroughput: { ReadCapacityUnits: 100, WriteCapacityUnits: 100 },
};

let clock: MovableClock;
let setting: DynamoDbSetting;
let client: DynamoDBClient;
let streams: DynamoDBStreamsClient;

before(async () => {
  clock = new MovableClock();
  setting = await startDynamoDb({ clock });
  ({ client } = setting);
  streams = new DynamoDBStreamsClient(setting.server.client());
});
after(async () => {
  streams.destroy();
  await setting.stop();
});

const put = (TableName: string, pk: string, more = {}) =>
  client.send(new PutItemCommand({ TableName, Item: { pk: S(pk), ...more } }));

async function streamed(name: string, view?: StreamViewType, more = {}): Promise<string> {
  await createTable(client, name, ["pk"], { ...STREAM(view), ...more });
  return latestStream(client, name);
}

/** `Code: message` of the error a request ends with. */
async function refusal(request: Promise<unknown>): Promise<string> {
  return request.then(
    () => "(accepted)",
    (error: Error) => `${error.name}: ${error.message}`,
  );
}

test("GetRecords has a record of each change of PutItem, UpdateItem and DeleteItem, with all members, and none where nothing changed", async () => {
  const arn = await streamed("changes");
  const binary = { B: new Uint8Array([0, 255]) };
  await put("changes", "a", { n: N(101), b: binary });
  await put("changes", "a", { b: binary, n: N("101.0") });
  const update = (UpdateExpression: string) =>
    client.send(
      new UpdateItemCommand({
        TableName: "changes",
        Key: { pk: S("a") },
        UpdateExpression,
        ExpressionAttributeValues: { ":n": N(102) },
      }),
    );
  await update("SET n = :n");
  await update("SET n = :n");
  const remove = () => client.send(new DeleteItemCommand({ TableName: "changes", Key: { pk: S("a") } }));
  await remove();
  await remove();
  const records = await recordsOf(streams, arn);
  assert.deepEqual(
    records.map(({ eventName }) => eventName),
    ["INSERT", "MODIFY", "REMOVE"],
  );
  const [insert, modify, removal] = records;
  const { SequenceNumber: sequence = "", ApproximateCreationDateTime: at, ...image } = insert?.dynamodb ?? {};
  assert.match(insert?.eventID ?? "", /^[0-9a-f]{32}$/);
  assert.match(sequence, /^\d{21,40}$/);
  assert.equal((at?.getTime() ?? 1) % 1000, 0);
  assert.ok(Math.abs((at?.getTime() ?? 0) - clock.now()) < 10_000);
  const { eventVersion, eventSource, awsRegion, userIdentity } = insert ?? {};
  assert.deepEqual(
    { eventVersion, eventSource, awsRegion, userIdentity },
    { eventVersion: "1.1", eventSource: "aws:dynamodb", awsRegion: "us-east-1", userIdentity: undefined },
  );
  assert.deepEqual(image, {
    Keys: { pk: S("a") },
    NewImage: { pk: S("a"), n: N(101), b: binary },
    SizeBytes: 3 + 3 + (1 + 3) + (1 + 2),
    StreamViewType: "NEW_AND_OLD_IMAGES",
  });
  assert.deepEqual(modify?.dynamodb?.OldImage, { pk: S("a"), n: N(101), b: binary });
  assert.deepEqual(modify?.dynamodb?.NewImage?.["n"], N(102));
  assert.equal(removal?.dynamodb?.NewImage, undefined);
  assert.deepEqual(removal?.dynamodb?.OldImage?.["n"], N(102));
  assert.ok(sequenceOf(insert) < sequenceOf(modify) && sequenceOf(modify) < sequenceOf(removal));
});

test("GetRecords holds what each of the four view types says", async () => {
  const images: Record<string, string[]> = {};
  for (const view of ["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"] as const) {
    const arn = await streamed(`view-${view}`, view);
    await put(`view-${view}`, "a", { n: N(1) });
    await put(`view-${view}`, "a", { n: N(2) });
    const records = await recordsOf(streams, arn);
    images[view] = records.map(({ dynamodb = {} }) =>
      [dynamodb.OldImage?.["n"]?.N ?? "-", dynamodb.NewImage?.["n"]?.N ?? "-", dynamodb.SizeBytes].join(" "),
    );
  }
  assert.deepEqual(images, {
    KEYS_ONLY: ["- - 3", "- - 3"],
    NEW_IMAGE: ["- 1 9", "- 2 9"],
    OLD_IMAGE: ["- - 3", "1 - 9"],
    NEW_AND_OLD_IMAGES: ["- 1 9", "1 2 15"],
  });
});

test("GetRecords has the writes of BatchWriteItem and TransactWriteItems, and none of a transaction that was cancelled", async () => {
  const arn = await streamed("together");
  await client.send(
    new BatchWriteItemCommand({
      RequestItems: {
        together: Array.from({ length: 25 }, (_, i) => ({ PutRequest: { Item: { pk: S(`b${i}`) } } })),
      },
    }),
  );
  const transact = (condition: string) =>
    client.send(
      new TransactWriteItemsCommand({
        TransactItems: [
          { Put: { TableName: "together", Item: { pk: S("t1") } } },
          { Delete: { TableName: "together", Key: { pk: S("b0") } } },
          {
            ConditionCheck: {
              TableName: "together",
              Key: { pk: S("b1") },
              ConditionExpression: `${condition}(pk)`,
            },
          },
        ],
      }),
    );
  assert.match(await refusal(transact("attribute_not_exists")), /^TransactionCanceledException/);
  await transact("attribute_exists");
  const records = await recordsOf(streams, arn);
  assert.deepEqual(
    records.map(({ eventName, dynamodb }) => `${eventName} ${dynamodb?.Keys?.["pk"]?.S}`).sort(),
    [...Array.from({ length: 25 }, (_, i) => `INSERT b${i}`), "INSERT t1", "REMOVE b0"].sort(),
  );
});

test("GetShardIterator places an iterator at both ends, at and after a sequence number; GetRecords pages by Limit", async () => {
  const arn = await streamed("places", "KEYS_ONLY", ONE_SHARD);
  for (const pk of ["a", "b", "c", "d"]) await put("places", pk);
  const [shard, ...others] = await shardsOf(streams, arn);
  assert.equal(others.length, 0);
  const latest = await iteratorOf(streams, arn, shard?.ShardId, "LATEST");
  const all = await recordsOf(streams, arn);
  const keys = async (ShardIterator: string, Limit?: number) => {
    const page = await streams.send(new GetRecordsCommand({ ShardIterator, Limit }));
    return {
      keys: page.Records?.map(({ dynamodb }) => dynamodb?.Keys?.["pk"]?.S).join(""),
      next: page.NextShardIterator ?? "",
    };
  };
  assert.equal((await keys(latest)).keys, "");
  await put("places", "e");
  assert.equal((await keys(latest)).keys, "e");
  const second = sequenceOf(all[1]);
  const at = await iteratorOf(streams, arn, shard?.ShardId, "AT_SEQUENCE_NUMBER", second);
  const past = await iteratorOf(streams, arn, shard?.ShardId, "AFTER_SEQUENCE_NUMBER", second);
  assert.deepEqual([(await keys(at)).keys, (await keys(past)).keys], ["bcde", "cde"]);
  const first = await keys(await iteratorOf(streams, arn, shard?.ShardId, "TRIM_HORIZON"), 3);
  assert.deepEqual([first.keys, (await keys(first.next, 3)).keys], ["abc", "de"]);
});

test("GetRecords answers 1 MB at most, and one record at least", async () => {
  const arn = await streamed("large", "NEW_AND_OLD_IMAGES", ONE_SHARD);
  const text = "x".repeat(300_000);
  for (const pk of ["a", "a", "a", "b"]) await put("large", pk, { text: S(`${text}${Math.random()}`) });
  const [shard] = await shardsOf(streams, arn);
  let iterator: string | undefined = await iteratorOf(streams, arn, shard?.ShardId, "TRIM_HORIZON");
  const counts: number[] = [];
  for (let i = 0; i < 4 && iterator; i++) {
    const page: GetRecordsCommandOutput = await streams.send(
      new GetRecordsCommand({ ShardIterator: iterator }),
    );
    counts.push(page.Records?.length ?? 0);
    iterator = page.NextShardIterator;
  }
  assert.deepEqual(counts, [2, 2, 0, 0]);
});

test("an on-demand table has four shards; items keep their order within one; DescribeStream pages and filters them", async () => {
  const arn = await streamed("spread");
  for (let i = 0; i < 40; i++) await put("spread", `${i % 20}`, { n: N(i) });
  const { StreamDescription: stream = {} } = await streams.send(
    new DescribeStreamCommand({ StreamArn: arn, Limit: 3 }),
  );
  const {
    Shards: shown = [],
    LastEvaluatedShardId: last,
    CreationRequestDateTime: created,
    ...rest
  } = stream;
  assert.deepEqual(rest, {
    StreamArn: arn,
    StreamLabel: arn.split("/").at(-1),
    StreamStatus: "ENABLED",
    StreamViewType: "NEW_AND_OLD_IMAGES",
    TableName: "spread",
    KeySchema: keySchema(["pk"]),
  });
  assert.ok(created instanceof Date);
  assert.equal(shown.length, 3);
  assert.equal(last, shown[2]?.ShardId);
  const more = await streams.send(new DescribeStreamCommand({ StreamArn: arn, ExclusiveStartShardId: last }));
  assert.equal(more.StreamDescription?.Shards?.length, 1);
  const children = await streams.send(
    new DescribeStreamCommand({
      StreamArn: arn,
      ShardFilter: { Type: "CHILD_SHARDS", ShardId: shown[0]?.ShardId },
    }),
  );
  assert.deepEqual(children.StreamDescription?.Shards, []);
  const numbers = new Map<string, number[]>();
  for (const { dynamodb } of await recordsOf(streams, arn)) {
    const key = dynamodb?.Keys?.["pk"]?.S ?? "";
    numbers.set(key, [...(numbers.get(key) ?? []), Number(dynamodb?.NewImage?.["n"]?.N)]);
  }
  assert.equal(numbers.size, 20);
  for (const [key, values] of numbers) assert.deepEqual(values, [Number(key), Number(key) + 20]);
});

test("CreateTable and UpdateTable switch a stream on and off; DescribeTable and ListStreams tell of it; DeleteTable leaves it", async () => {
  const made = await client.send(
    new CreateTableCommand({
      TableName: "switched",
      AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }],
      KeySchema: keySchema(["pk"]),
      BillingMode: "PAY_PER_REQUEST",
    }),
  );
  assert.equal(made.TableDescription?.LatestStreamArn, undefined);
  await put("switched", "before");
  const change = (StreamSpecification: object) =>
    client.send(
      new UpdateTableCommand({ TableName: "switched", StreamSpecification: StreamSpecification as never }),
    );
  const on = { StreamEnabled: true, StreamViewType: "KEYS_ONLY" };
  const off = { StreamEnabled: false };
  assert.match(await refusal(change(off)), /^ValidationException: Table does not have an enabled stream/);
  const { TableDescription: enabled } = await change(on);
  const first = enabled?.LatestStreamArn ?? "";
  assert.match(
    first,
    /^arn:aws:dynamodb:us-east-1:000000000000:table\/switched\/stream\/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}$/,
  );
  assert.deepEqual(enabled?.StreamSpecification, on);
  assert.match(await refusal(change(on)), /^ValidationException: Table already has an enabled stream/);
  await put("switched", "during");
  const { TableDescription: disabled } = await change(off);
  assert.equal(disabled?.StreamSpecification, undefined);
  assert.equal(disabled?.LatestStreamArn, first);
  await put("switched", "between");
  await change(on);
  const second = await latestStream(client, "switched");
  assert.notEqual(second, first);
  await put("switched", "after");
  await client.send(new DeleteTableCommand({ TableName: "switched" }));
  const keys = async (arn: string) =>
    (await recordsOf(streams, arn)).map(({ dynamodb }) => dynamodb?.Keys?.["pk"]?.S);
  assert.deepEqual([await keys(first), await keys(second)], [["during"], ["after"]]);
  const { StreamDescription: ended } = await streams.send(new DescribeStreamCommand({ StreamArn: second }));
  assert.equal(ended?.StreamStatus, "DISABLED");
  assert.ok(ended?.Shards?.every((shard) => shard.SequenceNumberRange?.EndingSequenceNumber !== undefined));
  const list = async (Limit?: number, ExclusiveStartStreamArn?: string) =>
    streams.send(new ListStreamsCommand({ TableName: "switched", Limit, ExclusiveStartStreamArn }));
  assert.deepEqual(
    (await list()).Streams?.map(({ StreamArn }) => StreamArn),
    [first, second],
  );
  const page = await list(1);
  assert.equal(page.LastEvaluatedStreamArn, first);
  assert.deepEqual(
    (await list(1, first)).Streams?.map(({ StreamArn }) => StreamArn),
    [second],
  );
  const { Streams: all = [] } = await streams.send(new ListStreamsCommand({}));
  assert.ok(all.some(({ StreamArn, TableName }) => StreamArn === first && TableName === "switched"));
});

test("ListStreams, DescribeStream, GetShardIterator and GetRecords refuse bad input and what is not there", async () => {
  const arn = await streamed("refusing", "KEYS_ONLY", ONE_SHARD);
  const [shard] = await shardsOf(streams, arn);
  const missing = arn.replace("refusing", "nowhere");
  const send = (command: unknown) => refusal(streams.send(command as ListStreamsCommand));
  const iterator = (more: Partial<GetShardIteratorCommandInput>) =>
    send(
      new GetShardIteratorCommand({
        StreamArn: arn,
        ShardId: shard?.ShardId,
        ShardIteratorType: undefined,
        ...more,
      }),
    );
  assert.equal(
    await send(new DescribeStreamCommand({ StreamArn: missing })),
    `ResourceNotFoundException: Requested resource not found: Stream: ${missing} not found`,
  );
  assert.match(
    await send(new DescribeStreamCommand({ StreamArn: arn, Limit: 101 })),
    /less than or equal to 100/,
  );
  assert.match(await send(new ListStreamsCommand({ Limit: 101 })), /less than or equal to 100/);
  assert.match(
    await iterator({ ShardId: "shardId-00000000000000000000-00000000", ShardIteratorType: "LATEST" }),
    /^ResourceNotFoundException: Requested resource not found: Shard: /,
  );
  assert.match(
    await iterator({ ShardIteratorType: "AT_SEQUENCE_NUMBER" }),
    /SequenceNumber must be specified/,
  );
  assert.match(
    await iterator({ ShardIteratorType: "LATEST", SequenceNumber: "1".repeat(21) }),
    /must not be specified/,
  );
  assert.match(
    await iterator({ ShardIteratorType: "AFTER_SEQUENCE_NUMBER", SequenceNumber: "9".repeat(21) }),
    /^ValidationException: Invalid SequenceNumber/,
  );
  assert.match(await iterator({ ShardIteratorType: "AT_TIMESTAMP" as "LATEST" }), /AT_TIMESTAMP/);
  assert.equal(
    await send(new GetRecordsCommand({ ShardIterator: "nonsense" })),
    "ValidationException: Invalid ShardIterator",
  );
  const good = await iteratorOf(streams, arn, shard?.ShardId, "TRIM_HORIZON");
  assert.match(
    await send(new GetRecordsCommand({ ShardIterator: good, Limit: 1001 })),
    /less than or equal to 1000/,
  );
  const stranger = new DynamoDBStreamsClient(setting.server.client({ account: "111122223333" }));
  assert.match(
    await refusal(stranger.send(new GetRecordsCommand({ ShardIterator: good }))),
    /^AccessDeniedException: .*because no resource-based policy allows the dynamodb:GetRecords action/,
  );
  stranger.destroy();
  const create = (StreamSpecification: object) =>
    refusal(createTable(client, "unmade", ["pk"], { StreamSpecification: StreamSpecification as never }));
  assert.match(await create({ StreamEnabled: true }), /StreamViewType must be specified/);
  assert.match(
    await create({ StreamEnabled: false, StreamViewType: "KEYS_ONLY" }),
    /StreamViewType cannot be specified/,
  );
});

test("GetShardIterator's iterators expire after 15 minutes, shards get children after 4 hours, records go after 24", async () => {
  const ofDeleted = await streamed("aging-gone");
  await client.send(new DeleteTableCommand({ TableName: "aging-gone" }));
  assert.equal((await shardsOf(streams, ofDeleted)).length, 4);
  const arn = await streamed("aging", "KEYS_ONLY", ONE_SHARD);
  await put("aging", "a");
  const [parent] = await shardsOf(streams, arn);
  const iterator = await iteratorOf(streams, arn, parent?.ShardId, "TRIM_HORIZON");
  const [first] = await recordsOf(streams, arn);
  await clock.advance(HOUR_MS);
  assert.match(
    await refusal(streams.send(new GetRecordsCommand({ ShardIterator: iterator }))),
    /^ExpiredIteratorException/,
  );
  await clock.advance(4 * HOUR_MS);
  await put("aging", "b");
  const shards = await shardsOf(streams, arn);
  assert.deepEqual(
    shards.map(({ ParentShardId }) => ParentShardId),
    [undefined, parent?.ShardId],
  );
  assert.ok(shards[0]?.SequenceNumberRange?.EndingSequenceNumber);
  const children = await streams.send(
    new DescribeStreamCommand({
      StreamArn: arn,
      ShardFilter: { Type: "CHILD_SHARDS", ShardId: parent?.ShardId },
    }),
  );
  assert.deepEqual(
    children.StreamDescription?.Shards?.map(({ ShardId }) => ShardId),
    [shards[1]?.ShardId],
  );
  const closed = await streams.send(
    new GetRecordsCommand({ ShardIterator: await iteratorOf(streams, arn, parent?.ShardId, "TRIM_HORIZON") }),
  );
  assert.deepEqual([closed.Records?.length, closed.NextShardIterator], [1, undefined]);
  await clock.advance(20 * HOUR_MS);
  await eventually(async () => {
    const answer = await refusal(
      streams.send(
        new GetShardIteratorCommand({
          StreamArn: arn,
          ShardId: parent?.ShardId,
          ShardIteratorType: "AT_SEQUENCE_NUMBER",
          SequenceNumber: sequenceOf(first),
        }),
      ),
    );
    return answer.startsWith("TrimmedDataAccessException");
  });
  assert.deepEqual(
    (await recordsOf(streams, arn)).map(({ dynamodb }) => dynamodb?.Keys?.["pk"]?.S),
    ["b"],
  );
  assert.match(await refusal(shardsOf(streams, ofDeleted)), /^ResourceNotFoundException/);
  const { Streams: left } = await streams.send(new ListStreamsCommand({ TableName: "aging-gone" }));
  assert.deepEqual(left, []);
});
