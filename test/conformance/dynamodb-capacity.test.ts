/** DynamoDB's reports: consumed capacity, and the sizes of item collections. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  BatchWriteItemCommand,
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import type { AttributeValue, ConsumedCapacity, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { DynamoDbSetting } from "../harness/dynamodb.ts";
import { S, createTable, keySchema, startDynamoDb } from "../harness/dynamodb.ts";

let setting: DynamoDbSetting;
let client: DynamoDBClient;
let fresh = 0;

before(async () => {
  setting = await startDynamoDb();
  ({ client } = setting);
  await createTable(client, "plain", ["pk"]);
  await createTable(client, "indexed", ["pk", "sk"], {
    attributes: ["g", "l"],
    GlobalSecondaryIndexes: [
      {
        IndexName: "global",
        KeySchema: keySchema(["g"]),
        Projection: { ProjectionType: "INCLUDE", NonKeyAttributes: ["proj"] },
      },
    ],
    LocalSecondaryIndexes: [
      { IndexName: "local", KeySchema: keySchema(["pk", "l"]), Projection: { ProjectionType: "ALL" } },
    ],
  });
});
after(async () => setting.stop());

type Item = Record<string, AttributeValue>;

const INDEXES = { ReturnConsumedCapacity: "INDEXES" as const };

/** An item of `plain` of exactly so many bytes. */
function sized(pk: string, bytes: number): Item {
  return { pk: S(pk), p: S("x".repeat(bytes - 3 - pk.length)) };
}

const units = async (request: Promise<{ ConsumedCapacity?: ConsumedCapacity | undefined }>) =>
  (await request).ConsumedCapacity?.CapacityUnits;

test("GetItem costs a unit for every 4 KB, half of it when any replica may answer", async () => {
  const get = (pk: string, ConsistentRead: boolean) =>
    client.send(
      new GetItemCommand({
        TableName: "plain",
        Key: { pk: S(pk) },
        ConsistentRead,
        ReturnConsumedCapacity: "TOTAL",
      }),
    );
  await client.send(new PutItemCommand({ TableName: "plain", Item: sized("four", 4096) }));
  await client.send(new PutItemCommand({ TableName: "plain", Item: sized("more", 4097) }));
  assert.deepEqual(
    [
      await units(get("four", true)),
      await units(get("more", true)),
      await units(get("more", false)),
      await units(get("none", false)),
    ],
    [1, 2, 1, 0.5],
  );
  const { ConsumedCapacity: report } = await client.send(
    new GetItemCommand({ TableName: "plain", Key: { pk: S("four") }, ...INDEXES }),
  );
  assert.deepEqual(report, { TableName: "plain", CapacityUnits: 0.5, Table: { CapacityUnits: 0.5 } });
  const silent = await client.send(new GetItemCommand({ TableName: "plain", Key: { pk: S("four") } }));
  assert.equal(silent.ConsumedCapacity, undefined);
});

test("PutItem, UpdateItem and DeleteItem cost a unit for every KB of the larger of old and new", async () => {
  const put = (bytes: number) =>
    client.send(
      new PutItemCommand({ TableName: "plain", Item: sized("w", bytes), ReturnConsumedCapacity: "TOTAL" }),
    );
  assert.deepEqual([await units(put(1024)), await units(put(1025)), await units(put(100))], [1, 2, 2]);
  assert.equal(await units(put(3000)), 3);
  const update = client.send(
    new UpdateItemCommand({
      TableName: "plain",
      Key: { pk: S("w") },
      UpdateExpression: "REMOVE p",
      ReturnConsumedCapacity: "TOTAL",
    }),
  );
  assert.equal(await units(update), 3);
  await put(2000);
  const remove = () =>
    client.send(
      new DeleteItemCommand({ TableName: "plain", Key: { pk: S("w") }, ReturnConsumedCapacity: "TOTAL" }),
    );
  assert.deepEqual([await units(remove()), await units(remove())], [2, 1]);
});

/** What a write reports: total, table, global, local. */
function arms(report: ConsumedCapacity | undefined): (number | undefined)[] {
  return [
    report?.CapacityUnits,
    report?.Table?.CapacityUnits,
    report?.GlobalSecondaryIndexes?.["global"]?.CapacityUnits,
    report?.LocalSecondaryIndexes?.["local"]?.CapacityUnits,
  ];
}

async function putIndexed(item: Item): Promise<{ pk: string; arms: (number | undefined)[] }> {
  const pk = `i${(fresh += 1)}`;
  const { ConsumedCapacity: report } = await client.send(
    new PutItemCommand({ TableName: "indexed", Item: { pk: S(pk), sk: S("1"), ...item }, ...INDEXES }),
  );
  return { pk, arms: arms(report) };
}

