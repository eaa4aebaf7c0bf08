/** DynamoDB's tables: created, described, listed, tagged and deleted. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  CreateTableCommand,
  DeleteTableCommand,
  DescribeContinuousBackupsCommand,
  DescribeContributorInsightsCommand,
  DescribeEndpointsCommand,
  DescribeKinesisStreamingDestinationCommand,
  DescribeLimitsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  GetItemCommand,
  ListContributorInsightsCommand,
  ListExportsCommand,
  ListGlobalTablesCommand,
  ListImportsCommand,
  ListTablesCommand,
  ListTagsOfResourceCommand,
  PutItemCommand,
  ScanCommand,
  TagResourceCommand,
  UntagResourceCommand,
  waitUntilTableNotExists,
} from "@aws-sdk/client-dynamodb";
import type { CreateTableCommandInput } from "@aws-sdk/client-dynamodb";
import type { DynamoDbSetting } from "../harness/dynamodb.ts";
import { N, S, createTable, keySchema, refusal, startDynamoDb } from "../harness/dynamodb.ts";

const INVALID = "ValidationException: One or more parameter values were invalid: ";

let setting: DynamoDbSetting;
let client: DynamoDBClient;

before(async () => {
  setting = await startDynamoDb();
  ({ client } = setting);
});
after(async () => setting.stop());

const simple: CreateTableCommandInput = {
  TableName: "refused",
  AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }],
  KeySchema: keySchema(["pk"]),
  BillingMode: "PAY_PER_REQUEST",
};
const create = (more: Partial<CreateTableCommandInput>) =>
  client.send(new CreateTableCommand({ ...simple, ...more }));
const attributes = (...names: string[]) =>
  names.map((name) => ({ AttributeName: name, AttributeType: "S" as const }));
const index = (name: string, ...keys: string[]) => ({
  IndexName: name,
  KeySchema: keySchema(keys),
  Projection: { ProjectionType: "ALL" as const },
});

test("CreateTable answers CREATING, and DescribeTable shows all that was asked for", async () => {
  const made = await client.send(
    new CreateTableCommand({
      TableName: "described",
      AttributeDefinitions: attributes("pk", "sk", "gpk", "lsk"),
      KeySchema: keySchema(["pk", "sk"]),
      ProvisionedThroughput: { ReadCapacityUnits: 5, WriteCapacityUnits: 6 },
      DeletionProtectionEnabled: true,
      TableClass: "STANDARD",
      GlobalSecondaryIndexes: [
        {
          ...index("global", "gpk", "sk"),
          Projection: { ProjectionType: "INCLUDE", NonKeyAttributes: ["extra"] },
          ProvisionedThroughput: { ReadCapacityUnits: 7, WriteCapacityUnits: 8 },
        },
      ],
      LocalSecondaryIndexes: [
        { ...index("local", "pk", "lsk"), Projection: { ProjectionType: "KEYS_ONLY" } },
      ],
    }),
  );
  assert.equal(made.TableDescription?.TableStatus, "CREATING");
  const { Table: table } = await client.send(new DescribeTableCommand({ TableName: "described" }));
  assert.ok(table);
  const arn = "arn:aws:dynamodb:us-east-1:000000000000:table/described";
  assert.equal(table.TableStatus, "ACTIVE");
  assert.equal(table.TableArn, arn);
  assert.match(table.TableId ?? "", /^[0-9a-f-]{36}$/);
  assert.ok(table.CreationDateTime instanceof Date);
  assert.equal(table.DeletionProtectionEnabled, true);
  assert.deepEqual(table.TableClassSummary, { TableClass: "STANDARD" });
  assert.deepEqual(table.ProvisionedThroughput, {
    NumberOfDecreasesToday: 0,
    ReadCapacityUnits: 5,
    WriteCapacityUnits: 6,
  });
  assert.equal(table.BillingModeSummary, undefined);
  assert.deepEqual(table.KeySchema, keySchema(["pk", "sk"]));
  assert.deepEqual(table.GlobalSecondaryIndexes, [
    {
      IndexName: "global",
      KeySchema: keySchema(["gpk", "sk"]),
      Projection: { ProjectionType: "INCLUDE", NonKeyAttributes: ["extra"] },
      IndexStatus: "ACTIVE",
      ProvisionedThroughput: { NumberOfDecreasesToday: 0, ReadCapacityUnits: 7, WriteCapacityUnits: 8 },
      IndexSizeBytes: 0,
      ItemCount: 0,
      IndexArn: `${arn}/index/global`,
    },
  ]);
  assert.deepEqual(table.LocalSecondaryIndexes, [
    {
      IndexName: "local",
      KeySchema: keySchema(["pk", "lsk"]),
      Projection: { ProjectionType: "KEYS_ONLY" },
      IndexSizeBytes: 0,
      ItemCount: 0,
      IndexArn: `${arn}/index/local`,
    },
  ]);
  assert.equal(
    await refusal(client.send(new DeleteTableCommand({ TableName: "described" }))),
    "ValidationException: Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.",
  );
});

test("DescribeTable counts items and bytes, of indexes too", async () => {
  await createTable(client, "counted", ["pk"], {
    attributes: ["g"],
    GlobalSecondaryIndexes: [{ ...index("by-g", "g"), Projection: { ProjectionType: "KEYS_ONLY" } }],
  });
  await client.send(new PutItemCommand({ TableName: "counted", Item: { pk: S("a"), g: S("x"), n: N(12) } }));
  await client.send(new PutItemCommand({ TableName: "counted", Item: { pk: S("bb") } }));
  const { Table: table } = await client.send(new DescribeTableCommand({ TableName: "counted" }));
  assert.equal(table?.ItemCount, 2);
  assert.equal(table?.TableSizeBytes, 2 + 1 + 1 + 1 + 1 + 2 + (2 + 2));
  assert.equal(table?.GlobalSecondaryIndexes?.[0]?.ItemCount, 1);
  assert.equal(table?.GlobalSecondaryIndexes?.[0]?.IndexSizeBytes, 5);
});

const twoKeys = { AttributeDefinitions: attributes("pk", "sk"), KeySchema: keySchema(["pk", "sk"]) };
const refusedTables: [title: string, input: Partial<CreateTableCommandInput>, expected: string][] = [
  [
    "no name",
    { TableName: undefined },
    "ValidationException: The parameter 'TableName' is required but was not present in the request",
  ],
  [
    "a short name",
    { TableName: "ab" },
    "ValidationException: 1 validation error detected: Value 'ab' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 3",
  ],
  [
    "a name with other characters",
    { TableName: "bad name!" },
    "ValidationException: 1 validation error detected: Value 'bad name!' at 'tableName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
  ],
  [
    "a key type that is none",
    { KeySchema: [{ AttributeName: "pk", KeyType: "INVALID" as "HASH" }] },
    "ValidationException: 1 validation error detected: Value 'INVALID' at 'keySchema.1.member.keyType' failed to satisfy constraint: Member must satisfy enum value set: [HASH, RANGE]",
  ],
  [
    "an attribute type that is none",
    { AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "INVALID" as "S" }] },
    "ValidationException: 1 validation error detected: Value 'INVALID' at 'attributeDefinitions.1.member.attributeType' failed to satisfy constraint: Member must satisfy enum value set: [B, N, S]",
  ],
  [
    "three keys",
    {
      AttributeDefinitions: attributes("pk", "sk", "extra"),
      KeySchema: [...keySchema(["pk", "sk"]), { AttributeName: "extra", KeyType: "RANGE" }],
    },
    "ValidationException: 1 validation error detected: Value '[KeySchemaElement(attributeName=pk, keyType=HASH), KeySchemaElement(attributeName=sk, keyType=RANGE), KeySchemaElement(attributeName=extra, keyType=RANGE)]' at 'keySchema' failed to satisfy constraint: Member must have length less than or equal to 2",
  ],
  [
    "a key twice",
    { KeySchema: keySchema(["pk", "pk"]) },
    "ValidationException: Invalid KeySchema: Some index key attribute have no definition",
  ],
  [
    "a key twice, with enough definitions",
    { AttributeDefinitions: attributes("pk", "sk"), KeySchema: keySchema(["pk", "pk"]) },
    "ValidationException: Both the Hash Key and the Range Key element in the KeySchema have the same name",
  ],
  [
    "an undefined key",
    { KeySchema: keySchema(["other"]) },
    `${INVALID}Some index key attributes are not defined in AttributeDefinitions. Keys: [other], AttributeDefinitions: [pk]`,
  ],
  [
    "a sort key first",
    { KeySchema: [{ AttributeName: "pk", KeyType: "RANGE" }] },
    "ValidationException: Invalid KeySchema: The first KeySchemaElement is not a HASH key type",
  ],
  [
    "two partition keys",
    { ...twoKeys, KeySchema: [...keySchema(["pk"]), { AttributeName: "sk", KeyType: "HASH" }] },
    "ValidationException: Invalid KeySchema: The second KeySchemaElement is not a RANGE key type",
  ],
  [
    "a definition too many",
    { AttributeDefinitions: attributes("pk", "sk") },
    `${INVALID}Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions`,
  ],
  [
    "no capacity",
    { BillingMode: "PROVISIONED" },
    `${INVALID}ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED`,
  ],
  [
    "capacity on demand",
    { ProvisionedThroughput: { ReadCapacityUnits: 1, WriteCapacityUnits: 1 } },
    `${INVALID}Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST`,
  ],
  [
    "a billing mode that is none",
    { BillingMode: "FREE" as "PROVISIONED" },
    "ValidationException: 1 validation error detected: Value 'FREE' at 'billingMode' failed to satisfy constraint: Member must satisfy enum value set: [PROVISIONED, PAY_PER_REQUEST]",
  ],
  [
    "no local indexes",
    { ...twoKeys, LocalSecondaryIndexes: [] },
    `${INVALID}List of LocalSecondaryIndexes is empty`,
  ],
  ["no global indexes", { GlobalSecondaryIndexes: [] }, `${INVALID}List of GlobalSecondaryIndexes is empty`],
  [
    "a local index of a table without sort key",
    { AttributeDefinitions: attributes("pk", "l"), LocalSecondaryIndexes: [index("local", "pk", "l")] },
    `${INVALID}Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex`,
  ],
  [
    "a local index without sort key",
    { ...twoKeys, LocalSecondaryIndexes: [index("local", "pk")] },
    `${INVALID}Index KeySchema does not have a range key for index: local`,
  ],
  [
    "a local index of another partition",
    { ...twoKeys, LocalSecondaryIndexes: [index("local", "sk", "pk")] },
    `${INVALID}Index KeySchema does not have the same leading hash key as table KeySchema for index: local. index hash key: sk, table hash key: pk`,
  ],
  [
    "six local indexes",
    { ...twoKeys, LocalSecondaryIndexes: [1, 2, 3, 4, 5, 6].map((n) => index(`local${n}`, "pk", "sk")) },
    `${INVALID}Number of LocalSecondaryIndexes exceeds per-table limit of 5`,
  ],
  [
    "21 global indexes",
    { GlobalSecondaryIndexes: Array.from({ length: 21 }, (_, n) => index(`global${n}`, "pk")) },
    `${INVALID}GlobalSecondaryIndex count exceeds the per-table limit of 20`,
  ],
  [
    "two indexes of one name",
    { GlobalSecondaryIndexes: [index("same", "pk"), index("same", "pk")] },
    `${INVALID}Duplicate index name: same`,
  ],
  [
    "a projection of no type",
    { GlobalSecondaryIndexes: [{ ...index("global", "pk"), Projection: {} }] },
    `${INVALID}Unknown ProjectionType: null`,
  ],
  [
    "attributes beside KEYS_ONLY",
    {
      GlobalSecondaryIndexes: [
        { ...index("global", "pk"), Projection: { ProjectionType: "KEYS_ONLY", NonKeyAttributes: ["x"] } },
      ],
    },
    `${INVALID}ProjectionType is KEYS_ONLY, but NonKeyAttributes is specified`,
  ],
  [
    "INCLUDE of nothing",
    { GlobalSecondaryIndexes: [{ ...index("global", "pk"), Projection: { ProjectionType: "INCLUDE" } }] },
    `${INVALID}ProjectionType is INCLUDE, but NonKeyAttributes is not specified`,
  ],
  [
    "an index with capacity on demand",
    {
      GlobalSecondaryIndexes: [
        { ...index("global", "pk"), ProvisionedThroughput: { ReadCapacityUnits: 1, WriteCapacityUnits: 1 } },
      ],
    },
    `${INVALID}ProvisionedThroughput should not be specified for index: global when BillingMode is PAY_PER_REQUEST`,
  ],
  [
    "a stream of no view",
    { StreamSpecification: { StreamEnabled: true } },
    `${INVALID}StreamViewType must be specified when StreamEnabled is true`,
  ],
  [
    "a key of KMS",
    { SSESpecification: { Enabled: true, SSEType: "KMS" } },
    "NotImplemented: Lambent does not implement SSESpecification of CreateTable (encryption by KMS)",
  ],
  [
    "the other table class",
    { TableClass: "STANDARD_INFREQUENT_ACCESS" },
    "NotImplemented: Lambent does not implement TableClass STANDARD_INFREQUENT_ACCESS",
  ],
  [
    "an index for vectors",
    { VectorIndexes: [] },
    "NotImplemented: Lambent does not implement VectorIndexes of CreateTable",
  ],
  [
    "an index of three attributes",
    {
      AttributeDefinitions: attributes("pk", "a", "b"),
      GlobalSecondaryIndexes: [index("global", "a", "b", "pk")],
    },
    "NotImplemented: Lambent does not implement more than two attributes in the KeySchema of a global secondary index",
  ],
  [
    "maximum throughput",
    { OnDemandThroughput: { MaxReadRequestUnits: 10 } },
    "NotImplemented: Lambent does not implement OnDemandThroughput of CreateTable",
  ],
];

for (const [title, input, expected] of refusedTables)
  test(`CreateTable refuses ${title}`, async () => assert.equal(await refusal(create(input)), expected));

test("CreateTable refuses a table that exists", async () => {
  await createTable(client, "twice", ["pk"]);
  assert.equal(
    await refusal(create({ TableName: "twice" })),
    "ResourceInUseException: Table already exists: twice",
  );
});

test("ListTables pages through the names in order", async () => {
  const other = new DynamoDBClient(setting.server.client({ region: "eu-west-1" }));
  for (const name of ["ccc", "aaa", "bbb"]) await createTable(other, name, ["pk"]);
  const first = await other.send(new ListTablesCommand({ Limit: 2 }));
  assert.deepEqual([first.TableNames, first.LastEvaluatedTableName], [["aaa", "bbb"], "bbb"]);
  const second = await other.send(new ListTablesCommand({ Limit: 2, ExclusiveStartTableName: "bbb" }));
  assert.deepEqual([second.TableNames, second.LastEvaluatedTableName], [["ccc"], undefined]);
  const all = await other.send(new ListTablesCommand({ Limit: 3 }));
  assert.deepEqual([all.TableNames, all.LastEvaluatedTableName], [["aaa", "bbb", "ccc"], undefined]);
  other.destroy();
});

test("accounts and regions have tables of their own, which DescribeTable finds by name or ARN", async () => {
  const here = new DynamoDBClient(setting.server.client({ account: "111111111111" }));
  const there = new DynamoDBClient(setting.server.client({ account: "111111111111", region: "eu-west-1" }));
  for (const [i, side] of [here, there].entries()) {
    await createTable(side, "mine", ["pk"]);
    await side.send(new PutItemCommand({ TableName: "mine", Item: { pk: S("a"), side: N(i) } }));
  }
  const arn = "arn:aws:dynamodb:eu-west-1:111111111111:table/mine";
  const got = await there.send(new GetItemCommand({ TableName: arn, Key: { pk: S("a") } }));
  assert.deepEqual(got.Item, { pk: S("a"), side: N(1) });
  const mine = await here.send(new GetItemCommand({ TableName: "mine", Key: { pk: S("a") } }));
  assert.deepEqual(mine.Item, { pk: S("a"), side: N(0) });
  assert.equal((await there.send(new DescribeTableCommand({ TableName: arn }))).Table?.TableArn, arn);
  assert.match(
    await refusal(
      client.send(
        new GetItemCommand({ TableName: arn.replace("eu-west-1", "us-east-1"), Key: { pk: S("a") } }),
      ),
    ),
    /^AccessDeniedException: /,
  );
  here.destroy();
  there.destroy();
});

test("DeleteTable takes the items with it", async () => {
  await createTable(client, "deleted", ["pk"]);
  for (let i = 0; i < 20; i += 1)
    await client.send(new PutItemCommand({ TableName: "deleted", Item: { pk: S(`item${i}`) } }));
  const gone = await client.send(new DeleteTableCommand({ TableName: "deleted" }));
  assert.equal(gone.TableDescription?.TableStatus, "DELETING");
  await waitUntilTableNotExists({ client, maxWaitTime: 20, minDelay: 1 }, { TableName: "deleted" });
  assert.equal(
    await refusal(client.send(new DescribeTableCommand({ TableName: "deleted" }))),
    "ResourceNotFoundException: Requested resource not found: Table: deleted not found",
  );
  assert.equal(
    await refusal(client.send(new DeleteTableCommand({ TableName: "deleted" }))),
    "ResourceNotFoundException: Requested resource not found: Table: deleted not found",
  );
  assert.equal(
    await refusal(client.send(new ScanCommand({ TableName: "deleted" }))),
    "ResourceNotFoundException: Requested resource not found",
  );
  await createTable(client, "deleted", ["pk"]);
  assert.equal((await client.send(new ScanCommand({ TableName: "deleted" }))).Count, 0);
});

test("TagResource, UntagResource and ListTagsOfResource keep a table's tags", async () => {
  await createTable(client, "tagged", ["pk"], { Tags: [{ Key: "a", Value: "1" }] });
  const ResourceArn = "arn:aws:dynamodb:us-east-1:000000000000:table/tagged";
  const tags = Array.from({ length: 12 }, (_, i) => ({
    Key: `k${String(i).padStart(2, "0")}`,
    Value: `v${i}`,
  }));
  await client.send(new TagResourceCommand({ ResourceArn, Tags: [...tags, { Key: "a", Value: "2" }] }));
  await client.send(new UntagResourceCommand({ ResourceArn, TagKeys: ["k00", "unknown"] }));
  const first = await client.send(new ListTagsOfResourceCommand({ ResourceArn }));
  const second = await client.send(
    new ListTagsOfResourceCommand({ ResourceArn, NextToken: first.NextToken }),
  );
  assert.deepEqual(
    [...(first.Tags ?? []), ...(second.Tags ?? [])],
    [{ Key: "a", Value: "2" }, ...tags.slice(1)],
  );
  assert.equal(second.NextToken, undefined);
  assert.equal(
    await refusal(client.send(new TagResourceCommand({ ResourceArn, Tags: [] }))),
    "ValidationException: Atleast one Tag needs to be provided as Input.",
  );
  assert.equal(
    await refusal(client.send(new UntagResourceCommand({ ResourceArn, TagKeys: [] }))),
    "ValidationException: Atleast one Tag Key needs to be provided as Input.",
  );
  const many = Array.from({ length: 45 }, (_, i) => ({ Key: `more${i}`, Value: "" }));
  assert.match(await refusal(client.send(new TagResourceCommand({ ResourceArn, Tags: many }))), /50 tags/);
  const missing = `${ResourceArn}-not`;
  assert.match(
    await refusal(client.send(new ListTagsOfResourceCommand({ ResourceArn: missing }))),
    /^ResourceNotFoundException: /,
  );
});

test("DescribeLimits, DescribeEndpoints, DescribeTimeToLive and DescribeContinuousBackups tell what is so", async () => {
  const limits = await client.send(new DescribeLimitsCommand({}));
  assert.equal(limits.TableMaxReadCapacityUnits, 40_000);
  const { Endpoints: endpoints } = await client.send(new DescribeEndpointsCommand({}));
  assert.deepEqual(endpoints, [
    { Address: new URL(setting.server.endpoint).host, CachePeriodInMinutes: 1440 },
  ]);
  await createTable(client, "lasting", ["pk"]);
  const { TimeToLiveDescription: ttl } = await client.send(
    new DescribeTimeToLiveCommand({ TableName: "lasting" }),
  );
  assert.deepEqual(ttl, { TimeToLiveStatus: "DISABLED" });
  const backups = await client.send(new DescribeContinuousBackupsCommand({ TableName: "lasting" }));
  assert.deepEqual(backups.ContinuousBackupsDescription, {
    ContinuousBackupsStatus: "ENABLED",
    PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: "DISABLED" },
  });
  assert.equal(
    await refusal(client.send(new DescribeContinuousBackupsCommand({ TableName: "absent" }))),
    "TableNotFoundException: Table not found: absent",
  );
});

test("DescribeContributorInsights, DescribeKinesisStreamingDestination, ListContributorInsights, ListExports, ListGlobalTables and ListImports tell that there is nothing", async () => {
  const TableName = "settled";
  await createTable(client, TableName, ["pk"]);
  const { ContributorInsightsStatus: status } = await client.send(
    new DescribeContributorInsightsCommand({ TableName }),
  );
  assert.equal(status, "DISABLED");
  const { KinesisDataStreamDestinations: destinations } = await client.send(
    new DescribeKinesisStreamingDestinationCommand({ TableName }),
  );
  assert.deepEqual(destinations, []);
  assert.deepEqual(
    (await client.send(new ListContributorInsightsCommand())).ContributorInsightsSummaries,
    [],
  );
  assert.deepEqual((await client.send(new ListExportsCommand())).ExportSummaries, []);
  assert.deepEqual((await client.send(new ListGlobalTablesCommand())).GlobalTables, []);
  assert.deepEqual((await client.send(new ListImportsCommand())).ImportSummaryList, []);
  assert.equal(
    await refusal(client.send(new DescribeContributorInsightsCommand({ TableName, IndexName: "absent" }))),
    "ResourceNotFoundException: Requested resource not found: Index: absent not found",
  );
  const absent = "ResourceNotFoundException: Requested resource not found: Table: absent not found";
  for (const Command of [DescribeContributorInsightsCommand, DescribeKinesisStreamingDestinationCommand])
    assert.equal(await refusal(client.send(new Command({ TableName: "absent" }))), absent);
});
