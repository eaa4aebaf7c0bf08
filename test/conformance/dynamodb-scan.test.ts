/** DynamoDB's Scan: whole tables and indexes, in pages and segments. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { BatchWriteItemCommand, PutItemCommand, ScanCommand, paginateScan } from "@aws-sdk/client-dynamodb";
import type { AttributeValue, DynamoDBClient, ScanCommandInput } from "@aws-sdk/client-dynamodb";
import type { DynamoDbSetting } from "../harness/dynamodb.ts";
import { N, S, createTable, keySchema, refusal, startDynamoDb } from "../harness/dynamodb.ts";

const ITEMS = 200;

let setting: DynamoDbSetting;
let client: DynamoDBClient;

before(async () => {
  setting = await startDynamoDb();
  ({ client } = setting);
  await createTable(client, "scanned", ["pk"], {
    attributes: ["g:N"],
    GlobalSecondaryIndexes: [
      {
        IndexName: "sparse",
        KeySchema: keySchema(["g"]),
        Projection: { ProjectionType: "INCLUDE", NonKeyAttributes: ["odd"] },
      },
    ],
  });
  for (let from = 0; from < ITEMS; from += 25)
    await client.send(
      new BatchWriteItemCommand({
        RequestItems: {
          scanned: Array.from({ length: 25 }, (_, i) => ({ PutRequest: { Item: itemOf(from + i) } })),
        },
      }),
    );
});
after(async () => setting.stop());

function itemOf(i: number): Record<string, AttributeValue> {
  return {
    pk: S(`item${i}`),
    odd: { BOOL: i % 2 === 1 },
    n: N(i),
    ...(i % 10 === 0 && { g: N(i % 3) }),
  };
}

const scan = (more: Partial<ScanCommandInput> = {}) =>
  client.send(new ScanCommand({ TableName: "scanned", ...more }));

/** The names found, in order, through all pages. */
async function namesFound(more: Partial<ScanCommandInput>, pageSize: number): Promise<string[]> {
  const names: string[] = [];
  for await (const page of paginateScan({ client, pageSize }, { TableName: "scanned", ...more }))
    names.push(...(page.Items ?? []).map((item) => item["pk"]?.S ?? ""));
  return names;
}

test("Scan finds every item once, whatever the size of the pages", async () => {
  const whole = await scan({ ConsistentRead: true });
  assert.deepEqual([whole.Count, whole.ScannedCount, whole.LastEvaluatedKey], [ITEMS, ITEMS, undefined]);
  const order = whole.Items?.map((item) => item["pk"]?.S);
  for (const pageSize of [1, 7, 200]) assert.deepEqual(await namesFound({}, pageSize), order);
});

test("Scan in parallel segments finds every item in one of them", async () => {
  for (const TotalSegments of [1, 3, 8, 300]) {
    const segments = await Promise.all(
      Array.from({ length: TotalSegments }, (_, Segment) => namesFound({ Segment, TotalSegments }, 50)),
    );
    const all = segments.flat();
    assert.deepEqual([all.length, new Set(all).size], [ITEMS, ITEMS]);
    if (TotalSegments === 3) assert.ok(segments.every((segment) => segment.length > ITEMS / 10));
  }
});

test("Scan filters after it has counted, and selects what is asked for", async () => {
  const filter = {
    FilterExpression: "odd = :t AND n < :n",
    ExpressionAttributeValues: { ":t": { BOOL: true }, ":n": N(50) },
  };
  const found = await scan({ ...filter, ProjectionExpression: "n" });
  assert.deepEqual([found.Count, found.ScannedCount], [25, ITEMS]);
  assert.ok(found.Items?.every((item) => Object.keys(item).join() === "n"));
  const counted = await scan({ ...filter, Select: "COUNT" });
  assert.deepEqual([counted.Count, counted.ScannedCount, counted.Items], [25, ITEMS, undefined]);
});

