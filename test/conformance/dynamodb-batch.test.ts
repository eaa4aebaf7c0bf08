/** DynamoDB's batches: BatchGetItem and BatchWriteItem. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  PutItemCommand,
  ScanCommand,
} from "@aws-sdk/client-dynamodb";
import type {
  AttributeValue,
  DynamoDBClient,
  KeysAndAttributes,
  WriteRequest,
} from "@aws-sdk/client-dynamodb";
import type { DynamoDbSetting } from "../harness/dynamodb.ts";
import { N, S, createTable, refusal, startDynamoDb } from "../harness/dynamodb.ts";

let setting: DynamoDbSetting;
let client: DynamoDBClient;

before(async () => {
  setting = await startDynamoDb();
  ({ client } = setting);
  await createTable(client, "one", ["pk"]);
  await createTable(client, "two", ["pk", "sk:N"]);
});
after(async () => setting.stop());

const write = (RequestItems: Record<string, WriteRequest[]>) =>
  client.send(new BatchWriteItemCommand({ RequestItems, ReturnConsumedCapacity: "TOTAL" }));
const read = (RequestItems: Record<string, KeysAndAttributes>) =>
  client.send(new BatchGetItemCommand({ RequestItems, ReturnConsumedCapacity: "TOTAL" }));
const put = (Item: Record<string, AttributeValue>): WriteRequest => ({ PutRequest: { Item } });
const remove = (Key: Record<string, AttributeValue>): WriteRequest => ({ DeleteRequest: { Key } });

test("BatchWriteItem puts and deletes in several tables, and BatchGetItem reads from them", async () => {
  await client.send(new PutItemCommand({ TableName: "one", Item: { pk: S("old") } }));
  const written = await write({
    one: [
      put({ pk: S("a"), n: N("1.0") }),
      put({ pk: S("b"), bytes: { B: new Uint8Array([1]) } }),
      remove({ pk: S("old") }),
    ],
    two: [put({ pk: S("a"), sk: N(1) })],
  });
  assert.deepEqual(written.UnprocessedItems, {});
  assert.deepEqual(written.ConsumedCapacity, [
    { TableName: "one", CapacityUnits: 3 },
    { TableName: "two", CapacityUnits: 1 },
  ]);
  const got = await read({
    one: { Keys: [{ pk: S("a") }, { pk: S("old") }, { pk: S("b") }], ProjectionExpression: "pk, n" },
    two: { Keys: [{ pk: S("a"), sk: N("1.00") }], ConsistentRead: true },
  });
  assert.deepEqual(got.Responses, {
    one: [{ pk: S("a"), n: N(1) }, { pk: S("b") }],
    two: [{ pk: S("a"), sk: N(1) }],
  });
  assert.deepEqual(got.UnprocessedKeys, {});
  assert.deepEqual(got.ConsumedCapacity, [
    { TableName: "one", CapacityUnits: 1.5 },
    { TableName: "two", CapacityUnits: 1 },
  ]);
});

test("BatchGetItem hands back the keys that 16 MB have no room for", async () => {
  const filler = S("x".repeat(400_000));
  const keys = Array.from({ length: 50 }, (_, i) => ({ pk: S(`large${i}`) }));
  for (let from = 0; from < 50; from += 10)
    await write({ one: keys.slice(from, from + 10).map((key) => put({ ...key, filler })) });
  const first = await read({ one: { Keys: keys, ConsistentRead: true } });
  const rest = first.UnprocessedKeys?.["one"];
  assert.equal(first.Responses?.["one"]?.length, 42);
  assert.equal(rest?.ConsistentRead, true);
  const second = await read(first.UnprocessedKeys ?? {});
  assert.deepEqual([second.Responses?.["one"]?.length, second.UnprocessedKeys], [8, {}]);
});

test("BatchWriteItem writes nothing when one request is refused", async () => {
  assert.match(
    await refusal(write({ two: [put({ pk: S("half"), sk: N(1) }), put({ pk: S("half") })] })),
    /schema/,
  );
  const { Count } = await client.send(
    new ScanCommand({
      TableName: "two",
      FilterExpression: "pk = :p",
      ExpressionAttributeValues: { ":p": S("half") },
    }),
  );
  assert.equal(Count, 0);
});

const many = (count: number) => Array.from({ length: count }, (_, i) => ({ pk: S(`k${i}`) }));
const MISMATCH = "ValidationException: The provided key element does not match the schema";
const DUPLICATES = "ValidationException: Provided list of item keys contains duplicates";
const NOT_VALID = "ValidationException: One or more parameter values are not valid.";
const refused: [title: string, request: () => Promise<unknown>, expected: string | RegExp][] = [
  [
    "BatchGetItem of no table",
    () => read({}),
    /at 'requestItems' failed to satisfy constraint: Member must have length greater than or equal to 1$/,
  ],
  [
    "BatchGetItem of no keys",
    () => read({ one: { Keys: [] } }),
    /Member must have length greater than or equal to 1$/,
  ],
  [
    "BatchGetItem of 101 keys",
    () => read({ one: { Keys: many(101) } }),
    /Member must have length less than or equal to 100$/,
  ],
  [
    "BatchGetItem of 101 keys in two tables",
    () => read({ one: { Keys: many(60) }, two: { Keys: many(41) } }),
    "ValidationException: Too many items requested for the BatchGetItem call",
  ],
  [
    "BatchGetItem of one key twice",
    () => read({ one: { Keys: [{ pk: S("a") }, { pk: S("a") }] } }),
    DUPLICATES,
  ],
  [
    "BatchGetItem of one number in two forms",
    () =>
      read({
        two: {
          Keys: [
            { pk: S("a"), sk: N("1") },
            { sk: N("1.0"), pk: S("a") },
          ],
        },
      }),
    DUPLICATES,
  ],
  [
    "BatchGetItem of an absent table",
    () => read({ absent: { Keys: many(1) } }),
    "ResourceNotFoundException: Requested resource not found",
  ],
  ["BatchGetItem of a wrong key", () => read({ one: { Keys: [{ pk: N(1) }] } }), MISMATCH],
  [
    "BatchGetItem with old and new projections",
    () => read({ one: { Keys: many(1), AttributesToGet: ["pk"], ProjectionExpression: "pk" } }),
    "ValidationException: Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {AttributesToGet} Expression parameters: {ProjectionExpression}",
  ],
  [
    "BatchGetItem with overlapping paths",
    () => read({ one: { Keys: many(1), ProjectionExpression: "a, a" } }),
    "ValidationException: Invalid ProjectionExpression: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a]",
  ],
  ["BatchWriteItem of no table", () => write({}), /Member must have length greater than or equal to 1$/],
  [
    "BatchWriteItem of 26 requests",
    () => write({ one: many(26).map(put) }),
    /Member must have length less than or equal to 25/,
  ],
  [
    "BatchWriteItem of 26 requests in two tables",
    () => write({ one: many(25).map(put), two: [put({ pk: S("a"), sk: N(1) })] }),
    "ValidationException: Too many items requested for the BatchWriteItem call",
  ],
  [
    "BatchWriteItem of one key twice",
    () => write({ one: [put({ pk: S("a") }), remove({ pk: S("a") })] }),
    DUPLICATES,
  ],
  ["BatchWriteItem without a key", () => write({ one: [put({ other: S("a") })] }), MISMATCH],
  ["BatchWriteItem with a wrong key", () => write({ one: [put({ pk: N(1) })] }), MISMATCH],
  ["BatchWriteItem deleting by a wrong key", () => write({ one: [remove({ other: S("a") })] }), MISMATCH],
  [
    "BatchWriteItem with an empty key",
    () => write({ one: [put({ pk: S("") })] }),
    `${NOT_VALID} The AttributeValue for a key attribute cannot contain an empty string value. Key: pk`,
  ],
  [
    "BatchWriteItem of neither put nor delete",
    () => write({ one: [{}] }),
    "ValidationException: Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes",
  ],
  [
    "BatchWriteItem of a large item",
    () => write({ one: [put({ pk: S("a"), p: S("x".repeat(409_600)) })] }),
    "ValidationException: Item size has exceeded the maximum allowed size",
  ],
  [
    "BatchWriteItem of a malformed number",
    () => write({ one: [put({ pk: S("a"), n: N("") })] }),
    "ValidationException: The parameter cannot be converted to a numeric value",
  ],
];

for (const [title, request, expected] of refused)
  test(`${title} is refused`, async () => {
    const actual = await refusal(request());
    if (typeof expected === "string") assert.equal(actual, expected);
    else assert.match(actual, expected);
  });
