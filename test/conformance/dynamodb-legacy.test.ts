/** DynamoDB's parameters from before expressions: Expected, AttributeUpdates, KeyConditions, filters, AttributesToGet. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  BatchGetItemCommand,
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import type {
  AttributeValue,
  Condition,
  DynamoDBClient,
  PutItemCommandInput,
  QueryCommandInput,
  UpdateItemCommandInput,
} from "@aws-sdk/client-dynamodb";
import type { DynamoDbSetting } from "../harness/dynamodb.ts";
import { N, S, createTable, refusal, startDynamoDb } from "../harness/dynamodb.ts";

const ONE = "ValidationException: 1 validation error detected: ";
const INVALID = "One or more parameter values were invalid: ";

let setting: DynamoDbSetting;
let client: DynamoDBClient;

before(async () => {
  setting = await startDynamoDb();
  ({ client } = setting);
  await createTable(client, "items", ["pk"]);
  await createTable(client, "pairs", ["pk", "sk:N"]);
  for (let i = 0; i < 10; i += 1)
    await client.send(
      new PutItemCommand({
        TableName: "pairs",
        Item: { pk: S("p"), sk: N(i), text: S(`t${i % 3}`), ...(i > 5 && { tags: { SS: ["a", `b${i}`] } }) },
      }),
    );
});
after(async () => setting.stop());

type Item = Record<string, AttributeValue>;

const put = (Item: Item, more: Partial<PutItemCommandInput> = {}) =>
  client.send(new PutItemCommand({ TableName: "items", Item, ...more }));
const update = (pk: string, more: Partial<UpdateItemCommandInput>) =>
  client.send(
    new UpdateItemCommand({ TableName: "items", Key: { pk: S(pk) }, ReturnValues: "ALL_NEW", ...more }),
  );

const remove = (Value: AttributeValue) =>
  client.send(new DeleteItemCommand({ TableName: "items", Key: { pk: S("e") }, Expected: { n: { Value } } }));

test("PutItem and DeleteItem with Expected", async () => {
  await put({ pk: S("e"), n: N(5), s: S("abc") });
  const failed = "ConditionalCheckFailedException: The conditional request failed";
  const conditions: [PutItemCommandInput["Expected"], PutItemCommandInput["ConditionalOperator"], boolean][] =
    [
      [{ pk: { Exists: false } }, undefined, false],
      [{ n: { Value: N(5) } }, undefined, true],
      [{ n: { Exists: true, Value: N(6) } }, undefined, false],
      [
        {
          n: { ComparisonOperator: "GT", AttributeValueList: [N(4)] },
          s: { ComparisonOperator: "BEGINS_WITH", Value: S("ab") },
        },
        undefined,
        true,
      ],
      [
        {
          n: { ComparisonOperator: "LT", AttributeValueList: [N(4)] },
          s: { ComparisonOperator: "NOT_NULL" },
        },
        "OR",
        true,
      ],
      [
        {
          n: { ComparisonOperator: "LT", AttributeValueList: [N(4)] },
          s: { ComparisonOperator: "NOT_NULL" },
        },
        "AND",
        false,
      ],
      [{ n: { ComparisonOperator: "BETWEEN", AttributeValueList: [N(5), N(6)] } }, undefined, true],
      [{ n: { ComparisonOperator: "IN", AttributeValueList: [N(1), N(5)] } }, undefined, true],
      [{ s: { ComparisonOperator: "CONTAINS", AttributeValueList: [S("b")] } }, undefined, true],
      [{ s: { ComparisonOperator: "NOT_CONTAINS", AttributeValueList: [S("b")] } }, undefined, false],
      [{ absent: { ComparisonOperator: "NULL" } }, undefined, true],
      [{ absent: { ComparisonOperator: "NE", AttributeValueList: [S("b")] } }, undefined, true],
    ];
  for (const [Expected, ConditionalOperator, holds] of conditions)
    assert.equal(
      await refusal(put({ pk: S("e"), n: N(5), s: S("abc") }, { Expected, ConditionalOperator })),
      holds ? "(accepted)" : failed,
      JSON.stringify(Expected),
    );
  assert.equal(await refusal(remove(N(4))), failed);
  assert.equal(await refusal(remove(N(5))), "(accepted)");
});

test("UpdateItem with AttributeUpdates puts, adds and deletes", async () => {
  const first = await update("u", {
    AttributeUpdates: {
      a: { Value: S("x") },
      n: { Action: "ADD", Value: N(2) },
      set: { Action: "ADD", Value: { NS: ["1", "2"] } },
      l: { Action: "ADD", Value: { L: [N(1)] } },
      absent: { Action: "DELETE" },
    },
  });
  assert.deepEqual(first.Attributes, {
    pk: S("u"),
    a: S("x"),
    n: N(2),
    set: { NS: ["1", "2"] },
    l: { L: [N(1)] },
  });
  const second = await update("u", {
    AttributeUpdates: {
      a: { Action: "DELETE" },
      n: { Action: "ADD", Value: N("-0.5") },
      set: { Action: "DELETE", Value: { NS: ["1"] } },
      l: { Action: "ADD", Value: { L: [N(2)] } },
    },
    Expected: { a: { Value: S("x") } },
    ReturnValues: "UPDATED_NEW",
  });
  assert.deepEqual(second.Attributes, { n: N("1.5"), set: { NS: ["2"] }, l: { L: [N(1), N(2)] } });
  assert.equal(
    await refusal(update("u", { AttributeUpdates: { n: { Action: "ADD", Value: { NS: ["1"] } } } })),
    "ValidationException: Type mismatch for attribute to update",
  );
  await update("unmade", { AttributeUpdates: { a: { Action: "DELETE" } } });
  assert.equal(
    (await client.send(new GetItemCommand({ TableName: "items", Key: { pk: S("unmade") } }))).Item,
    undefined,
  );
});

test("GetItem and BatchGetItem with AttributesToGet", async () => {
  await put({ pk: S("some"), a: S("1"), "b.c": S("2"), d: S("3") });
  const { Item: item } = await client.send(
    new GetItemCommand({ TableName: "items", Key: { pk: S("some") }, AttributesToGet: ["b.c", "a", "x"] }),
  );
  assert.deepEqual(item, { "b.c": S("2"), a: S("1") });
  const { Responses: responses } = await client.send(
    new BatchGetItemCommand({
      RequestItems: { items: { Keys: [{ pk: S("some") }], AttributesToGet: ["d"] } },
    }),
  );
  assert.deepEqual(responses, { items: [{ d: S("3") }] });
});

const query = (KeyConditions: Record<string, Condition>, more: Partial<QueryCommandInput> = {}) =>
  client.send(new QueryCommand({ TableName: "pairs", KeyConditions, ...more }));
const is = (
  ComparisonOperator: Condition["ComparisonOperator"],
  ...AttributeValueList: AttributeValue[]
): Condition => ({
  ComparisonOperator,
  AttributeValueList,
});

test("Query with KeyConditions and QueryFilter", async () => {
  const found = await query(
    { pk: is("EQ", S("p")), sk: is("BETWEEN", N(2), N(8)) },
    {
      QueryFilter: { text: is("EQ", S("t1")), tags: is("CONTAINS", S("a")) },
      ConditionalOperator: "OR",
      AttributesToGet: ["sk"],
    },
  );
  assert.deepEqual(
    [found.Items?.map((item) => item["sk"]?.N), found.ScannedCount],
    [["4", "6", "7", "8"], 7],
  );
});

test("Scan with ScanFilter", async () => {
  const found = await client.send(
    new ScanCommand({
      TableName: "pairs",
      ScanFilter: { tags: is("NOT_NULL"), sk: is("IN", N(6), N(9), N(1)) },
    }),
  );
  assert.deepEqual(
    found.Items?.map((item) => item["sk"]?.N),
    ["6", "9"],
  );
});

const p = { pk: is("EQ", S("p")) };
const refused: [title: string, request: () => Promise<unknown>, expected: string][] = [
  [
    "PutItem with Expected and an expression",
    () =>
      put({ pk: S("a") }, { Expected: { a: { Exists: false } }, ConditionExpression: "attribute_exists(a)" }),
    `${ONE}Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {Expected} Expression parameters: {ConditionExpression}`,
  ],
  [
    "UpdateItem with both kinds of update",
    () => update("a", { UpdateExpression: "REMOVE a", AttributeUpdates: {} }),
    `${ONE}Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {AttributeUpdates} Expression parameters: {UpdateExpression}`,
  ],
  [
    "PutItem with names and Expected",
    () =>
      put({ pk: S("a") }, { Expected: { a: { Exists: false } }, ExpressionAttributeNames: { "#a": "a" } }),
    `${ONE}ExpressionAttributeNames can only be specified when using expressions`,
  ],
  [
    "PutItem expecting a value that is not given",
    () => put({ pk: S("a") }, { Expected: { a: { Exists: true } } }),
    `${ONE}${INVALID}Value must be provided when Exists is true for Attribute: a`,
  ],
  [
    "PutItem expecting nothing",
    () => put({ pk: S("a") }, { Expected: { a: {} } }),
    `${ONE}${INVALID}Value must be provided when Exists is null for Attribute: a`,
  ],
  [
    "PutItem expecting a value that must not exist",
    () => put({ pk: S("a") }, { Expected: { a: { Exists: false, Value: S("x") } } }),
    `${ONE}${INVALID}Value cannot be used when Exists is false for Attribute: a`,
  ],
  [
    "PutItem expecting in two ways",
    () => put({ pk: S("a") }, { Expected: { a: { Value: S("x"), AttributeValueList: [S("x")] } } }),
    `${ONE}${INVALID}Value and AttributeValueList cannot be used together for Attribute: a`,
  ],
  [
    "PutItem with an operator and nothing to compare with",
    () => put({ pk: S("a") }, { Expected: { a: { ComparisonOperator: "EQ" } } }),
    `${ONE}${INVALID}Value or AttributeValueList must be used with ComparisonOperator: EQ for Attribute: a`,
  ],
  [
    "PutItem with half a range",
    () => put({ pk: S("a") }, { Expected: { a: is("BETWEEN", S("x")) } }),
    `${ONE}${INVALID}Invalid number of argument(s) for the BETWEEN ComparisonOperator`,
  ],
  [
    "PutItem with values and no operator",
    () => put({ pk: S("a") }, { Expected: { a: { AttributeValueList: [S("x")] } } }),
    `${ONE}${INVALID}AttributeValueList can only be used with a ComparisonOperator for Attribute: a`,
  ],
  [
    "PutItem with an operator that is none",
    () => put({ pk: S("a") }, { Expected: { a: { ComparisonOperator: "LIKE" as "EQ", Value: S("x") } } }),
    `${ONE}Value 'LIKE' at 'expected.a.member.comparisonOperator' failed to satisfy constraint: Member must satisfy enum value set: [IN, NULL, BETWEEN, LT, NOT_CONTAINS, EQ, GT, NOT_NULL, NE, LE, BEGINS_WITH, GE, CONTAINS]`,
  ],
  [
    "UpdateItem putting nothing",
    () => update("a", { AttributeUpdates: { a: { Action: "PUT" } } }),
    `${ONE}${INVALID}Only DELETE action is allowed when no attribute value is specified`,
  ],
  [
    "UpdateItem deleting a text",
    () => update("a", { AttributeUpdates: { a: { Action: "DELETE", Value: S("x") } } }),
    `${ONE}${INVALID}DELETE action with value is not supported for the type S`,
  ],
  [
    "UpdateItem adding a text",
    () => update("a", { AttributeUpdates: { a: { Action: "ADD", Value: S("x") } } }),
    `${ONE}${INVALID}ADD action is not supported for the type S`,
  ],
  [
    "UpdateItem of a key",
    () => update("a", { AttributeUpdates: { pk: { Value: S("x") } } }),
    `ValidationException: ${INVALID}Cannot update attribute pk. This attribute is part of the key`,
  ],
  [
    "GetItem of one attribute twice",
    () =>
      client.send(
        new GetItemCommand({ TableName: "items", Key: { pk: S("a") }, AttributesToGet: ["a", "a"] }),
      ),
    `ValidationException: ${INVALID}Duplicate value in attribute name: a`,
  ],
  [
    "Query by three keys",
    () => query({ ...p, a: is("EQ", S("x")), b: is("EQ", S("x")) }),
    "ValidationException: Conditions can be of length 1 or 2 only",
  ],
  ["Query by nothing", () => query({}), "ValidationException: Conditions can be of length 1 or 2 only"],
  [
    "Query by the sort key alone",
    () => query({ sk: is("EQ", N(1)) }),
    "ValidationException: Query condition missed key schema element: pk",
  ],
  [
    "Query by what no index orders",
    () => query({ ...p, sk: is("NE", N(1)) }),
    "ValidationException: Attempted conditional constraint is not an indexable operation",
  ],
  [
    "Query with a range the wrong way round",
    () => query({ ...p, sk: is("BETWEEN", N(2), N(1)) }),
    "ValidationException: The BETWEEN condition was provided a range where the lower bound is greater than the upper bound",
  ],
  [
    "Query with values of two types",
    () => query({ ...p, sk: is("BETWEEN", N(2), S("x")) }),
    `ValidationException: ${INVALID}AttributeValues inside AttributeValueList must be of same type`,
  ],
  [
    "Query comparing a set by order",
    () => query(p, { QueryFilter: { a: is("GT", { SS: ["x"] }) } }),
    `ValidationException: ${INVALID}ComparisonOperator GT is not valid for SS AttributeValue type`,
  ],
  [
    "Query filtering by a key",
    () => query(p, { QueryFilter: { sk: is("EQ", N(1)) } }),
    "ValidationException: QueryFilter can only contain non-primary key attributes: Primary key attribute: sk",
  ],
  [
    "Query joining one condition",
    () => query(p, { QueryFilter: { a: is("EQ", N(1)) }, ConditionalOperator: "OR" }),
    `ValidationException: ${INVALID}ConditionalOperator can only be used when Filter or Expected has two or more elements`,
  ],
  [
    "Query with KeyConditions and an expression",
    () => query(p, { KeyConditionExpression: "pk = :p", ExpressionAttributeValues: { ":p": S("p") } }),
    "ValidationException: Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {KeyConditions} Expression parameters: {KeyConditionExpression}",
  ],
];

for (const [title, request, expected] of refused)
  test(`${title} is refused`, async () => assert.equal(await refusal(request()), expected));

test("Query with KeyConditions takes a filter expression", async () => {
  const found = await query(p, { FilterExpression: "attribute_exists(tags)" });
  assert.deepEqual([found.Count, found.ScannedCount], [4, 10]);
});