test("Scan of a sparse index finds its entries, with what it projects", async () => {
  const entries = await scan({ IndexName: "sparse" });
  assert.equal(entries.Count, 20);
  assert.ok(entries.Items?.every((item) => Object.keys(item).toSorted().join() === "g,odd,pk"));
  const names = await namesFound({ IndexName: "sparse" }, 3);
  assert.deepEqual([names.length, new Set(names).size], [20, 20]);
  const first = await scan({ IndexName: "sparse", Limit: 1 });
  assert.deepEqual(Object.keys(first.LastEvaluatedKey ?? {}).toSorted(), ["g", "pk"]);
});

test("Scan ends a page with the item that reaches 1 MB", async () => {
  await createTable(client, "large", ["pk"]);
  for (let i = 0; i < 5; i += 1)
    await client.send(
      new PutItemCommand({ TableName: "large", Item: { pk: S(`p${i}`), filler: S("x".repeat(350_000)) } }),
    );
  const first = await client.send(new ScanCommand({ TableName: "large" }));
  assert.equal(first.Count, 3);
  const second = await client.send(
    new ScanCommand({ TableName: "large", ExclusiveStartKey: first.LastEvaluatedKey }),
  );
  assert.deepEqual([second.Count, second.LastEvaluatedKey], [2, undefined]);
});

const INVALID = "ValidationException: One or more parameter values were invalid: ";
const refused: [title: string, input: Partial<ScanCommandInput>, expected: string][] = [
  [
    "a segment of nothing",
    { Segment: 0 },
    "ValidationException: The TotalSegments parameter is required but was not present in the request when Segment parameter is present",
  ],
  [
    "segments without one",
    { TotalSegments: 4 },
    "ValidationException: The Segment parameter is required but was not present in the request when parameter TotalSegments is present",
  ],
  [
    "a segment past the last",
    { Segment: 5, TotalSegments: 5 },
    "ValidationException: The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: 5 is not less than TotalSegments: 5",
  ],
  [
    "a limit of nothing",
    { Limit: 0 },
    "ValidationException: 1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1",
  ],
  ["no table", { TableName: "absent" }, "ResourceNotFoundException: Requested resource not found"],
  [
    "a consistent read of a global index",
    { IndexName: "sparse", ConsistentRead: true },
    "ValidationException: Consistent reads are not supported on global secondary indexes",
  ],
  [
    "values without an expression",
    { ExpressionAttributeValues: { ":a": S("a") } },
    "ValidationException: ExpressionAttributeValues can only be specified when using expressions: FilterExpression is null",
  ],
  [
    "specific attributes that are not named",
    { Select: "SPECIFIC_ATTRIBUTES" },
    `${INVALID}Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES`,
  ],
  [
    "a start key of the wrong shape",
    { ExclusiveStartKey: { pk: S("a"), sk: S("b") } },
    "ValidationException: The provided starting key is invalid: The provided key element does not match the schema",
  ],
  [
    "a start key without the index's key",
    { IndexName: "sparse", ExclusiveStartKey: { pk: S("a") } },
    "ValidationException: The provided starting key is invalid",
  ],
  [
    "a duplicate in a filter's set",
    { FilterExpression: "n = :s", ExpressionAttributeValues: { ":s": { NS: ["1", "1"] } } },
    "ValidationException: ExpressionAttributeValues contains invalid value: Input collection contains duplicates for key :s",
  ],
];

for (const [title, input, expected] of refused)
  test(`Scan refuses ${title}`, async () => assert.equal(await refusal(scan(input)), expected));

test("Scan refuses a start key of another segment", async () => {
  const [first] = (await scan({ Segment: 0, TotalSegments: 2, Limit: 1 })).Items ?? [];
  assert.ok(first?.["pk"]);
  assert.equal(
    await refusal(scan({ Segment: 1, TotalSegments: 2, ExclusiveStartKey: { pk: first["pk"] } })),
    "ValidationException: The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment. TotalSegments: 2 Segment: 1",
  );
});
