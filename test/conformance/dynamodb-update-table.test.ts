/** UpdateTable: what it changes, and what it refuses. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  BatchWriteItemCommand,
  DeleteTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  PutItemCommand,
  UpdateTableCommand,
  paginateQuery,
} from "@aws-sdk/client-dynamodb";
import type {
  CreateGlobalSecondaryIndexAction,
  TableDescription,
  UpdateTableCommandInput,
} from "@aws-sdk/client-dynamodb";
import {
  N,
  S,
  createTable,
  keySchema,
  refusal,
  startDynamoDb,
  startDynamoDbOfFile,
} from "../harness/dynamodb.ts";
import { eventually } from "../harness/dynamodb-streams.ts";
import { postgresMissing, startPostgres } from "../harness/postgres.ts";
import { spawnServer } from "../harness/process.ts";
import { clientOptions } from "../harness/server.ts";

const HOUR_MS = 60 * 60 * 1000;
const UNITS = (ReadCapacityUnits: number, WriteCapacityUnits: number) => ({
  ReadCapacityUnits,
  WriteCapacityUnits,
});
const BY_G: CreateGlobalSecondaryIndexAction = {
  IndexName: "by-g",
  KeySchema: keySchema(["g"]),
  Projection: { ProjectionType: "KEYS_ONLY" },
};
const ATTRIBUTES = (...names: string[]) => ({
  AttributeDefinitions: names.map((name) => ({ AttributeName: name, AttributeType: "S" as const })),
});
const creating = (Create = BY_G) => ({
  ...ATTRIBUTES("pk", "g"),
  GlobalSecondaryIndexUpdates: [{ Create }],
});
const deleting = (IndexName = "by-g") => ({ GlobalSecondaryIndexUpdates: [{ Delete: { IndexName } }] });

const { client, clock } = await startDynamoDbOfFile();

async function update(
  TableName: string,
  more: Partial<UpdateTableCommandInput>,
  by = client,
): Promise<TableDescription> {
  const { TableDescription: table } = await by.send(new UpdateTableCommand({ TableName, ...more }));
  return table ?? {};
}

async function describe(TableName: string, by = client): Promise<TableDescription> {
  const { Table: table } = await by.send(new DescribeTableCommand({ TableName }));
  return table ?? {};
}

async function indexIsActive(name: string, by = client): Promise<boolean> {
  return (await describe(name, by)).GlobalSecondaryIndexes?.[0]?.IndexStatus === "ACTIVE";
}

async function keysIn(TableName: string, g: string, by = client): Promise<number> {
  const input = {
    TableName,
    IndexName: "by-g",
    KeyConditionExpression: "g = :g",
    ExpressionAttributeValues: { ":g": S(g) },
  };
  let count = 0;
  for await (const page of paginateQuery({ client: by }, input)) count += page.Count ?? 0;
  return count;
}

async function fill(name: string, count: number, by = client): Promise<void> {
  for (let at = 0; at < count; at += 25) {
    const items = Array.from({ length: Math.min(25, count - at) }, (_, i) => ({
      PutRequest: { Item: { pk: S(`${at + i}`), g: S("g") } },
    }));
    await by.send(new BatchWriteItemCommand({ RequestItems: { [name]: items } }));
  }
}

test("UpdateTable creates an index of all items, those written meanwhile too, and deletes it", async () => {
  await createTable(client, "indexed", ["pk"]);
  await fill("indexed", 450);
  for (const [pk, g] of [
    ["number", N(1)],
    ["empty", S("")],
    ["long", S("x".repeat(2049))],
  ] as const)
    await client.send(new PutItemCommand({ TableName: "indexed", Item: { pk: S(pk), g } }));
  const made = await update("indexed", creating());
  assert.deepEqual(
    [
      made.TableStatus,
      made.GlobalSecondaryIndexes?.[0]?.IndexStatus,
      made.GlobalSecondaryIndexes?.[0]?.Backfilling,
    ],
    ["UPDATING", "CREATING", true],
  );
  const early = await refusal(keysIn("indexed", "g"));
  if (early !== "(accepted)")
    assert.equal(early, "ValidationException: Cannot read from backfilling global secondary index: by-g");
  await client.send(new PutItemCommand({ TableName: "indexed", Item: { pk: S("during"), g: S("g") } }));
  assert.match(
    await refusal(client.send(new PutItemCommand({ TableName: "indexed", Item: { pk: S("x"), g: N(1) } }))),
    /Type mismatch for Index Key g Expected: S Actual: N IndexName: by-g/,
  );
  await eventually(() => indexIsActive("indexed"));
  assert.equal(await keysIn("indexed", "g"), 451);
  const active = await describe("indexed");
  assert.equal(active.TableStatus, "ACTIVE");
  assert.equal(active.GlobalSecondaryIndexes?.[0]?.Backfilling, undefined);
  assert.equal(active.GlobalSecondaryIndexes?.[0]?.ItemCount, 451);
  assert.equal(active.AttributeDefinitions?.length, 2);
  const gone = await update("indexed", deleting());
  assert.equal(gone.GlobalSecondaryIndexes?.[0]?.IndexStatus, "DELETING");
  const after = await describe("indexed");
  assert.deepEqual([after.GlobalSecondaryIndexes, after.AttributeDefinitions?.length], [undefined, 1]);
  assert.match(await refusal(keysIn("indexed", "g")), /does not have the specified index/);
  await client.send(new PutItemCommand({ TableName: "indexed", Item: { pk: S("x"), g: N(1) } }));
});

test("UpdateTable refuses indexes that are there, are not there, are two, or have no definitions", async () => {
  await createTable(client, "refused", ["pk"]);
  await update("refused", creating());
  await eventually(() => indexIsActive("refused"));
  const refused = (more: Partial<UpdateTableCommandInput>) => refusal(update("refused", more));
  assert.equal(
    await refused(creating()),
    "ValidationException: Attempting to create an index which already exists",
  );
  assert.equal(await refused(deleting("other")), "ResourceNotFoundException: Requested resource not found");
  assert.match(
    await refused({
      GlobalSecondaryIndexUpdates: [
        { Create: { ...BY_G, IndexName: "two" } },
        { Delete: { IndexName: "by-g" } },
      ],
    }),
    /^LimitExceededException: Subscriber limit exceeded: Only 1 online index/,
  );
  assert.match(
    await refused({ GlobalSecondaryIndexUpdates: [{}] }),
    /exactly one of Create, Update and Delete/,
  );
  assert.match(
    await refused({
      GlobalSecondaryIndexUpdates: [{ Create: { ...BY_G, IndexName: "by-h", KeySchema: keySchema(["h"]) } }],
    }),
    /not defined in AttributeDefinitions/,
  );
  assert.match(
    await refused({
      AttributeDefinitions: [{ AttributeName: "g", AttributeType: "N" }],
      GlobalSecondaryIndexUpdates: [{ Create: { ...BY_G, IndexName: "two" } }],
    }),
    /Attributes cannot be redefined/,
  );
  assert.match(
    await refused({
      GlobalSecondaryIndexUpdates: [
        { Create: { ...BY_G, IndexName: "two", ProvisionedThroughput: UNITS(1, 1) } },
      ],
    }),
    /should not be specified for index: two/,
  );
});

test("UpdateTable changes units and the billing mode, of indexes too; DescribeTable tells when", async () => {
  await createTable(client, "units", ["pk"], {
    attributes: ["g"],
    BillingMode: "PROVISIONED",
    ProvisionedThroughput: UNITS(5, 5),
    GlobalSecondaryIndexes: [{ ...BY_G, ProvisionedThroughput: UNITS(5, 5) }],
  });
  const refused = (more: Partial<UpdateTableCommandInput>) => refusal(update("units", more));
  assert.match(
    await refused({ ProvisionedThroughput: UNITS(5, 5) }),
    /^ValidationException: The provisioned throughput for the table will not change\. The requested value equals the current value\. Current ReadCapacityUnits provisioned for the table: 5\. Requested ReadCapacityUnits: 5\./,
  );
  await update("units", {
    ProvisionedThroughput: UNITS(10, 6),
    GlobalSecondaryIndexUpdates: [{ Update: { IndexName: "by-g", ProvisionedThroughput: UNITS(7, 7) } }],
  });
  const larger = await describe("units");
  assert.ok(larger.ProvisionedThroughput?.LastIncreaseDateTime);
  assert.equal(larger.ProvisionedThroughput?.LastDecreaseDateTime, undefined);
  assert.deepEqual(
    [
      larger.ProvisionedThroughput?.ReadCapacityUnits,
      larger.GlobalSecondaryIndexes?.[0]?.ProvisionedThroughput?.WriteCapacityUnits,
    ],
    [10, 7],
  );
  for (const read of [9, 8, 7, 6]) await update("units", { ProvisionedThroughput: UNITS(read, 6) });
  const smaller = (await describe("units")).ProvisionedThroughput;
  assert.equal(smaller?.ReadCapacityUnits, 6);
  if (smaller?.NumberOfDecreasesToday === 4)
    assert.match(
      await refused({ ProvisionedThroughput: UNITS(5, 6) }),
      /^LimitExceededException: Subscriber limit exceeded: Provisioned throughput decreases are limited/,
    );
  await clock.advance(HOUR_MS);
  await update("units", { ProvisionedThroughput: UNITS(5, 6) });
  assert.equal((await describe("units")).BillingModeSummary, undefined);
  assert.match(
    await refused({ BillingMode: "PAY_PER_REQUEST", ProvisionedThroughput: UNITS(1, 1) }),
    /Neither ReadCapacityUnits nor WriteCapacityUnits can be specified/,
  );
  await update("units", { BillingMode: "PAY_PER_REQUEST" });
  const onDemand = await describe("units");
  assert.equal(onDemand.BillingModeSummary?.BillingMode, "PAY_PER_REQUEST");
  assert.ok(onDemand.BillingModeSummary?.LastUpdateToPayPerRequestDateTime);
  assert.equal(onDemand.GlobalSecondaryIndexes?.[0]?.ProvisionedThroughput?.ReadCapacityUnits, 0);
  assert.match(await refused({ BillingMode: "PROVISIONED" }), /must both be specified/);
  const provisioned = { BillingMode: "PROVISIONED" as const, ProvisionedThroughput: UNITS(1, 1) };
  assert.match(await refused(provisioned), /ProvisionedThroughput must be specified for index: by-g/);
  await update("units", {
    ...provisioned,
    GlobalSecondaryIndexUpdates: [{ Update: { IndexName: "by-g", ProvisionedThroughput: UNITS(2, 2) } }],
  });
  assert.equal((await describe("units")).BillingModeSummary?.BillingMode, "PROVISIONED");
});

test("UpdateTable changes the protection against deletion, and refuses by name what is not there", async () => {
  await createTable(client, "protected", ["pk"]);
  const refused = (more: Partial<UpdateTableCommandInput>) => refusal(update("protected", more));
  await update("protected", { DeletionProtectionEnabled: true, TableClass: "STANDARD" });
  const told = await describe("protected");
  assert.deepEqual([told.DeletionProtectionEnabled, told.TableClassSummary?.TableClass], [true, "STANDARD"]);
  const remove = () => client.send(new DeleteTableCommand({ TableName: "protected" }));
  assert.match(await refusal(remove()), /protected against deletion/);
  await update("protected", { DeletionProtectionEnabled: false });
  assert.match(await refused({}), /^ValidationException: At least one of ProvisionedThroughput, BillingMode/);
  for (const more of [
    { TableClass: "STANDARD_INFREQUENT_ACCESS" },
    { SSESpecification: { Enabled: true } },
    { ReplicaUpdates: [{ Create: { RegionName: "eu-west-1" } }] },
    { OnDemandThroughput: { MaxReadRequestUnits: 1 } },
    { WarmThroughput: { ReadUnitsPerSecond: 1 } },
  ] as Partial<UpdateTableCommandInput>[])
    assert.match(await refused(more), new RegExp(`^NotImplemented: .*${Object.keys(more)[0]}`));
  const ProvisionedThroughput = { ReadCapacityUnits: 1, WriteCapacityUnits: 1 };
  for (const more of [
    { OnDemandThroughput: { MaxReadRequestUnits: 1 } },
    { WarmThroughput: { ReadUnitsPerSecond: 1 } },
  ]) {
    const Update = { IndexName: "any", ProvisionedThroughput, ...more };
    assert.match(
      await refused({ GlobalSecondaryIndexUpdates: [{ Update }] }),
      new RegExp(`^NotImplemented: .*${Object.keys(more)[0]} of an update of a global secondary index`),
    );
  }
  await remove();
  assert.equal(
    await refused({ DeletionProtectionEnabled: true }),
    "ResourceNotFoundException: Requested resource not found: Table: protected not found",
  );
});

test("UpdateTable's index is made whole after kill -9", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "lambent-test-"));
  const flags = ["--port", "0", "--data-dir", dataDir, "--sandbox", "process"];
  try {
    const first = await spawnServer(flags);
    const before = new DynamoDBClient(clientOptions(first.endpoint));
    await createTable(before, "killed", ["pk"]);
    await fill("killed", 2000, before);
    await update("killed", creating(), before);
    await first.kill();
    before.destroy();
    const second = await spawnServer(flags);
    const again = new DynamoDBClient(clientOptions(second.endpoint));
    await eventually(() => indexIsActive("killed", again));
    assert.equal(await keysIn("killed", "g", again), 2000);
    again.destroy();
    await second.terminate();
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
});

test(
  "UpdateTable creates and deletes an index on PostgreSQL, while another server writes",
  { skip: postgresMissing() ?? false },
  async () => {
    const postgres = await startPostgres();
    const databaseUrl = await postgres.newDatabase();
    const settings = [await startDynamoDb({ databaseUrl }), await startDynamoDb({ databaseUrl })];
    try {
      const [one, other] = settings.map((started) => started.client) as [DynamoDBClient, DynamoDBClient];
      await createTable(one, "shared", ["pk"]);
      await fill("shared", 150, one);
      await other.send(new PutItemCommand({ TableName: "shared", Item: { pk: S("before") } }));
      await update("shared", creating(), one);
      await Promise.all(
        Array.from({ length: 10 }, (_, i) =>
          other.send(new PutItemCommand({ TableName: "shared", Item: { pk: S(`during-${i}`), g: S("g") } })),
        ),
      );
      await eventually(() => indexIsActive("shared", one));
      assert.equal(await keysIn("shared", "g", one), 160);
      await update("shared", deleting(), one);
      await other.send(new PutItemCommand({ TableName: "shared", Item: { pk: S("after"), g: N(1) } }));
    } finally {
      for (const started of settings) await started.stop();
      await postgres.stop();
    }
  },
);
