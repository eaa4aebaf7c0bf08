/** DynamoDB's items one by one: put, got, updated and deleted. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import type {
  AttributeValue,
  DynamoDBClient,
  PutItemCommandInput,
  UpdateItemCommandInput,
} from "@aws-sdk/client-dynamodb";
import type { DynamoDbSetting } from "../harness/dynamodb.ts";
import { N, S, createTable, refusal, startDynamoDb } from "../harness/dynamodb.ts";

const ENVELOPE = "ValidationException: 1 validation error detected: ";
const NOT_VALID = "ValidationException: One or more parameter values are not valid.";
const ITEM_BYTES_MAX = 409_600;

let setting: DynamoDbSetting;
let client: DynamoDBClient;

before(async () => {
  setting = await startDynamoDb();
  ({ client } = setting);
  await createTable(client, "items", ["pk"]);
  await createTable(client, "pairs", ["pk", "sk:N"]);
  await createTable(client, "binaries", ["pk:B"]);
  await createTable(client, "indexed", ["pk"], {
    attributes: ["g", "n:N"],
    GlobalSecondaryIndexes: [
      {
        IndexName: "by-g",
        KeySchema: [
          { AttributeName: "g", KeyType: "HASH" },
          { AttributeName: "n", KeyType: "RANGE" },
        ],
        Projection: { ProjectionType: "ALL" },
      },
    ],
  });
});
after(async () => setting.stop());

type Item = Record<string, AttributeValue>;

const put = (Item: Item, more: Partial<PutItemCommandInput> = {}) =>
  client.send(new PutItemCommand({ TableName: "items", Item, ...more }));
const get = async (key: string): Promise<Item | undefined> =>
  (await client.send(new GetItemCommand({ TableName: "items", Key: { pk: S(key) }, ConsistentRead: true })))
    .Item;
const update = (key: string, UpdateExpression: string, more: Partial<UpdateItemCommandInput> = {}) =>
  client.send(new UpdateItemCommand({ TableName: "items", Key: { pk: S(key) }, UpdateExpression, ...more }));

/** An item of exactly so many bytes. */
function sized(pk: string, bytes: number): Item {
  return { pk: S(pk), p: S("x".repeat(bytes - 2 - pk.length - 1)) };
}

test("PutItem keeps every type of value, and GetItem returns them", async () => {
  const item: Item = {
    pk: S("types"),
    text: S('ünïcödé 🜁 \u0000 " \\'),
    empty: S(""),
    number: N("-123.456"),
    binary: { B: new Uint8Array([0, 255, 128]) },
    none: { B: new Uint8Array() },
    yes: { BOOL: true },
    no: { BOOL: false },
    nothing: { NULL: true },
    texts: { SS: ["a", "b", ""] },
    numbers: { NS: ["1", "2.5"] },
    binaries: { BS: [new Uint8Array([1]), new Uint8Array([2, 3])] },
    list: { L: [S("a"), { L: [] }, { M: {} }, { B: new Uint8Array([7]) }] },
    map: { M: { "odd name.": S("x"), __proto__x: N(1), constructor: S("c") } },
    constructor: S("not special"),
  };
  await put(item);
  assert.deepEqual(await get("types"), item);
  assert.equal(await get("missing"), undefined);
});

test("PutItem replaces the whole item, and returns the old one when asked", async () => {
  await put({ pk: S("replaced"), a: N(1) });
  const answer = await put({ pk: S("replaced"), b: N(2) }, { ReturnValues: "ALL_OLD" });
  assert.deepEqual(answer.Attributes, { pk: S("replaced"), a: N(1) });
  assert.deepEqual(await get("replaced"), { pk: S("replaced"), b: N(2) });
  assert.equal((await put({ pk: S("fresh") }, { ReturnValues: "ALL_OLD" })).Attributes, undefined);
});

test("PutItem with a condition writes only when it holds, and returns the item it failed for", async () => {
  const once = { ConditionExpression: "attribute_not_exists(pk)" };
  await put({ pk: S("once"), n: N(1) }, once);
  await assert.rejects(
    put({ pk: S("once"), n: N(2) }, { ...once, ReturnValuesOnConditionCheckFailure: "ALL_OLD" }),
    (error) => {
      assert.ok(error instanceof ConditionalCheckFailedException);
      assert.equal(error.message, "The conditional request failed");
      assert.deepEqual(error.Item, { pk: S("once"), n: N(1) });
      return true;
    },
  );
  await assert.rejects(put({ pk: S("once"), n: N(2) }, once), (error) => {
    assert.ok(error instanceof ConditionalCheckFailedException);
    assert.equal(error.Item, undefined);
    return true;
  });
  assert.deepEqual(await get("once"), { pk: S("once"), n: N(1) });
});

