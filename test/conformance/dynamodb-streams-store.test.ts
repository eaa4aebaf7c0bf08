/** On every engine: streams as other parts of the server read them, and what goes of streams and of tables with recovery, and when. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import type { DescribeTableOutput, GetResourcePolicyOutput } from "@aws-sdk/client-dynamodb";
import type { RequestContext } from "../../src/aws/service.ts";
import { randomIds } from "../../src/kit/id.ts";
import { createDynamoDb } from "../../src/services/dynamodb/index.ts";
import { sql } from "../../src/store/database.ts";
import { createLog } from "../../src/telemetry/log.ts";
import { eventually } from "../harness/dynamodb-streams.ts";
import { onEveryEngine } from "../store/engines.ts";
import type { TestStore } from "../store/engines.ts";

type DynamoDb = Awaited<ReturnType<typeof createDynamoDb>>;

const HOUR_MS = 3_600_000;
const CONTEXT = {
  account: "000000000000",
  region: "us-east-1",
  principal: { type: "root" },
  headers: {},
} as RequestContext;
const ALL = { records: 1000, bytes: 1_048_576 };
const countRows = sql(
  "test.dynamodbStreamRows",
  `SELECT (SELECT COUNT(*) FROM dynamodb_stream_records) + (SELECT COUNT(*) FROM dynamodb_stream_shards) +
     (SELECT COUNT(*) FROM dynamodb_streams) AS "rows"`,
);

const countHistory = sql(
  "test.dynamodbHistory",
  `SELECT (SELECT COUNT(*) FROM dynamodb_history) AS "history", (SELECT COUNT(*) FROM dynamodb_items) AS "items"`,
);

function open({ clock, store }: TestStore): Promise<DynamoDb> {
  const policies = {
    parse: () => ({ statements: [] }),
    principalFault: async () => undefined,
    decide: async () => "none" as const,
  };
  const { database, signals } = store;
  return createDynamoDb({ clock, ids: randomIds, database, signals, policies, log: createLog("error") });
}

const call = async (dynamodb: DynamoDb, operation: string, input: object) =>
  dynamodb.service.operations.get(operation)?.(input as never, { ...CONTEXT, operation });

/** A provisioned table, whose stream has one shard; answers the stream's ARN. */
async function create(dynamodb: DynamoDb, TableName: string): Promise<string> {
  await call(dynamodb, "CreateTable", {
    TableName,
    AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }],
    KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
    ProvisionedThroughput: { ReadCapacityUnits: 100, WriteCapacityUnits: 100 },
    StreamSpecification: { StreamEnabled: true, StreamViewType: "KEYS_ONLY" },
  });
  const { Table: table } = (await call(dynamodb, "DescribeTable", { TableName })) as DescribeTableOutput;
  return table?.LatestStreamArn ?? "";
}

const put = (dynamodb: DynamoDb, TableName: string, pk: string) =>
  call(dynamodb, "PutItem", { TableName, Item: { pk: { S: pk } } });

