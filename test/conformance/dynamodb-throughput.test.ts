/** Provisioned throughput: what is let in, what is refused, and when it is let in again. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  ExecuteStatementCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  TransactGetItemsCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
  UpdateTableCommand,
} from "@aws-sdk/client-dynamodb";
import { S, createTable, keySchema, refusal, startDynamoDbOfFile } from "../harness/dynamodb.ts";

const SECOND_MS = 1000;
const UNITS = (ReadCapacityUnits: number, WriteCapacityUnits: number) => ({
  BillingMode: "PROVISIONED" as const,
  ProvisionedThroughput: { ReadCapacityUnits, WriteCapacityUnits },
});
const OF_TABLE =
  "ProvisionedThroughputExceededException: The level of configured provisioned throughput for the table was exceeded. " +
  "Consider increasing your provisioning level with the UpdateTable API.";
/** 301 write units, 75.25 read units. */
const LARGE = "x".repeat(300 * 1024);

const { client, clock } = await startDynamoDbOfFile();

const put = (TableName: string, text = "small") =>
  client.send(new PutItemCommand({ TableName, Item: { pk: S("a"), g: S("g"), text: S(text) } }));
const get = (TableName: string) =>
  client.send(new GetItemCommand({ TableName, Key: { pk: S("a") }, ConsistentRead: true }));

test("PutItem, BatchWriteItem and TransactWriteItems have 300 seconds' units at first, and then what is provisioned", async () => {
  await createTable(client, "writes", ["pk"], UNITS(100, 1));
  await createTable(client, "free", ["pk"]);
  await put("writes", LARGE);
  assert.equal(await refusal(put("writes")), OF_TABLE);
  const error: unknown = await put("writes").catch((thrown: unknown) => thrown);
  assert.deepEqual((error as { ThrottlingReasons?: unknown }).ThrottlingReasons, [
    {
      reason: "TableWriteProvisionedThroughputExceeded",
      resource: "arn:aws:dynamodb:us-east-1:000000000000:table/writes",
    },
  ]);
  const Item = { pk: S("b") };
  const batch = (...names: string[]) =>
    client.send(
      new BatchWriteItemCommand({
        RequestItems: Object.fromEntries(names.map((name) => [name, [{ PutRequest: { Item } }]])),
      }),
    );
  assert.equal(await refusal(batch("writes")), OF_TABLE);
  assert.deepEqual(Object.keys((await batch("writes", "free")).UnprocessedItems ?? {}), ["writes"]);
  const transact = ["free", "writes"].map((TableName) => ({ Put: { TableName, Item } }));
  await assert.rejects(client.send(new TransactWriteItemsCommand({ TransactItems: transact })), {
    name: "TransactionCanceledException",
    message: /\[None, ProvisionedThroughputExceeded\]$/,
  });
  const statement = "INSERT INTO writes VALUE {'pk': 'c'}";
  assert.equal(await refusal(client.send(new ExecuteStatementCommand({ Statement: statement }))), OF_TABLE);
  await clock.advance(3 * SECOND_MS);
  // The large item is replaced: that takes its units again.
  await client.send(new PutItemCommand({ TableName: "writes", Item }));
  await get("writes");
});

