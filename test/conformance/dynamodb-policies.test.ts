/** Policies of tables and streams: kept, and enforced for users, roles, root and other accounts. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  BatchExecuteStatementCommand,
  BatchGetItemCommand,
  CreateTableCommand,
  DeleteResourcePolicyCommand,
  DeleteTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  ExecuteStatementCommand,
  GetItemCommand,
  GetResourcePolicyCommand,
  PutItemCommand,
  PutResourcePolicyCommand,
  QueryCommand,
  TransactWriteItemsCommand,
} from "@aws-sdk/client-dynamodb";
import type { PutResourcePolicyCommandInput } from "@aws-sdk/client-dynamodb";
import { DescribeStreamCommand, DynamoDBStreamsClient } from "@aws-sdk/client-dynamodb-streams";
import { S, createTable, keySchema, refusal, startDynamoDb } from "../harness/dynamodb.ts";
import type { DynamoDbSetting } from "../harness/dynamodb.ts";
import { latestStream } from "../harness/dynamodb-streams.ts";
import { makeUser } from "../harness/principals.ts";

const OTHER = "111122223333";
const arnOf = (table: string) => `arn:aws:dynamodb:us-east-1:000000000000:table/${table}`;

let setting: DynamoDbSetting;
let client: DynamoDBClient;
let foreign: DynamoDBClient;

before(async () => {
  setting = await startDynamoDb();
  ({ client } = setting);
  foreign = new DynamoDBClient(setting.server.client({ account: OTHER }));
});
after(async () => {
  foreign.destroy();
  await setting.stop();
});

interface Rule {
  readonly Effect?: "Allow" | "Deny";
  readonly Principal?: object | string;
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
}

const policyOf = (...rules: readonly Rule[]) =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: rules.map((rule) => ({ Effect: "Allow", Principal: "*", ...rule })),
  });

async function put(ResourceArn: string, Policy: string, more: Partial<PutResourcePolicyCommandInput> = {}) {
  const answer = await client.send(new PutResourcePolicyCommand({ ResourceArn, Policy, ...more }));
  return answer.RevisionId ?? "";
}

const get = (by: DynamoDBClient, TableName: string) =>
  by.send(new GetItemCommand({ TableName, Key: { pk: S("a") } }));

test("PutResourcePolicy, GetResourcePolicy and DeleteResourcePolicy keep a policy with its revision, which can be expected", async () => {
  await createTable(client, "kept", ["pk"]);
  const ResourceArn = arnOf("kept");
  const show = () => client.send(new GetResourcePolicyCommand({ ResourceArn }));
  const remove = (ExpectedRevisionId?: string) =>
    client.send(new DeleteResourcePolicyCommand({ ResourceArn, ExpectedRevisionId }));
  assert.match(await refusal(show()), /^PolicyNotFoundException/);
  assert.equal((await remove()).RevisionId, undefined);
  const policy = policyOf({ Action: "dynamodb:GetItem", Resource: ResourceArn });
  const first = await put(ResourceArn, policy, { ExpectedRevisionId: "NO_POLICY" });
  const { Policy: kept, RevisionId: revision } = await show();
  assert.deepEqual([kept, revision], [policy, first]);
  assert.equal(await put(ResourceArn, policy), first);
  assert.match(
    await refusal(put(ResourceArn, policy, { ExpectedRevisionId: "NO_POLICY" })),
    /^PolicyNotFoundException/,
  );
  const second = await put(ResourceArn, policyOf({ Action: "dynamodb:*", Resource: ResourceArn }), {
    ExpectedRevisionId: first,
  });
  assert.notEqual(second, first);
  assert.match(await refusal(remove(first)), /^PolicyNotFoundException/);
  assert.equal((await remove(second)).RevisionId, second);
  assert.match(await refusal(show()), /^PolicyNotFoundException/);
});

test("PutResourcePolicy refuses what is no policy, is too large, is of nothing, or would lock its author out", async () => {
  await createTable(client, "refused", ["pk"]);
  const ResourceArn = arnOf("refused");
  assert.match(await refusal(put(ResourceArn, "{}")), /^ValidationException: Invalid policy document/);
  const ghost = policyOf({ Action: "dynamodb:GetItem", Resource: ResourceArn }).replace(
    /"Principal":("[^"]*"|\{[^}]*\})/,
    '"Principal":{"AWS":"arn:aws:iam::000000000000:role/ghost"}',
  );
  assert.match(await refusal(put(ResourceArn, ghost)), /Invalid principal in policy: "AWS":"\S+role\/ghost"/);
  const large = policyOf({
    Action: "dynamodb:GetItem",
    Resource: Array.from({ length: 600 }, (_, i) => `${ResourceArn}/index/${i}`),
  });
  assert.match(await refusal(put(ResourceArn, large)), /exceeds the limit of 20480 bytes/);
  const policy = policyOf({ Action: "dynamodb:GetItem", Resource: "*" });
  assert.match(await refusal(put(arnOf("nowhere"), policy)), /^ResourceNotFoundException/);
  assert.match(
    await refusal(put(`${arnOf("nowhere")}/stream/2026-01-01T00:00:00.000`, policy)),
    /^ResourceNotFoundException/,
  );
  assert.match(await refusal(put("refused", policy)), /^ValidationException: Invalid ResourceArn/);
  const lockout = policyOf({ Effect: "Deny", Action: "dynamodb:*", Resource: ResourceArn });
  assert.match(await refusal(put(ResourceArn, lockout)), /ConfirmRemoveSelfResourceAccess/);
  await put(ResourceArn, lockout, { ConfirmRemoveSelfResourceAccess: true });
  assert.match(
    await refusal(get(client, "refused")),
    /^AccessDeniedException: .*explicit deny in a resource-based policy/,
  );
  const batch = new BatchExecuteStatementCommand({
    Statements: [{ Statement: "SELECT * FROM refused WHERE pk = 'a'" }],
  });
  assert.match(await refusal(client.send(batch)), /^AccessDeniedException/);
  await client.send(new DeleteResourcePolicyCommand({ ResourceArn }));
  await get(client, "refused");
});

test("a table's policy lets users in and keeps them out; indexes are named for themselves; CreateTable takes one", async () => {
  const user = await makeUser(setting.server.client(), "policies");
  const theirs = new DynamoDBClient(user.options);
  const Resource = arnOf("guarded");
  await client.send(
    new CreateTableCommand({
      TableName: "guarded",
      AttributeDefinitions: ["pk", "g"].map((name) => ({ AttributeName: name, AttributeType: "S" })),
      KeySchema: keySchema(["pk"]),
      BillingMode: "PAY_PER_REQUEST",
      GlobalSecondaryIndexes: [
        { IndexName: "by-g", KeySchema: keySchema(["g"]), Projection: { ProjectionType: "ALL" } },
      ],
      ResourcePolicy: policyOf({
        Principal: { AWS: user.arn },
        Action: ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:PartiQLSelect"],
        Resource,
      }),
    }),
  );
  const query = (IndexName?: string) =>
    theirs.send(
      new QueryCommand({
        TableName: "guarded",
        IndexName,
        KeyConditionExpression: `${IndexName ? "g" : "pk"} = :v`,
        ExpressionAttributeValues: { ":v": S("a") },
      }),
    );
  await get(theirs, "guarded");
  await query();
  await theirs.send(new ExecuteStatementCommand({ Statement: "SELECT * FROM guarded WHERE pk = 'a'" }));
  assert.match(await refusal(query("by-g")), /^AccessDeniedException/);
  const Item = { pk: S("a") };
  const write = () => theirs.send(new PutItemCommand({ TableName: "guarded", Item }));
  assert.match(await refusal(write()), /^AccessDeniedException: .*no identity-based policy allows/);
  await user.may({ Action: "dynamodb:*" });
  await write();
  await query("by-g");
  await put(Resource, policyOf({ Effect: "Deny", Action: "dynamodb:PutItem", Resource }));
  assert.match(await refusal(write()), /explicit deny in a resource-based policy/);
  const root = client.send(new PutItemCommand({ TableName: "guarded", Item }));
  assert.match(await refusal(root), /explicit deny in a resource-based policy/);
  const transact = new TransactWriteItemsCommand({
    TransactItems: [{ Put: { TableName: "guarded", Item } }],
  });
  assert.match(await refusal(client.send(transact)), /explicit deny/);
  theirs.destroy();
});

test("another account reads and writes by a table's ARN what its policy allows, and no more", async () => {
  await createTable(client, "shared", ["pk"]);
  const TableName = arnOf("shared");
  await client.send(new PutItemCommand({ TableName: "shared", Item: { pk: S("a"), n: S("1") } }));
  assert.match(
    await refusal(get(foreign, TableName)),
    /^AccessDeniedException: .*because no resource-based policy allows the dynamodb:GetItem action/,
  );
  await put(
    TableName,
    policyOf({
      Principal: { AWS: OTHER },
      Action: ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:DescribeTable"],
      Resource: TableName,
    }),
  );
  assert.deepEqual((await get(foreign, TableName)).Item?.["n"], S("1"));
  const batch = new BatchGetItemCommand({ RequestItems: { [TableName]: { Keys: [{ pk: S("a") }] } } });
  assert.equal((await foreign.send(batch)).Responses?.[TableName]?.length, 1);
  const described = await foreign.send(new DescribeTableCommand({ TableName }));
  assert.equal(described.Table?.TableArn, TableName);
  assert.match(
    await refusal(foreign.send(new PutItemCommand({ TableName, Item: { pk: S("b") } }))),
    /no resource-based policy allows the dynamodb:PutItem action/,
  );
  assert.match(await refusal(foreign.send(new DeleteTableCommand({ TableName }))), /^AccessDeniedException/);
  assert.match(await refusal(get(foreign, "shared")), /^ResourceNotFoundException/);
  const user = await makeUser(setting.server.client({ account: OTHER }), "visitor");
  const theirs = new DynamoDBClient(user.options);
  assert.match(await refusal(get(theirs, TableName)), /^AccessDeniedException/);
  await user.may({ Action: "dynamodb:GetItem", Resource: TableName });
  await get(theirs, TableName);
  theirs.destroy();
});

test("PutResourcePolicy on a stream's ARN decides who reads the stream", async () => {
  await createTable(client, "streamed", ["pk"], {
    StreamSpecification: { StreamEnabled: true, StreamViewType: "KEYS_ONLY" },
  });
  const StreamArn = await latestStream(client, "streamed");
  const theirs = new DynamoDBStreamsClient(setting.server.client({ account: OTHER }));
  const ours = new DynamoDBStreamsClient(setting.server.client());
  const describe = (by: DynamoDBStreamsClient) =>
    by.send(new DescribeStreamCommand({ StreamArn })).then(
      () => "ok",
      (error: Error) => error.name,
    );
  assert.equal(await describe(theirs), "AccessDeniedException");
  const allowed = policyOf({
    Principal: { AWS: OTHER },
    Action: "dynamodb:DescribeStream",
    Resource: StreamArn,
  });
  const revision = await put(StreamArn, allowed);
  assert.equal(await describe(theirs), "ok");
  const shown = await client.send(new GetResourcePolicyCommand({ ResourceArn: StreamArn }));
  assert.deepEqual([shown.Policy, shown.RevisionId], [allowed, revision]);
  await put(StreamArn, policyOf({ Effect: "Deny", Action: "dynamodb:DescribeStream", Resource: StreamArn }));
  assert.equal(await describe(ours), "AccessDeniedException");
  await client.send(new DeleteResourcePolicyCommand({ ResourceArn: StreamArn }));
  assert.deepEqual([await describe(ours), await describe(theirs)], ["ok", "AccessDeniedException"]);
  theirs.destroy();
  ours.destroy();
});