const remove = (more: object) =>
  client.send(new DeleteItemCommand({ TableName: "items", Key: { pk: S("removed") }, ...more }));

test("DeleteItem takes the item away, with its condition and its return values", async () => {
  await put({ pk: S("removed"), n: N(1) });
  const condition = { ConditionExpression: "n > :n", ExpressionAttributeValues: { ":n": N(1) } };
  assert.equal(
    await refusal(remove(condition)),
    "ConditionalCheckFailedException: The conditional request failed",
  );
  assert.deepEqual((await remove({ ReturnValues: "ALL_OLD" })).Attributes, { pk: S("removed"), n: N(1) });
  assert.equal((await remove({ ReturnValues: "ALL_OLD" })).Attributes, undefined);
  assert.equal(await get("removed"), undefined);
  assert.equal(
    await refusal(remove({ ReturnValues: "ALL_NEW" })),
    `${ENVELOPE}ReturnValues can only be ALL_OLD or NONE`,
  );
});

const project = async (ProjectionExpression: string) =>
  (
    await client.send(
      new GetItemCommand({
        TableName: "items",
        Key: { pk: S("projected") },
        ProjectionExpression,
        ExpressionAttributeNames: { "#a": "a" },
      }),
    )
  ).Item;

test("GetItem projects paths, lists closing up", async () => {
  await put({
    pk: S("projected"),
    a: { M: { b: S("b"), c: { M: { d: N(1), e: N(2) } } } },
    l: { L: [S("0"), S("1"), { M: { x: S("x"), y: S("y") } }] },
  });
  assert.deepEqual(await project("#a.c.d, l[2].y, l[0], absent, #a.b.c, l[9]"), {
    a: { M: { c: { M: { d: N(1) } } } },
    l: { L: [S("0"), { M: { y: S("y") } }] },
  });
  assert.deepEqual(await project("#a.nothing"), {});
});

test("UpdateItem sets, removes, adds and deletes, reading the item as it was", async () => {
  await put({
    pk: S("updated"),
    n: N("10"),
    rest: N("3"),
    seq: { L: [S("a"), S("b"), S("c"), S("d")] },
    doc: { M: { keep: S("k"), parting: S("g") } },
    texts: { SS: ["a", "b"] },
    away: S("x"),
  });
  const answer = await update(
    "updated",
    "SET n = n - rest, rest = n, made = if_not_exists(made, :zero), seq[9] = :z, seq[8] = :y, seq[0] = :x, " +
      "doc.added = :map, joined = list_append(seq, :more), same = if_not_exists(n, :zero) + :one " +
      "REMOVE seq[1], seq[2], doc.parting, away, absent ADD hits :one, texts :c DELETE #none :c",
    {
      ExpressionAttributeNames: { "#none": "none" },
      ExpressionAttributeValues: {
        ":zero": N(0),
        ":one": N("1.5"),
        ":x": S("X"),
        ":y": S("Y"),
        ":z": S("Z"),
        ":map": { M: { deep: { L: [] } } },
        ":more": { L: [S("e")] },
        ":c": { SS: ["b", "c"] },
      },
      ReturnValues: "ALL_NEW",
    },
  );
  const expected: Item = {
    pk: S("updated"),
    n: N(7),
    rest: N(10),
    made: N(0),
    seq: { L: [S("X"), S("d"), S("Y"), S("Z")] },
    doc: { M: { keep: S("k"), added: { M: { deep: { L: [] } } } } },
    joined: { L: [S("a"), S("b"), S("c"), S("d"), S("e")] },
    same: N("11.5"),
    texts: { SS: ["a", "b", "c"] },
    hits: N("1.5"),
  };
  assert.deepEqual(answer.Attributes, expected);
  assert.deepEqual(await get("updated"), expected);
});

test("UpdateItem takes a set away with its last member", async () => {
  await put({ pk: S("sets"), b: { BS: [new Uint8Array([1]), new Uint8Array([2])] }, n: { NS: ["1"] } });
  await update("sets", "DELETE b :b, n :n", {
    ExpressionAttributeValues: { ":b": { BS: [new Uint8Array([2])] }, ":n": { NS: ["1.0", "5"] } },
  });
  assert.deepEqual(await get("sets"), { pk: S("sets"), b: { BS: [new Uint8Array([1])] } });
});