test("GetItem, Query, Scan, BatchGetItem and TransactGetItems share the reads, and UpdateTable gives more", async () => {
  await createTable(client, "reads", ["pk"], UNITS(1, 1000));
  await put("reads", LARGE);
  for (let i = 0; i < 4; i++) await get("reads");
  assert.equal(await refusal(get("reads")), OF_TABLE);
  const TableName = "reads";
  const Keys = [{ pk: S("a") }];
  const query = {
    TableName,
    KeyConditionExpression: "pk = :pk",
    ExpressionAttributeValues: { ":pk": S("a") },
  };
  assert.equal(await refusal(client.send(new QueryCommand(query))), OF_TABLE);
  assert.equal(await refusal(client.send(new ScanCommand({ TableName }))), OF_TABLE);
  assert.equal(
    await refusal(client.send(new ExecuteStatementCommand({ Statement: "SELECT * FROM reads" }))),
    OF_TABLE,
  );
  const batch = (RequestItems: Record<string, { Keys: typeof Keys }>) =>
    client.send(new BatchGetItemCommand({ RequestItems }));
  assert.equal(await refusal(batch({ reads: { Keys } })), OF_TABLE);
  const part = await batch({ reads: { Keys }, free: { Keys } });
  assert.deepEqual(part.UnprocessedKeys?.["reads"]?.Keys, Keys);
  const Get = { TableName, Key: { pk: S("a") } };
  await assert.rejects(client.send(new TransactGetItemsCommand({ TransactItems: [{ Get }] })), {
    message: /\[ProvisionedThroughputExceeded\]$/,
  });
  await client.send(
    new UpdateTableCommand({
      TableName,
      ProvisionedThroughput: { ReadCapacityUnits: 1000, WriteCapacityUnits: 1000 },
    }),
  );
  await clock.advance(SECOND_MS);
  await get("reads");
});

test("UpdateItem and Query are refused for what a global index lacks; what does not touch it is not", async () => {
  await createTable(client, "indexed", ["pk"], {
    ...UNITS(100, 1000),
    attributes: ["g"],
    GlobalSecondaryIndexes: [
      {
        IndexName: "by-g",
        KeySchema: keySchema(["g"]),
        Projection: { ProjectionType: "ALL" },
        ProvisionedThroughput: { ReadCapacityUnits: 1, WriteCapacityUnits: 1 },
      },
    ],
  });
  await put("indexed", LARGE);
  const update = client.send(
    new UpdateItemCommand({
      TableName: "indexed",
      Key: { pk: S("a") },
      UpdateExpression: "SET n = :n",
      ExpressionAttributeValues: { ":n": S("n") },
    }),
  );
  assert.match(await refusal(update), /one or more global secondary indexes of the table was exceeded/);
  const query = () =>
    client.send(
      new QueryCommand({
        TableName: "indexed",
        IndexName: "by-g",
        KeyConditionExpression: "g = :g",
        ExpressionAttributeValues: { ":g": S("g") },
      }),
    );
  for (let i = 0; i < 8; i++) await query();
  assert.match(await refusal(query()), /^ProvisionedThroughputExceededException: .*indexes of the table/);
  await get("indexed");
  // An item that is not in the index is written, and one that is, in no way of writing.
  const write = (pk: string, more = {}) => ({ PutRequest: { Item: { pk: S(pk), ...more } } });
  const { UnprocessedItems } = await client.send(
    new BatchWriteItemCommand({
      RequestItems: { indexed: [write("b"), write("c", { g: S("g") }), write("d", { g: S("g") })] },
    }),
  );
  assert.deepEqual(
    UnprocessedItems?.["indexed"]?.map(({ PutRequest }) => PutRequest?.Item?.["pk"]?.S),
    ["c", "d"],
  );
  const only = { RequestItems: { indexed: [write("c", { g: S("g") })] } };
  assert.match(await refusal(client.send(new BatchWriteItemCommand(only))), /secondary indexes of the table/);
  const put2 = (pk: string, more = {}) => ({ Put: { TableName: "indexed", Item: { pk: S(pk), ...more } } });
  const transact = (...TransactItems: ReturnType<typeof put2>[]) =>
    client.send(new TransactWriteItemsCommand({ TransactItems }));
  assert.match(
    await refusal(transact(put2("e"), put2("f", { g: S("g") }))),
    /TransactionCanceledException: .*\[None, ProvisionedThroughputExceeded\]/,
  );
  await transact(put2("e"));
  const { Items = [] } = await client.send(
    new ScanCommand({ TableName: "indexed", ProjectionExpression: "pk" }),
  );
  assert.deepEqual(Items.map(({ pk }) => pk?.S ?? "").toSorted(), ["a", "b", "e"]);
});
