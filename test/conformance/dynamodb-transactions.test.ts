/** DynamoDB's transactions: all or nothing, and why nothing. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  GetItemCommand,
  PutItemCommand,
  TransactGetItemsCommand,
  TransactWriteItemsCommand,
  TransactionCanceledException,
} from "@aws-sdk/client-dynamodb";
import type {
  AttributeValue,
  CancellationReason,
  DynamoDBClient,
  TransactWriteItem,
  TransactWriteItemsCommandInput,
} from "@aws-sdk/client-dynamodb";
import type { DynamoDbSetting } from "../harness/dynamodb.ts";
import { N, S, createTable, keySchema, refusal, startDynamoDb } from "../harness/dynamodb.ts";

let setting: DynamoDbSetting;
let client: DynamoDBClient;

before(async () => {
  setting = await startDynamoDb();
  ({ client } = setting);
  await createTable(client, "one", ["pk"]);
  await createTable(client, "two", ["pk"], {
    attributes: ["g"],
    GlobalSecondaryIndexes: [
      { IndexName: "by-g", KeySchema: keySchema(["g"]), Projection: { ProjectionType: "ALL" } },
    ],
  });
});
after(async () => setting.stop());

type Item = Record<string, AttributeValue>;

const put = (Item: Item): TransactWriteItem => ({ Put: { TableName: "one", Item } });
const write = (TransactItems: TransactWriteItem[], more: Partial<TransactWriteItemsCommandInput> = {}) =>
  client.send(new TransactWriteItemsCommand({ TransactItems, ...more }));
const get = async (TableName: string, pk: string): Promise<Item | undefined> =>
  (await client.send(new GetItemCommand({ TableName, Key: { pk: S(pk) } }))).Item;

/** The reasons a transaction is cancelled for. */
async function cancellation(
  request: Promise<unknown>,
): Promise<{ message: string; reasons: CancellationReason[] }> {
  const error: unknown = await request.then(
    () => "the transaction was carried out",
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof TransactionCanceledException, String(error));
  return { message: error.message, reasons: error.CancellationReasons ?? [] };
}

const units = (n: number) => ({ WriteCapacityUnits: n, CapacityUnits: n });

test("TransactWriteItems carries out every kind of action", async () => {
  await client.send(new PutItemCommand({ TableName: "one", Item: { pk: S("u"), n: N(1) } }));
  await client.send(new PutItemCommand({ TableName: "two", Item: { pk: S("d") } }));
  const answer = await write(
    [
      put({ pk: S("p"), text: S("x") }),
      {
        Update: {
          TableName: "one",
          Key: { pk: S("u") },
          UpdateExpression: "ADD n :one",
          ConditionExpression: "n = :one",
          ExpressionAttributeValues: { ":one": N(1) },
        },
      },
      { Delete: { TableName: "two", Key: { pk: S("d") } } },
      {
        ConditionCheck: {
          TableName: "two",
          Key: { pk: S("absent") },
          ConditionExpression: "attribute_not_exists(pk)",
        },
      },
      { Put: { TableName: "two", Item: { pk: S("i"), g: S("x") } } },
    ],
    { ReturnConsumedCapacity: "INDEXES" },
  );
  assert.deepEqual(await get("one", "p"), { pk: S("p"), text: S("x") });
  assert.deepEqual(await get("one", "u"), { pk: S("u"), n: N(2) });
  assert.equal(await get("two", "d"), undefined);
  assert.deepEqual(answer.ConsumedCapacity, [
    { TableName: "one", ...units(4), Table: units(4) },
    { TableName: "two", ...units(8), Table: units(6), GlobalSecondaryIndexes: { "by-g": units(2) } },
  ]);
});

test("TransactWriteItems writes nothing when one condition fails, and says which", async () => {
  await client.send(new PutItemCommand({ TableName: "one", Item: { pk: S("there"), n: N(1) } }));
  const absent = { ConditionExpression: "attribute_not_exists(pk)" };
  const { message, reasons } = await cancellation(
    write([
      put({ pk: S("never") }),
      {
        Put: {
          TableName: "one",
          Item: { pk: S("there") },
          ...absent,
          ReturnValuesOnConditionCheckFailure: "ALL_OLD",
        },
      },
      {
        ConditionCheck: {
          TableName: "two",
          Key: { pk: S("c") },
          ConditionExpression: "attribute_exists(pk)",
        },
      },
    ]),
  );
  assert.equal(
    message,
    "Transaction cancelled, please refer cancellation reasons for specific reasons [None, ConditionalCheckFailed, ConditionalCheckFailed]",
  );
  assert.deepEqual(reasons, [
    { Code: "None" },
    {
      Code: "ConditionalCheckFailed",
      Message: "The conditional request failed",
      Item: { pk: S("there"), n: N(1) },
    },
    { Code: "ConditionalCheckFailed", Message: "The conditional request failed" },
  ]);
  assert.equal(await get("one", "never"), undefined);
});