test("PutItem counts the indexes it writes, and no others", async () => {
  assert.deepEqual((await putIndexed({ other: S("o") })).arms, [1, 1, undefined, undefined]);
  assert.deepEqual((await putIndexed({ g: S("g"), proj: S("p") })).arms, [2, 1, 1, undefined]);
  assert.deepEqual((await putIndexed({ l: S("l") })).arms, [2, 1, undefined, 1]);
  const { pk, arms: both } = await putIndexed({ g: S("g"), l: S("l") });
  assert.deepEqual(both, [3, 1, 1, 1]);
  const same = { l: S("l"), g: S("g"), sk: S("1"), pk: S(pk) };
  const again = await client.send(new PutItemCommand({ TableName: "indexed", Item: same, ...INDEXES }));
  assert.deepEqual(arms(again.ConsumedCapacity), [1, 1, undefined, undefined]);
});

test("UpdateItem counts what changes in the indexes", async () => {
  const ladder: [UpdateExpression: string, value: string | undefined, expected: (number | undefined)[]][] = [
    ["SET other1 = :v", "o2", [2, 1, undefined, 1]],
    ["SET proj = :v", "p2", [3, 1, 1, 1]],
    ["SET g = :v", "moved", [4, 1, 2, 1]],
    ["REMOVE g", undefined, [3, 1, 1, 1]],
    ["SET l = :v", "L2", [3, 1, undefined, 2]],
  ];
  for (const [UpdateExpression, value, expected] of ladder) {
    const { pk } = await putIndexed({ g: S("g"), l: S("L1"), proj: S("p"), other1: S("o") });
    const { ConsumedCapacity: report } = await client.send(
      new UpdateItemCommand({
        TableName: "indexed",
        Key: { pk: S(pk), sk: S("1") },
        UpdateExpression,
        ...(value && { ExpressionAttributeValues: { ":v": S(value) } }),
        ...INDEXES,
      }),
    );
    assert.deepEqual(arms(report), expected, UpdateExpression);
  }
});

const item = (name: string, more: Item) => ({ PutRequest: { Item: { pk: S(name), sk: S("1"), ...more } } });

test("DeleteItem and BatchWriteItem count indexes too", async () => {
  const { pk } = await putIndexed({ g: S("g"), l: S("l") });
  const removed = await client.send(
    new DeleteItemCommand({ TableName: "indexed", Key: { pk: S(pk), sk: S("1") }, ...INDEXES }),
  );
  assert.deepEqual(arms(removed.ConsumedCapacity), [3, 1, 1, 1]);
  const batch = await client.send(
    new BatchWriteItemCommand({
      RequestItems: { indexed: [item("b1", { g: S("g") }), item("b2", {})] },
      ...INDEXES,
    }),
  );
  assert.deepEqual(arms(batch.ConsumedCapacity?.[0]), [3, 2, 1, undefined]);
});

test("Query and Scan cost what they read, before filter and projection", async () => {
  await createTable(client, "read", ["pk", "sk"]);
  for (let i = 0; i < 6; i += 1)
    await client.send(
      new PutItemCommand({
        TableName: "read",
        Item: { pk: S("p"), sk: S(`${i}`), filler: S("x".repeat(2000)) },
      }),
    );
  const query = (more: object) =>
    client.send(
      new QueryCommand({
        TableName: "read",
        KeyConditionExpression: "pk = :p",
        ExpressionAttributeValues: { ":p": S("p") },
        ReturnConsumedCapacity: "TOTAL",
        ...more,
      }),
    );
  assert.equal(await units(query({})), 1.5);
  assert.equal(await units(query({ ConsistentRead: true, ProjectionExpression: "sk" })), 3);
  assert.equal(await units(query({ FilterExpression: "attribute_not_exists(filler)" })), 1.5);
  assert.equal(await units(query({ Limit: 2 })), 0.5);
  const scan = client.send(new ScanCommand({ TableName: "read", ReturnConsumedCapacity: "TOTAL" }));
  assert.equal(await units(scan), 1.5);
  const onIndex = await client.send(
    new QueryCommand({
      TableName: "indexed",
      IndexName: "global",
      KeyConditionExpression: "g = :g",
      ExpressionAttributeValues: { ":g": S("nothing") },
      ...INDEXES,
    }),
  );
  assert.deepEqual(onIndex.ConsumedCapacity, {
    TableName: "indexed",
    CapacityUnits: 0.5,
    Table: { CapacityUnits: 0 },
    GlobalSecondaryIndexes: { global: { CapacityUnits: 0.5 } },
  });
});

test("PutItem reports the item collection of a table with local indexes", async () => {
  const { ItemCollectionMetrics: metrics } = await client.send(
    new PutItemCommand({
      TableName: "indexed",
      Item: { pk: S("collection"), sk: S("1"), l: S("l") },
      ReturnItemCollectionMetrics: "SIZE",
    }),
  );
  assert.deepEqual(metrics, { ItemCollectionKey: { pk: S("collection") }, SizeEstimateRangeGB: [0, 1] });
  const plain = await client.send(
    new PutItemCommand({ TableName: "plain", Item: { pk: S("a") }, ReturnItemCollectionMetrics: "SIZE" }),
  );
  assert.equal(plain.ItemCollectionMetrics, undefined);
});