onEveryEngine("DynamoDB's streams", (engine) => {
  void test("readers go on from a position, wake by what is written, and find it all after a restart", async () => {
    await using fresh = await engine.fresh();
    let dynamodb = await open(fresh);
    const arn = await create(dynamodb, "abc");
    assert.deepEqual(await dynamodb.streams.describe(arn), { enabled: true, viewType: "KEYS_ONLY" });
    const shardId = (await dynamodb.streams.shards(arn))[0]?.shardId ?? "";
    const latest = await dynamodb.streams.read(arn, shardId, { at: "LATEST" }, ALL);
    assert.deepEqual([latest.records, latest.ended], [[], false]);
    const woken = dynamodb.streams.changed(arn, shardId, new AbortController().signal);
    const since = fresh.clock.now();
    for (const pk of ["a", "b", "a", "c"]) await put(dynamodb, "abc", pk);
    await woken;
    const first = await dynamodb.streams.read(arn, shardId, latest.next, { ...ALL, records: 2 });
    assert.equal(first.records.length, 2);
    assert.ok(first.millisBehindLatest >= 0);
    await dynamodb.stop();
    dynamodb = await open(fresh);
    const rest = await dynamodb.streams.read(arn, shardId, first.next, ALL);
    assert.deepEqual(
      rest.records.map(({ json }) => (JSON.parse(json) as { eventName: string }).eventName),
      ["INSERT"],
      "a was there already",
    );
    const all = await dynamodb.streams.read(arn, shardId, { at: "AT_TIMESTAMP", timestampMs: since }, ALL);
    assert.equal(new Set(all.records.map(({ key }) => key)).size, 3);
    await put(dynamodb, "abc", "d");
    const later = await dynamodb.streams.read(arn, shardId, rest.next, ALL);
    assert.equal(later.records.length, 1, "numbers go on after a restart");
    await dynamodb.stop();
  });

  void test("PutResourcePolicy is kept of a stream; records, shards and a deleted table's stream are gone after a day", async () => {
    await using fresh = await engine.fresh();
    const dynamodb = await open(fresh);
    const arn = await create(dynamodb, "abc");
    await put(dynamodb, "abc", "a");
    await call(dynamodb, "PutResourcePolicy", { ResourceArn: arn, Policy: "{}" });
    const kept = await call(dynamodb, "GetResourcePolicy", { ResourceArn: arn });
    assert.equal((kept as GetResourcePolicyOutput).Policy, "{}");
    await call(dynamodb, "DeleteTable", { TableName: "abc" });
    const shardId = (await dynamodb.streams.shards(arn))[0]?.shardId ?? "";
    const read = await dynamodb.streams.read(arn, shardId, { at: "TRIM_HORIZON" }, ALL);
    assert.deepEqual([read.records.length, read.ended], [1, true]);
    await dynamodb.stop();
    // Nothing runs meanwhile, so that a day costs nothing.
    await fresh.clock.advance(24 * HOUR_MS);
    const again = await open(fresh);
    assert.equal(await again.streams.describe(arn), undefined);
    assert.equal((await again.streams.read(arn, shardId, { at: "TRIM_HORIZON" }, ALL)).ended, true);
    await fresh.clock.advance(HOUR_MS / 6);
    await eventually(async () => (await fresh.store.database.get<{ rows: number }>(countRows))?.rows === 0);
    await again.stop();
  });
});

onEveryEngine("Tables of DynamoDB with point-in-time recovery", (engine) => {
  void test("what writes replaced is kept for the days of UpdateContinuousBackups, and by no table without", async () => {
    await using fresh = await engine.fresh();
    const dynamodb = await open(fresh);
    await using _ = { [Symbol.asyncDispose]: () => dynamodb.stop() };
    await create(dynamodb, "abc");
    const rows = async () =>
      (await fresh.store.database.get<{ history: number; items: number }>(countHistory)) ?? assert.fail();
    const becomes = (history: number, items: number) =>
      eventually(async () => isDeepStrictEqual({ ...(await rows()) }, { history, items }));
    const recover = (PointInTimeRecoverySpecification: object) =>
      call(dynamodb, "UpdateContinuousBackups", { TableName: "abc", PointInTimeRecoverySpecification });
    await put(dynamodb, "abc", "a");
    await becomes(0, 1);
    await recover({ PointInTimeRecoveryEnabled: true, RecoveryPeriodInDays: 1 });
    for (const pk of ["a", "b"]) await put(dynamodb, "abc", pk);
    await fresh.clock.leap(20 * HOUR_MS);
    await put(dynamodb, "abc", "c");
    await becomes(3, 3);
    await fresh.clock.leap(5 * HOUR_MS);
    await becomes(1, 3);
    // A backup keeps it for as long as it is being made; with recovery it stays.
    await call(dynamodb, "CreateBackup", { TableName: "abc", BackupName: "whole" });
    await becomes(1, 6);
    await recover({ PointInTimeRecoveryEnabled: false });
    await put(dynamodb, "abc", "d");
    await becomes(0, 7);
    await call(dynamodb, "CreateBackup", { TableName: "abc", BackupName: "another" });
    await put(dynamodb, "abc", "e");
    await becomes(0, 12);
  });
});