test("TransactWriteItems is done once for a client token", async () => {
  const items: TransactWriteItem[] = [
    {
      Update: {
        TableName: "one",
        Key: { pk: S("token") },
        UpdateExpression: "ADD n :one SET b = :b",
        ExpressionAttributeValues: { ":one": N(1), ":b": { B: new Uint8Array([1]) } },
      },
    },
  ];
  const token = { ClientRequestToken: "token-1", ReturnConsumedCapacity: "TOTAL" as const };
  const first = await write(items, token);
  const again = await write(items, token);
  assert.equal(first.ConsumedCapacity?.[0]?.CapacityUnits, 2);
  assert.equal(again.ConsumedCapacity?.[0]?.CapacityUnits, 2);
  assert.equal((await get("one", "token"))?.["n"]?.N, "1");
  assert.match(
    await refusal(write([put({ pk: S("other") })], token)),
    /^IdempotentParameterMismatchException: /,
  );
  await write(items, { ClientRequestToken: "token-2" });
  assert.equal((await get("one", "token"))?.["n"]?.N, "2");
});

const change = (pk: string, sign: "+" | "-"): TransactWriteItem => ({
  Update: {
    TableName: "one",
    Key: { pk: S(pk) },
    UpdateExpression: `SET n = n ${sign} :one`,
    ConditionExpression: "n >= :one",
    ExpressionAttributeValues: { ":one": N(1) },
  },
});

test("TransactWriteItems moves between accounts without losing any, under contention", async () => {
  for (const pk of ["from", "to"])
    await client.send(new PutItemCommand({ TableName: "one", Item: { pk: S(pk), n: N(40) } }));
  const outcomes = await Promise.all(
    Array.from({ length: 60 }, () => refusal(write([change("from", "-"), change("to", "+")]))),
  );
  assert.equal(outcomes.filter((outcome) => outcome === "(accepted)").length, 40);
  assert.deepEqual([(await get("one", "from"))?.["n"]?.N, (await get("one", "to"))?.["n"]?.N], ["0", "80"]);
});

test("TransactGetItems reads several tables in order", async () => {
  await client.send(new PutItemCommand({ TableName: "one", Item: { pk: S("g"), a: N(1), b: N(2) } }));
  const answer = await client.send(
    new TransactGetItemsCommand({
      TransactItems: [
        { Get: { TableName: "two", Key: { pk: S("absent") } } },
        { Get: { TableName: "one", Key: { pk: S("g") }, ProjectionExpression: "a" } },
      ],
      ReturnConsumedCapacity: "TOTAL",
    }),
  );
  assert.deepEqual(answer.Responses, [{}, { Item: { a: N(1) } }]);
  assert.deepEqual(answer.ConsumedCapacity, [
    { TableName: "two", ReadCapacityUnits: 2, CapacityUnits: 2 },
    { TableName: "one", ReadCapacityUnits: 2, CapacityUnits: 2 },
  ]);
  const wrong = client.send(
    new TransactGetItemsCommand({ TransactItems: [{ Get: { TableName: "one", Key: {} } }] }),
  );
  const { message, reasons } = await cancellation(wrong);
  assert.equal(
    message,
    "Transaction cancelled, please refer cancellation reasons for specific reasons [ValidationError]",
  );
  assert.deepEqual(reasons, [
    { Code: "ValidationError", Message: "The provided key element does not match the schema" },
  ]);
});