test("UpdateItem makes the item when there is none, with five kinds of return values", async () => {
  const returning = async (ReturnValues: UpdateItemCommandInput["ReturnValues"]) =>
    (
      await update("returned", "SET a.b = :v, c = :v", {
        ExpressionAttributeValues: { ":v": S(String(ReturnValues)) },
        ReturnValues,
      })
    ).Attributes;
  await update("returned", "SET a = :m, d = :d", {
    ExpressionAttributeValues: { ":m": { M: { b: S("old"), x: S("x") } }, ":d": S("d") },
  });
  assert.deepEqual(await returning("UPDATED_OLD"), { a: { M: { b: S("old") } } });
  assert.deepEqual(await returning("UPDATED_NEW"), {
    a: { M: { b: S("UPDATED_NEW") } },
    c: S("UPDATED_NEW"),
  });
  assert.deepEqual(await returning("ALL_OLD"), {
    pk: S("returned"),
    a: { M: { b: S("UPDATED_NEW"), x: S("x") } },
    c: S("UPDATED_NEW"),
    d: S("d"),
  });
  assert.equal((await returning("ALL_NEW"))?.["c"]?.S, "ALL_NEW");
  assert.equal(await returning("NONE"), undefined);
  const bare = await client.send(
    new UpdateItemCommand({ TableName: "items", Key: { pk: S("bare") }, ReturnValues: "ALL_NEW" }),
  );
  assert.deepEqual(bare.Attributes, { pk: S("bare") });
});

test("UpdateItem counts exactly when 200 callers add one at once", async () => {
  await Promise.all(
    Array.from({ length: 200 }, () =>
      update("counter", "ADD hits :one", { ExpressionAttributeValues: { ":one": N(1) } }),
    ),
  );
  assert.deepEqual(await get("counter"), { pk: S("counter"), hits: N(200) });
});

test("UpdateItem lets one of many conditional writers through", async () => {
  const outcomes = await Promise.all(
    Array.from({ length: 50 }, (_, i) =>
      refusal(
        update("leader", "SET who = :i", {
          ConditionExpression: "attribute_not_exists(who)",
          ExpressionAttributeValues: { ":i": N(i) },
        }),
      ),
    ),
  );
  assert.equal(outcomes.filter((outcome) => outcome === "(accepted)").length, 1);
});

test("PutItem and UpdateItem hold items to 400 KB, names included", async () => {
  await put(sized("large", ITEM_BYTES_MAX));
  assert.equal(
    await refusal(put(sized("large", ITEM_BYTES_MAX + 1))),
    "ValidationException: Item size has exceeded the maximum allowed size",
  );
  assert.equal(
    await refusal(update("large", "SET q = :q", { ExpressionAttributeValues: { ":q": S("") } })),
    "ValidationException: Item size to update has exceeded the maximum allowed size",
  );
  assert.equal((await get("large"))?.["p"]?.S?.length, ITEM_BYTES_MAX - 8);
});

