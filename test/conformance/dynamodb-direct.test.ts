/** The direct way of GetItem and PutItem and the general one: whatever is sent is answered alike by both. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PutResourcePolicyCommand } from "@aws-sdk/client-dynamodb";
import { createTable, startDynamoDb } from "../harness/dynamodb.ts";
import type { DynamoDbSetting } from "../harness/dynamodb.ts";
import { rawRequest } from "../protocol/raw-request.ts";

let setting: DynamoDbSetting;
before(async () => {
  setting = await startDynamoDb();
  await createTable(setting.client, "direct-items", ["pk:S", "sk:N"]);
  await createTable(setting.client, "direct-bytes", ["pk:B"]);
});
after(async () => setting.stop());

const AUTHORIZATION =
  "AWS4-HMAC-SHA256 Credential=000000000000/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host;x-amz-date, Signature=0";

async function call(way: "direct" | "general", operation: string, body: string) {
  const { port } = new URL(setting.server.endpoint);
  const answer = await rawRequest(Number(port), {
    headers: {
      host: `localhost:${port}`,
      authorization: AUTHORIZATION,
      "content-type": "application/x-amz-json-1.0",
      "x-amz-target": `DynamoDB_20120810.${operation}`,
      // A header that the direct way does not know.
      ...(way === "general" && { "x-something": "else" }),
    },
    body,
  });
  const { date: _date, "x-amzn-requestid": id, ...headers } = answer.headers;
  assert.match(String(id), /^[0-9a-f-]{36}$/);
  return { status: answer.status, headers, body: String(answer.body) };
}

const table = (more: object) => ({ TableName: "direct-items", ...more });
const key = (sk: number) => ({ pk: { S: "a" }, sk: { N: String(sk) } });
const deep = (levels: number): object => (levels === 0 ? { S: "x" } : { M: { m: deep(levels - 1) } });

test("PutItem is answered alike by both ways, and what it put is what GetItem gets by both", async () => {
  const items: object[] = [
    { text: { S: 'ü\u0000"' }, empty: { S: "" }, yes: { BOOL: true }, nothing: { NULL: true } },
    { number: { N: "1.50" }, large: { N: "12345678901234567890123456789012345678" }, bad: { S: "1e3" } },
    { numbers: { NS: ["2", "1.0"] }, texts: { SS: ["b", "a"] } },
    { list: { L: [{ S: "a" }, { L: [] }, { M: {} }] }, map: { M: { "": { S: "x" } } } },
    { constructor: { S: "c" }, toString: { N: "1" } },
    { bytes: { B: Buffer.from([0, 255]).toString("base64") } },
    { deep: deep(12) },
    { deep: deep(25) },
    { deep: deep(40) },
    { twice: { SS: ["a", "a"] } },
    { none: { SS: [] } },
    { number: { N: "x" } },
    { number: { N: 1 } },
    { nothing: { NULL: false } },
    { two: { S: "a", N: "1" } },
    { no: {} },
    { no: null },
    { other: { X: "1" } },
    { ["n".repeat(300)]: { S: "long" } },
    { pk: { N: "1" } },
    { sk: undefined },
    { text: { S: "x".repeat(410_000) } },
  ];
  for (const [at, item] of items.entries()) {
    const answers = [];
    for (const way of ["direct", "general"] as const) {
      const put = await call(way, "PutItem", JSON.stringify(table({ Item: { ...key(at), ...item } })));
      const get = JSON.stringify(table({ Key: key(at) }));
      answers.push({
        put,
        direct: await call("direct", "GetItem", get),
        general: await call("general", "GetItem", get),
      });
    }
    assert.deepEqual(answers[0], answers[1], JSON.stringify(item).slice(0, 200));
    assert.deepEqual(JSON.parse(answers[0]?.direct.body ?? ""), JSON.parse(answers[0]?.general.body ?? ""));
    assert.deepEqual(answers[0]?.direct.headers["content-type"], answers[0]?.general.headers["content-type"]);
  }
});

test("what GetItem and PutItem refuse is refused alike by both ways", async () => {
  const calls = [
    ["GetItem", table({ Key: { pk: { S: "a" } } })],
    ["GetItem", table({ Key: { pk: { S: "" }, sk: { N: "1" } } })],
    ["GetItem", table({ Key: { pk: { S: "a" }, sk: { S: "1" } } })],
    ["GetItem", table({ Key: {} })],
    ["GetItem", table({ Key: null })],
    ["GetItem", table({ Key: [] })],
    ["GetItem", table({})],
    ["GetItem", table({ Key: key(1), ReturnConsumedCapacity: "TOTAL" })],
    ["GetItem", table({ Key: key(1), ProjectionExpression: "pk" })],
    ["GetItem", { TableName: "nobody", Key: key(1) }],
    ["GetItem", { TableName: "a", Key: key(1) }],
    ["GetItem", { TableName: "a b c", Key: key(1) }],
    ["GetItem", { Key: key(1) }],
    ["GetItem", { TableName: "arn:aws:dynamodb:us-east-1:000000000000:table/direct-items", Key: key(1) }],
    ["GetItem", { TableName: "direct-bytes", Key: { pk: { B: "AAE=" } } }],
    ["PutItem", { TableName: "direct-bytes", Item: { pk: { B: "AAE=" } } }],
    ["PutItem", { TableName: "direct-bytes", Item: { pk: { S: "text" } } }],
    ["PutItem", { TableName: "nobody", Item: key(1) }],
    ["PutItem", table({ Item: key(1), ReturnValues: "ALL_NEW" })],
    ["PutItem", table({ Item: key(1), ConditionExpression: "attribute_not_exists(pk)" })],
    ["PutItem", table({ Item: { sk: { N: "1" } } })],
  ] as const;
  for (const [operation, input] of calls) {
    const body = JSON.stringify(input);
    assert.deepEqual(await call("direct", operation, body), await call("general", operation, body), body);
  }
  for (const body of ["", "[]", "null", "{", '"x"'])
    assert.deepEqual(await call("direct", "PutItem", body), await call("general", "PutItem", body));
});

test("PutResourcePolicy of a table binds both ways there, and neither elsewhere", async () => {
  const ResourceArn = "arn:aws:dynamodb:us-east-1:000000000000:table/direct-denied";
  await createTable(setting.client, "direct-denied", ["pk:S"]);
  const denial = { Effect: "Deny", Principal: "*", Action: "dynamodb:GetItem", Resource: ResourceArn };
  const Policy = JSON.stringify({ Version: "2012-10-17", Statement: [denial] });
  await setting.client.send(new PutResourcePolicyCommand({ ResourceArn, Policy }));
  const denied = JSON.stringify({ TableName: "direct-denied", Key: { pk: { S: "a" } } });
  for (const way of ["direct", "general"] as const) {
    assert.match((await call(way, "GetItem", denied)).body, /AccessDeniedException/);
    assert.equal((await call(way, "GetItem", JSON.stringify(table({ Key: key(1) })))).status, 200);
  }
});