const check = (key: AttributeValue): TransactWriteItem => ({
  ConditionCheck: { TableName: "one", Key: { pk: key }, ConditionExpression: "attribute_not_exists(pk)" },
});
const MISMATCH = "The provided key element does not match the schema";
const PARAMETERS = "One or more parameter values were invalid: ";
const cancelled: [title: string, item: TransactWriteItem, expected: string][] = [
  [
    "a Put with a key of another type",
    put({ pk: N(5) }),
    `${PARAMETERS}Type mismatch for key pk expected: S actual: N`,
  ],
  ["a Put without key", put({ a: N(5) }), `${PARAMETERS}Missing the key pk in the item`],
  [
    "a Put with an index key of another type",
    { Put: { TableName: "two", Item: { pk: S("a"), g: N(1) } } },
    `${PARAMETERS}Type mismatch for Index Key g Expected: S Actual: N IndexName: by-g`,
  ],
  ["a Delete with a wrong key", { Delete: { TableName: "one", Key: { pk: N(1) } } }, MISMATCH],
  ["a ConditionCheck with a wrong key", check({ L: [] }), MISMATCH],
  [
    "an Update over the size of an item",
    {
      Update: {
        TableName: "one",
        Key: { pk: S("big") },
        UpdateExpression: "SET p = :p",
        ExpressionAttributeValues: { ":p": S("x".repeat(409_600)) },
      },
    },
    "Item size to update has exceeded the maximum allowed size",
  ],
  [
    "an Update of what is not there",
    {
      Update: {
        TableName: "one",
        Key: { pk: S("nothing") },
        UpdateExpression: "SET a = b",
      },
    },
    "The provided expression refers to an attribute that does not exist in the item",
  ],
];

for (const [title, item, expected] of cancelled)
  test(`TransactWriteItems is cancelled for ${title}`, async () => {
    const { reasons } = await cancellation(write([put({ pk: S("beside") }), item]));
    assert.deepEqual(reasons, [{ Code: "None" }, { Code: "ValidationError", Message: expected }]);
  });

const EMPTY =
  "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk";
const refused: [title: string, items: TransactWriteItem[], expected: string | RegExp][] = [
  [
    "no actions",
    [],
    "1 validation error detected: Value '[]' at 'transactItems' failed to satisfy constraint: Member must have length greater than or equal to 1",
  ],
  [
    "101 actions",
    Array.from({ length: 101 }, (_, i) => put({ pk: S(`${i}`) })),
    /at 'transactItems' failed to satisfy constraint: Member must have length less than or equal to 100$/,
  ],
  [
    "one item twice",
    [put({ pk: S("a") }), check(S("a"))],
    "Transaction request cannot include multiple operations on one item",
  ],
  ["an action of no kind", [{}], "TransactItems can only contain one of Check, Put, Update or Delete"],
  ["an empty key", [put({ pk: S("") })], EMPTY],
  ["an empty key to check", [check(S(""))], EMPTY],
  [
    "a large item",
    [put({ pk: S("a"), p: S("x".repeat(409_600)) })],
    "Item size has exceeded the maximum allowed size",
  ],
  [
    "a malformed condition after a missing table",
    [
      { Put: { TableName: "absent", Item: { pk: S("a") } } },
      {
        ConditionCheck: {
          TableName: "one",
          Key: { pk: S("a") },
          ConditionExpression: "attribute_not_exists(",
        },
      },
    ],
    'Invalid ConditionExpression: Syntax error; token: "<EOF>", near: "("',
  ],
  [
    "an unused value before a duplicate",
    [
      put({ pk: S("a") }),
      {
        ConditionCheck: {
          TableName: "one",
          Key: { pk: S("a") },
          ConditionExpression: "attribute_not_exists(pk)",
          ExpressionAttributeValues: { ":v": S("x") },
        },
      },
    ],
    "Value provided in ExpressionAttributeValues unused in expressions: keys: {:v}",
  ],
  [
    "more than 4 MB",
    Array.from({ length: 11 }, (_, i) => put({ pk: S(`${i}`), p: S("x".repeat(400_000)) })),
    /Aggregate size/,
  ],
];

for (const [title, items, expected] of refused)
  test(`TransactWriteItems refuses ${title}`, async () => {
    const actual = await refusal(write(items));
    if (typeof expected === "string") assert.equal(actual, `ValidationException: ${expected}`);
    else assert.match(actual, expected);
  });

test("TransactWriteItems and TransactGetItems refuse tables that are not there", async () => {
  const expected = "ResourceNotFoundException: Requested resource not found";
  assert.equal(await refusal(write([{ Put: { TableName: "absent", Item: { pk: S("a") } } }])), expected);
  const get = { Get: { TableName: "absent", Key: { pk: S("a") } } };
  assert.equal(await refusal(client.send(new TransactGetItemsCommand({ TransactItems: [get] }))), expected);
});