const emptyKey = `${NOT_VALID} The AttributeValue for a key attribute cannot contain an empty string value. Key: pk`;
const keyRefusals: [title: string, request: () => Promise<unknown>, expected: string][] = [
  [
    "PutItem without its key",
    () => put({ a: S("x") }),
    "ValidationException: One or more parameter values were invalid: Missing the key pk in the item",
  ],
  [
    "PutItem with a key of another type",
    () => put({ pk: N(5) }),
    "ValidationException: One or more parameter values were invalid: Type mismatch for key pk expected: S actual: N",
  ],
  ["PutItem with an empty key", () => put({ pk: S("") }), emptyKey],
  [
    "PutItem with an empty binary key",
    () => client.send(new PutItemCommand({ TableName: "binaries", Item: { pk: { B: new Uint8Array() } } })),
    `${NOT_VALID} The AttributeValue for a key attribute cannot contain an empty binary value. Key: pk`,
  ],
  [
    "GetItem with an empty key",
    () => client.send(new GetItemCommand({ TableName: "items", Key: { pk: S("") } })),
    emptyKey,
  ],
  [
    "GetItem with half a key",
    () => client.send(new GetItemCommand({ TableName: "pairs", Key: { pk: S("a") } })),
    "ValidationException: The provided key element does not match the schema",
  ],
  [
    "GetItem with more than a key",
    () => client.send(new GetItemCommand({ TableName: "items", Key: { pk: S("a"), sk: S("b") } })),
    "ValidationException: The provided key element does not match the schema",
  ],
  [
    "DeleteItem with a key of another type",
    () => client.send(new DeleteItemCommand({ TableName: "pairs", Key: { pk: S("a"), sk: S("b") } })),
    "ValidationException: The provided key element does not match the schema",
  ],
  [
    "UpdateItem of a key attribute",
    () => update("a", "SET pk = :v", { ExpressionAttributeValues: { ":v": S("b") } }),
    "ValidationException: One or more parameter values were invalid: Cannot update attribute pk. This attribute is part of the key",
  ],
  [
    "PutItem with a partition key over 2,048 bytes",
    () => put({ pk: S("x".repeat(2049)) }),
    "ValidationException: One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes",
  ],
  [
    "PutItem with an index key of another type",
    () => client.send(new PutItemCommand({ TableName: "indexed", Item: { pk: S("a"), g: N(1) } })),
    "ValidationException: One or more parameter values were invalid: Type mismatch for Index Key g Expected: S Actual: N IndexName: by-g",
  ],
  [
    "PutItem with an empty index key",
    () => client.send(new PutItemCommand({ TableName: "indexed", Item: { pk: S("a"), g: S("") } })),
    `${NOT_VALID} A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty string value. IndexName: by-g, IndexKey: g`,
  ],
  [
    "UpdateItem to an empty index key",
    () =>
      client.send(
        new UpdateItemCommand({
          TableName: "indexed",
          Key: { pk: S("a") },
          UpdateExpression: "SET g = :g",
          ExpressionAttributeValues: { ":g": S("") },
        }),
      ),
    `${NOT_VALID} The update expression attempted to update a secondary index key to a value that is not supported. The AttributeValue for a key attribute cannot contain an empty string value.`,
  ],
  [
    "UpdateItem to an index key of another type",
    () =>
      client.send(
        new UpdateItemCommand({
          TableName: "indexed",
          Key: { pk: S("a") },
          UpdateExpression: "SET g = :g",
          ExpressionAttributeValues: { ":g": N(1) },
        }),
      ),
    "ValidationException: One or more parameter values were invalid: Type mismatch for Index Key g Expected: S Actual: N IndexName: by-g",
  ],
  [
    "UpdateItem to an index key computed to another type",
    () =>
      client.send(
        new UpdateItemCommand({
          TableName: "indexed",
          Key: { pk: S("a") },
          UpdateExpression: "SET g = if_not_exists(h, :g)",
          ExpressionAttributeValues: { ":g": N(1) },
        }),
      ),
    "ValidationException: The update expression attempted to update the secondary index key to unsupported type",
  ],
  [
    "PutItem into no table",
    () => client.send(new PutItemCommand({ TableName: "absent", Item: { pk: S("a") } })),
    "ResourceNotFoundException: Requested resource not found",
  ],
  [
    "PutItem without a table's name",
    () => client.send(new PutItemCommand({ TableName: undefined, Item: { pk: S("a") } })),
    `${ENVELOPE}Value null at 'tableName' failed to satisfy constraint: Member must not be null`,
  ],
  [
    "PutItem with a malformed number",
    () => put({ pk: S("a"), n: N("1.2.3") }),
    `${ENVELOPE}The parameter cannot be converted to a numeric value: 1.2.3`,
  ],
  [
    "GetItem with a malformed number",
    () => client.send(new GetItemCommand({ TableName: "pairs", Key: { pk: S("a"), sk: N("x") } })),
    "ValidationException: The parameter cannot be converted to a numeric value: x",
  ],
  [
    "PutItem returning what only UpdateItem does",
    () => put({ pk: S("a") }, { ReturnValues: "UPDATED_NEW" }),
    `${ENVELOPE}ReturnValues can only be ALL_OLD or NONE`,
  ],
  [
    "PutItem returning nonsense",
    () => put({ pk: S("a") }, { ReturnValues: "BOGUS" as "NONE" }),
    `${ENVELOPE}Value 'BOGUS' at 'returnValues' failed to satisfy constraint: Member must satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]`,
  ],
];

for (const [title, request, expected] of keyRefusals)
  test(`${title} is refused`, async () => assert.equal(await refusal(request()), expected));

test("UpdateItem refuses paths and operands that do not fit the item", async () => {
  await put({ pk: S("unfit"), s: S("text"), l: { L: [] }, m: { M: {} } });
  const values = { ":v": S("v") };
  const one = { ":v": N(1) };
  const refusals: [string, Item, string][] = [
    [
      "SET absent.a = :v",
      values,
      "The document path provided in the update expression is invalid for update",
    ],
    ["SET s.a = :v", values, "The document path provided in the update expression is invalid for update"],
    ["SET m[0] = :v", values, "The document path provided in the update expression is invalid for update"],
    [
      "DELETE s.a :set",
      { ":set": { SS: ["a"] } },
      "The document path provided in the update expression is invalid for update",
    ],
    ["REMOVE absent.a", {}, "The document path provided in the update expression is invalid for update"],
    [
      "SET a = absent + :v",
      one,
      "The provided expression refers to an attribute that does not exist in the item",
    ],
    ["SET a = s + :v", one, "An operand in the update expression has an incorrect data type"],
    ["SET a = list_append(l, s)", {}, "An operand in the update expression has an incorrect data type"],
    ["ADD s :v", one, "An operand in the update expression has an incorrect data type"],
  ];
  for (const [expression, given, expected] of refusals)
    assert.equal(
      await refusal(
        update(
          "unfit",
          expression,
          Object.keys(given).length > 0 ? { ExpressionAttributeValues: given } : {},
        ),
      ),
      `ValidationException: ${expected}`,
      expression,
    );
});
