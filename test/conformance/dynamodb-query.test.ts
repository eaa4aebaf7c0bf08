/** DynamoDB's Query: key conditions, order, pages, filters and indexes. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  DeleteItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
  paginateQuery,
} from "@aws-sdk/client-dynamodb";
import type { AttributeValue, DynamoDBClient, QueryCommandInput } from "@aws-sdk/client-dynamodb";
import type { DynamoDbSetting } from "../harness/dynamodb.ts";
import { N, S, createTable, keySchema, refusal, startDynamoDb } from "../harness/dynamodb.ts";

let setting: DynamoDbSetting;
let client: DynamoDBClient;

type Item = Record<string, AttributeValue>;

const NUMBERS = [
  "-1e100",
  "-12.5",
  "-12",
  "-1.05",
  "-1",
  "-0.001",
  "0",
  "1e-100",
  "0.001",
  "1",
  "1.05",
  "2",
  "10",
  "12.5",
  "1e100",
];

before(async () => {
  setting = await startDynamoDb();
  ({ client } = setting);
  await createTable(client, "texts", ["pk", "sk"]);
  await createTable(client, "numbers", ["pk", "sk:N"]);
  await createTable(client, "binaries", ["pk", "sk:B"]);
  await createTable(client, "indexed", ["pk", "sk"], {
    attributes: ["g", "l:N"],
    GlobalSecondaryIndexes: [
      { IndexName: "all", KeySchema: keySchema(["g", "l"]), Projection: { ProjectionType: "ALL" } },
      { IndexName: "keys", KeySchema: keySchema(["g"]), Projection: { ProjectionType: "KEYS_ONLY" } },
      {
        IndexName: "some",
        KeySchema: keySchema(["g"]),
        Projection: { ProjectionType: "INCLUDE", NonKeyAttributes: ["extra"] },
      },
    ],
    LocalSecondaryIndexes: [
      { IndexName: "local", KeySchema: keySchema(["pk", "l"]), Projection: { ProjectionType: "KEYS_ONLY" } },
    ],
  });
  const shuffled = NUMBERS.toSorted((a, b) => a.length - b.length || (a < b ? -1 : 1));
  for (const sk of shuffled) await put("numbers", { pk: S("p"), sk: N(sk) });
  for (const sk of ["b", "", "a", "aa", "ab", "ab\u0000", "ab\u0000c", "abc", "ac", "é", "😀", "￿"])
    if (sk !== "") await put("texts", { pk: S("p"), sk: S(sk), length: N(sk.length) });
  await put("texts", { pk: S("other"), sk: S("a") });
  for (const bytes of [[0], [0, 0], [1], [255], [255, 255], [254]])
    await put("binaries", { pk: S("p"), sk: { B: new Uint8Array(bytes) } });
});
after(async () => setting.stop());

async function put(TableName: string, Item: Item): Promise<void> {
  await client.send(new PutItemCommand({ TableName, Item }));
}

const query = (
  TableName: string,
  KeyConditionExpression: string,
  values: Item,
  more: Partial<QueryCommandInput> = {},
) =>
  client.send(
    new QueryCommand({ TableName, KeyConditionExpression, ExpressionAttributeValues: values, ...more }),
  );

async function texts(
  condition: string,
  values: Item = {},
  more: Partial<QueryCommandInput> = {},
): Promise<string[]> {
  const expression = condition === "" ? "pk = :p" : `pk = :p AND ${condition}`;
  const { Items = [] } = await query("texts", expression, { ":p": S("p"), ...values }, more);
  return Items.map((item) => item["sk"]?.S ?? "");
}

test("Query orders texts by their bytes, forwards and backwards", async () => {
  const all = ["a", "aa", "ab", "ab\u0000", "ab\u0000c", "abc", "ac", "b", "é", "￿", "😀"];
  assert.deepEqual(await texts(""), all);
  assert.deepEqual(await texts("", {}, { ScanIndexForward: false }), all.toReversed());
});

test("Query understands every condition on the sort key", async () => {
  const v = { ":v": S("ab") };
  assert.deepEqual(await texts("sk = :v", v), ["ab"]);
  assert.deepEqual(await texts("sk < :v", v), ["a", "aa"]);
  assert.deepEqual(await texts("sk <= :v", v), ["a", "aa", "ab"]);
  assert.deepEqual(await texts("sk > :v AND begins_with(sk, :v)", v).catch(() => "refused"), "refused");
  assert.deepEqual(await texts("sk > :v", { ":v": S("abc") }), ["ac", "b", "é", "￿", "😀"]);
  assert.deepEqual(await texts("sk >= :v", { ":v": S("b") }), ["b", "é", "￿", "😀"]);
  assert.deepEqual(await texts(":v >= sk", v), ["a", "aa", "ab"]);
  assert.deepEqual(await texts("begins_with(sk, :v)", v), ["ab", "ab\u0000", "ab\u0000c", "abc"]);
  assert.deepEqual(await texts("begins_with(sk, :v)", { ":v": S("ab\u0000") }), ["ab\u0000", "ab\u0000c"]);
  assert.deepEqual(await texts("(sk BETWEEN :v AND :w)", { ...v, ":w": S("ac") }), [
    "ab",
    "ab\u0000",
    "ab\u0000c",
    "abc",
    "ac",
  ]);
});

test("Query orders numbers by value and binaries by bytes", async () => {
  const { Items: numbers = [] } = await query("numbers", "pk = :p", { ":p": S("p") });
  assert.deepEqual(
    numbers.map((item) => Number(item["sk"]?.N)),
    NUMBERS.map(Number),
  );
  const some = await query("numbers", "pk = :p AND sk BETWEEN :a AND :b", {
    ":p": S("p"),
    ":a": N("-1.0500"),
    ":b": N("1e-1"),
  });
  assert.deepEqual(
    some.Items?.map((item) => Number(item["sk"]?.N)),
    [-1.05, -1, -0.001, 0, 1e-100, 0.001],
  );
  const { Items: binaries = [] } = await query("binaries", "pk = :p AND sk > :v", {
    ":p": S("p"),
    ":v": { B: new Uint8Array([0]) },
  });
  assert.deepEqual(
    binaries.map((item) => Buffer.from(item["sk"]?.B ?? "").toString("hex")),
    ["0000", "01", "fe", "ff", "ffff"],
  );
  const prefixed = await query("binaries", "pk = :p AND begins_with(sk, :v)", {
    ":p": S("p"),
    ":v": { B: new Uint8Array([255]) },
  });
  assert.equal(prefixed.Count, 2);
});

test("Query pages by Limit, counted before the filter", async () => {
  const first = await query(
    "texts",
    "pk = :p",
    { ":p": S("p"), ":n": N(1) },
    { Limit: 5, FilterExpression: "#l > :n", ExpressionAttributeNames: { "#l": "length" } },
  );
  assert.deepEqual([first.Count, first.ScannedCount], [4, 5]);
  assert.deepEqual(first.LastEvaluatedKey, { pk: S("p"), sk: S("ab\u0000c") });
  const rest = await query(
    "texts",
    "pk = :p",
    { ":p": S("p") },
    { ExclusiveStartKey: first.LastEvaluatedKey },
  );
  assert.deepEqual([rest.Count, rest.LastEvaluatedKey], [6, undefined]);
  for (const ScanIndexForward of [true, false]) {
    const seen: string[] = [];
    const pages = paginateQuery(
      { client, pageSize: 2 },
      {
        TableName: "texts",
        KeyConditionExpression: "pk = :p",
        ExpressionAttributeValues: { ":p": S("p") },
        ScanIndexForward,
      },
    );
    for await (const page of pages) seen.push(...(page.Items ?? []).map((item) => item["sk"]?.S ?? ""));
    assert.deepEqual(seen, await texts("", {}, { ScanIndexForward }));
  }
});

test("Query ends a page with the item that reaches 1 MB", async () => {
  await createTable(client, "large", ["pk", "sk:N"]);
  const filler = S("x".repeat(300_000));
  for (let i = 0; i < 6; i += 1) await put("large", { pk: S("p"), sk: N(i), filler });
  const first = await query("large", "pk = :p", { ":p": S("p") });
  assert.deepEqual([first.Count, first.LastEvaluatedKey?.["sk"]?.N], [4, "3"]);
  const second = await query(
    "large",
    "pk = :p",
    { ":p": S("p") },
    { ExclusiveStartKey: first.LastEvaluatedKey },
  );
  assert.deepEqual([second.Count, second.LastEvaluatedKey], [2, undefined]);
  const counted = await query("large", "pk = :p", { ":p": S("p") }, { Select: "COUNT" });
  assert.deepEqual([counted.Count, counted.Items, counted.LastEvaluatedKey?.["sk"]?.N], [4, undefined, "3"]);
});

test("Query reads many small items in one page", async () => {
  await createTable(client, "many", ["pk", "sk:N"]);
  await Promise.all(Array.from({ length: 500 }, (_, i) => put("many", { pk: S("p"), sk: N(i) })));
  const all = await query("many", "pk = :p", { ":p": S("p") });
  assert.deepEqual(
    all.Items?.map((item) => Number(item["sk"]?.N)),
    Array.from({ length: 500 }, (_, i) => i),
  );
});

const inIndex = async (IndexName: string, g: string) =>
  (await query("indexed", "g = :g", { ":g": S(g) }, { IndexName })).Items ?? [];

test("Query follows an item through its indexes", async () => {
  await put("indexed", { pk: S("i"), sk: S("1"), g: S("x"), l: N(1), extra: S("e"), more: S("m") });
  await put("indexed", { pk: S("i"), sk: S("2"), g: S("x"), extra: S("e") });
  await put("indexed", { pk: S("i"), sk: S("3"), g: S("x"), l: N(0) });
  assert.deepEqual(
    (await inIndex("all", "x")).map((item) => item["sk"]),
    [S("3"), S("1")],
  );
  assert.deepEqual((await inIndex("keys", "x")).length, 3);
  const [some] = (await inIndex("some", "x")).filter((item) => item["sk"]?.S === "1");
  assert.deepEqual(some, { pk: S("i"), sk: S("1"), g: S("x"), extra: S("e") });
  const key = { TableName: "indexed", Key: { pk: S("i"), sk: S("1") } };
  await client.send(
    new UpdateItemCommand({
      ...key,
      UpdateExpression: "SET g = :y",
      ExpressionAttributeValues: { ":y": S("y") },
    }),
  );
  assert.deepEqual(
    (await inIndex("all", "x")).map((item) => item["sk"]),
    [S("3")],
  );
  assert.deepEqual((await inIndex("all", "y"))[0]?.["more"], S("m"));
  await client.send(new UpdateItemCommand({ ...key, UpdateExpression: "REMOVE l" }));
  assert.deepEqual(await inIndex("all", "y"), []);
  assert.equal((await inIndex("keys", "y")).length, 1);
  await client.send(new DeleteItemCommand(key));
  assert.equal((await inIndex("keys", "y")).length, 0);
});

const local = (more: Partial<QueryCommandInput>) =>
  query(
    "indexed",
    "pk = :p AND l > :l",
    { ":p": S("local"), ":l": N(1) },
    { IndexName: "local", ConsistentRead: true, ...more },
  );

test("Query reads the items of a local index when it is asked for more than the index holds", async () => {
  for (const [sk, l] of [
    ["a", 3],
    ["b", 1],
    ["c", 2],
  ] as const)
    await put("indexed", { pk: S("local"), sk: S(sk), l: N(l), extra: S(`e${sk}`) });
  assert.deepEqual((await local({})).Items, [
    { pk: S("local"), sk: S("c"), l: N(2) },
    { pk: S("local"), sk: S("a"), l: N(3) },
  ]);
  assert.deepEqual((await local({ Select: "ALL_ATTRIBUTES" })).Items?.[0]?.["extra"], S("ec"));
  assert.deepEqual((await local({ ProjectionExpression: "extra" })).Items, [
    { extra: S("ec") },
    { extra: S("ea") },
  ]);
  const first = await local({ Limit: 1 });
  assert.deepEqual(first.LastEvaluatedKey, { pk: S("local"), sk: S("c"), l: N(2) });
  assert.equal((await local({ ExclusiveStartKey: first.LastEvaluatedKey })).Items?.[0]?.["sk"]?.S, "a");
});

test("Query pages through entries of an index with equal keys", async () => {
  for (let i = 0; i < 9; i += 1)
    await put("indexed", { pk: S(`same${i}`), sk: S("1"), g: S("same"), l: N(7) });
  for (const IndexName of ["all", "keys"])
    for (const ScanIndexForward of [true, false]) {
      const seen = new Set<string>();
      let pages = 0;
      const paged = paginateQuery(
        { client, pageSize: 2 },
        {
          TableName: "indexed",
          IndexName,
          ScanIndexForward,
          KeyConditionExpression: "g = :g",
          ExpressionAttributeValues: { ":g": S("same") },
        },
      );
      for await (const page of paged) {
        pages += 1;
        for (const item of page.Items ?? []) seen.add(item["pk"]?.S ?? "");
      }
      assert.deepEqual([seen.size, pages], [9, 5], `${IndexName} ${ScanIndexForward}`);
    }
});

const INVALID = "One or more parameter values were invalid: ";
const p = { ":p": S("p") };
const refused: [title: string, request: () => Promise<unknown>, expected: string][] = [
  ["no partition key", () => query("texts", "sk = :p", p), "Query condition missed key schema element: pk"],
  [
    "another attribute",
    () => query("texts", "other1 = :p", p),
    "Query condition missed key schema element: pk",
  ],
  [
    "an attribute besides",
    () => query("texts", "pk = :p AND other1 = :p", p),
    "Query condition missed key schema element: sk",
  ],
  ["a range of partitions", () => query("texts", "pk > :p", p), "Query key condition not supported"],
  [
    "three attributes",
    () => query("texts", "pk = :p AND sk > :p AND other1 = :p", p),
    "The number of query conditions (3) exceeds the number of key attributes defined in the schema (2)",
  ],
  [
    "two conditions on one key",
    () => query("texts", "pk = :p AND sk > :p AND sk < :p", p),
    "Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition per key",
  ],
  [
    "OR",
    () => query("texts", "pk = :p OR sk = :p", p),
    "Invalid operator used in KeyConditionExpression: OR",
  ],
  ["IN", () => query("texts", "pk IN (:p)", p), "Invalid operator used in KeyConditionExpression: IN"],
  ["<>", () => query("texts", "pk <> :p", p), "Invalid operator used in KeyConditionExpression: <>"],
  [
    "contains",
    () => query("texts", "pk = :p AND contains(sk, :p)", p),
    "Invalid operator used in KeyConditionExpression: contains",
  ],
  [
    "a nested attribute",
    () => query("texts", "pk = :p AND sk.a = :p", p),
    "Invalid KeyConditionExpression: KeyConditionExpressions cannot have conditions on nested attributes",
  ],
  [
    "a size",
    () => query("texts", "pk = :p AND size(sk) = :p", p),
    "Invalid KeyConditionExpression: KeyConditionExpressions cannot contain nested operations",
  ],
  [
    "two attributes compared",
    () => query("texts", "pk = sk", {}, { ExpressionAttributeValues: undefined }),
    "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition",
  ],
  [
    "a value of another type",
    () => query("texts", "pk = :p AND sk = :n", { ...p, ":n": N(1) }),
    `${INVALID}Condition parameter type does not match schema type`,
  ],
  [
    "begins_with of a number",
    () => query("numbers", "pk = :p AND begins_with(sk, :n)", { ...p, ":n": N(1) }),
    "Invalid KeyConditionExpression: Incorrect operand type for operator or function; operator or function: begins_with, operand type: N",
  ],
  [
    "begins_with of a text on numbers",
    () => query("numbers", "pk = :p AND begins_with(sk, :p)", p),
    `${INVALID}Condition parameter type does not match schema type`,
  ],
  [
    "an undefined value before a wrong one",
    () => query("texts", "pk = :missing AND begins_with(sk, :n)", { ":n": N(1) }),
    "Invalid KeyConditionExpression: An expression attribute value used in expression is not defined; attribute value: :missing",
  ],
  [
    "an empty condition",
    () => query("texts", "", p),
    "Invalid KeyConditionExpression: The expression can not be empty;",
  ],
  [
    "no condition",
    () => client.send(new QueryCommand({ TableName: "texts" })),
    "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.",
  ],
  [
    "values without an expression",
    () => client.send(new QueryCommand({ TableName: "texts", ExpressionAttributeValues: p })),
    "ExpressionAttributeValues can only be specified when using expressions: FilterExpression and KeyConditionExpression are null",
  ],
  [
    "a filter on a key",
    () => query("texts", "pk = :p", p, { FilterExpression: "sk = :p" }),
    "Filter Expression can only contain non-primary key attributes: Primary key attribute: sk",
  ],
  [
    "an index that is not there",
    () => query("texts", "pk = :p", p, { IndexName: "none" }),
    "The table does not have the specified index: none",
  ],
  [
    "a consistent read of a global index",
    () => query("indexed", "g = :p", p, { IndexName: "all", ConsistentRead: true }),
    "Consistent reads are not supported on global secondary indexes",
  ],
  [
    "all attributes of a global index without them",
    () => query("indexed", "g = :p", p, { IndexName: "keys", Select: "ALL_ATTRIBUTES" }),
    `${INVALID}Select type ALL_ATTRIBUTES is not supported for global secondary index keys because its projection type is not ALL`,
  ],
  [
    "an attribute a global index does not hold",
    () => query("indexed", "g = :p", p, { IndexName: "keys", ProjectionExpression: "extra" }),
    `${INVALID}Global secondary index keys does not project [extra]`,
  ],
  [
    "a selection that is none",
    () => query("texts", "pk = :p", p, { Select: "INVALID_VALUE" as "COUNT" }),
    "1 validation error detected: Value 'INVALID_VALUE' at 'select' failed to satisfy constraint: Member must satisfy enum value set: [SPECIFIC_ATTRIBUTES, COUNT, ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES]",
  ],
  [
    "projected attributes of a table",
    () => query("texts", "pk = :p", p, { Select: "ALL_PROJECTED_ATTRIBUTES" }),
    `${INVALID}ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName`,
  ],
  [
    "all attributes and a projection",
    () => query("texts", "pk = :p", p, { Select: "ALL_ATTRIBUTES", ProjectionExpression: "sk" }),
    `${INVALID}Cannot specify the ProjectionExpression when choosing to get ALL_ATTRIBUTES`,
  ],
  [
    "a start key without sort key",
    () => query("texts", "pk = :p", p, { ExclusiveStartKey: { pk: S("p") } }),
    "The provided starting key is invalid",
  ],
  [
    "a start key in another partition",
    () => query("texts", "pk = :p", p, { ExclusiveStartKey: { pk: S("q"), sk: S("a") } }),
    "The provided starting key is outside query boundaries based on provided conditions",
  ],
  [
    "a start key outside the condition",
    () =>
      query(
        "texts",
        "pk = :p AND sk > :s",
        { ...p, ":s": S("m") },
        { ExclusiveStartKey: { pk: S("p"), sk: S("a") } },
      ),
    "The provided starting key does not match the range key predicate",
  ],
  [
    "an empty key value",
    () => query("texts", "pk = :e", { ":e": S("") }),
    "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk",
  ],
];

for (const [title, request, expected] of refused)
  test(`Query refuses ${title}`, async () =>
    assert.equal(await refusal(request()), `ValidationException: ${expected}`));
