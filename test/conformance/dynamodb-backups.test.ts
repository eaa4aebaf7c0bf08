/** Backups of DynamoDB's tables and point-in-time recovery: whole, of one moment, and while the tables are written to. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  BatchWriteItemCommand,
  CreateBackupCommand,
  DeleteBackupCommand,
  DeleteItemCommand,
  DeleteTableCommand,
  DescribeBackupCommand,
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DynamoDBClient,
  GetItemCommand,
  ListBackupsCommand,
  ListTagsOfResourceCommand,
  PutItemCommand,
  QueryCommand,
  RestoreTableFromBackupCommand,
  RestoreTableToPointInTimeCommand,
  TransactWriteItemsCommand,
  UpdateContinuousBackupsCommand,
  UpdateTimeToLiveCommand,
  paginateScan,
} from "@aws-sdk/client-dynamodb";
import type { AttributeValue, ListBackupsCommandInput } from "@aws-sdk/client-dynamodb";
import {
  N,
  S,
  createTable,
  keySchema,
  refusal,
  startDynamoDb,
  startDynamoDbOfFile,
} from "../harness/dynamodb.ts";
import { postgresMissing, startPostgres } from "../harness/postgres.ts";
import { spawnServer } from "../harness/process.ts";
import { clientOptions } from "../harness/server.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

const { client, clock } = await startDynamoDbOfFile();

async function untilBackup(of: DynamoDBClient, BackupArn: string): Promise<void> {
  for (;;) {
    const { BackupDescription: backup } = await of.send(new DescribeBackupCommand({ BackupArn }));
    if (backup?.BackupDetails?.BackupStatus === "AVAILABLE") return;
    await new Promise((resolve) => void setTimeout(resolve, 20));
  }
}

async function untilActive(of: DynamoDBClient, TableName: string): Promise<void> {
  for (;;) {
    const { Table: table } = await of.send(new DescribeTableCommand({ TableName }));
    if (table?.TableStatus === "ACTIVE") return;
    await new Promise((resolve) => void setTimeout(resolve, 20));
  }
}

async function backUp(of: DynamoDBClient, TableName: string, BackupName = "first"): Promise<string> {
  const { BackupDetails: details } = await of.send(new CreateBackupCommand({ TableName, BackupName }));
  const arn = details?.BackupArn ?? "";
  await untilBackup(of, arn);
  return arn;
}

async function restore(of: DynamoDBClient, BackupArn: string, TargetTableName: string): Promise<void> {
  await of.send(new RestoreTableFromBackupCommand({ BackupArn, TargetTableName }));
  await untilActive(of, TargetTableName);
}

async function itemsOf(of: DynamoDBClient, TableName: string): Promise<Map<string, AttributeValue>> {
  const items = new Map<string, AttributeValue>();
  for await (const page of paginateScan({ client: of }, { TableName }))
    for (const item of page.Items ?? []) items.set(item["pk"]?.S ?? "", item["n"] ?? { NULL: true });
  return items;
}

/** Fills a table with items `0` to `count - 1`, whose `n` is 0. */
async function fill(of: DynamoDBClient, TableName: string, count: number): Promise<void> {
  for (let i = 0; i < count; i += 25) {
    const requests = Array.from({ length: Math.min(25, count - i) }, (_, k) => ({
      PutRequest: { Item: { pk: S(String(i + k)), n: N(0), kind: S("x") } },
    }));
    await of.send(new BatchWriteItemCommand({ RequestItems: { [TableName]: requests } }));
  }
}

/** Writes pairs of items in transactions, each pair with one number, until told to stop. */
function writePairs(of: DynamoDBClient, TableName: string, count: number): { stop(): Promise<number> } {
  const end = new AbortController();
  let n = 0;
  const run = (async () => {
    while (!end.signal.aborted) {
      n += 1;
      const pair = [n % (count / 2), count - 1 - (n % (count / 2))];
      await of.send(
        new TransactWriteItemsCommand({
          TransactItems: pair.map((i) => ({ Put: { TableName, Item: { pk: S(String(i)), n: N(n) } } })),
        }),
      );
    }
  })();
  return {
    async stop() {
      end.abort();
      await run;
      return n;
    },
  };
}

/** No transaction is in the copy by half. */
function assertPairs(items: ReadonlyMap<string, AttributeValue>, count: number): void {
  assert.equal(items.size, count);
  for (let i = 0; i < count / 2; i++)
    assert.deepEqual(items.get(String(i)), items.get(String(count - 1 - i)), `pair ${i}`);
}

test("CreateBackup and RestoreTableFromBackup copy a table of one moment while it is written to", async () => {
  const COUNT = 400;
  await createTable(client, "busy", ["pk"]);
  await fill(client, "busy", COUNT);
  const writer = writePairs(client, "busy", COUNT);
  const arns = [];
  for (const name of ["one", "two", "three"]) arns.push(await backUp(client, "busy", name));
  const written = await writer.stop();
  assert.ok(written > 10, `${written} transactions while three backups were made`);
  for (const [i, arn] of arns.entries()) {
    await restore(client, arn, `busy-${i}`);
    assertPairs(await itemsOf(client, `busy-${i}`), COUNT);
  }
  const { BackupDescription: backup } = await client.send(
    new DescribeBackupCommand({ BackupArn: arns[0] ?? "" }),
  );
  assert.equal(backup?.SourceTableDetails?.ItemCount, COUNT);
});

test("DescribeBackup tells of a table; restored it has its items and indexes; its tags, stream and time to live it has not", async () => {
  await createTable(client, "whole", ["pk", "sk:N"], {
    attributes: ["kind"],
    Tags: [{ Key: "a", Value: "b" }],
    StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_IMAGE" },
    GlobalSecondaryIndexes: [
      { IndexName: "by-kind", KeySchema: keySchema(["kind"]), Projection: { ProjectionType: "ALL" } },
    ],
    LocalSecondaryIndexes: [
      {
        IndexName: "local",
        KeySchema: keySchema(["pk", "kind"]),
        Projection: { ProjectionType: "KEYS_ONLY" },
      },
    ],
  });
  const item = { pk: S("p"), sk: N(1), kind: S("x"), bytes: { B: Buffer.from("abc") } };
  await client.send(new PutItemCommand({ TableName: "whole", Item: item }));
  const TimeToLiveSpecification = { AttributeName: "t", Enabled: true };
  await client.send(new UpdateTimeToLiveCommand({ TableName: "whole", TimeToLiveSpecification }));
  const arn = await backUp(client, "whole");
  const { BackupDescription: backup } = await client.send(new DescribeBackupCommand({ BackupArn: arn }));
  const { BackupDetails: details, SourceTableFeatureDetails: features } = backup ?? {};
  assert.match(arn, /^arn:aws:dynamodb:us-east-1:000000000000:table\/whole\/backup\/0\d{13}-[0-9a-f]{8}$/);
  assert.deepEqual(
    [details?.BackupName, details?.BackupType, details?.BackupSizeBytes, details?.BackupExpiryDateTime],
    ["first", "USER", 20, undefined],
  );
  assert.equal(features?.StreamDescription?.StreamViewType, "NEW_IMAGE");
  assert.equal(features?.TimeToLiveDescription?.AttributeName, "t");
  assert.equal(features?.GlobalSecondaryIndexes?.[0]?.IndexName, "by-kind");
  await client.send(new DeleteTableCommand({ TableName: "whole" }));
  const { TableDescription: creating } = await client.send(
    new RestoreTableFromBackupCommand({ BackupArn: arn, TargetTableName: "again" }),
  );
  assert.deepEqual([creating?.TableStatus, creating?.RestoreSummary?.RestoreInProgress], ["CREATING", true]);
  await untilActive(client, "again");
  const { Table: table } = await client.send(new DescribeTableCommand({ TableName: "again" }));
  assert.deepEqual(
    [table?.ItemCount, table?.LatestStreamArn, table?.RestoreSummary?.SourceBackupArn],
    [1, undefined, arn],
  );
  assert.equal(table?.RestoreSummary?.RestoreInProgress, false);
  const tags = await client.send(new ListTagsOfResourceCommand({ ResourceArn: table?.TableArn }));
  assert.deepEqual(tags.Tags, []);
  const query = { ExpressionAttributeValues: { ":k": S("x") }, ExpressionAttributeNames: { "#k": "kind" } };
  const { Items: found } = await client.send(
    new QueryCommand({
      TableName: "again",
      IndexName: "by-kind",
      KeyConditionExpression: "#k = :k",
      ...query,
    }),
  );
  assert.deepEqual(found?.[0]?.["bytes"]?.B, new Uint8Array(Buffer.from("abc")));
  const { Count: local } = await client.send(
    new QueryCommand({
      TableName: "again",
      IndexName: "local",
      KeyConditionExpression: "pk = :p AND #k = :k",
      ExpressionAttributeNames: query.ExpressionAttributeNames,
      ExpressionAttributeValues: { ":p": S("p"), ...query.ExpressionAttributeValues },
    }),
  );
  assert.equal(local, 1);
  await client.send(
    new RestoreTableFromBackupCommand({
      BackupArn: arn,
      TargetTableName: "bare",
      BillingModeOverride: "PROVISIONED",
      ProvisionedThroughputOverride: { ReadCapacityUnits: 3, WriteCapacityUnits: 4 },
      GlobalSecondaryIndexOverride: [],
    }),
  );
  await untilActive(client, "bare");
  const refused = { BackupArn: arn, TargetTableName: "none" };
  for (const [more, words] of [
    [{ OnDemandThroughputOverride: { MaxReadRequestUnits: 1 } }, /^NotImplemented: .*OnDemandThroughput/],
    [{ SSESpecificationOverride: { Enabled: true } }, /^NotImplemented: .*SSESpecificationOverride/],
    [
      {
        LocalSecondaryIndexOverride: [
          { IndexName: "other", KeySchema: keySchema(["pk", "kind"]), Projection: { ProjectionType: "ALL" } },
        ],
      },
      /^ValidationException: .*other is not an index of the table/,
    ],
    [
      {
        LocalSecondaryIndexOverride: [
          { IndexName: "local", KeySchema: keySchema(["pk", "kind"]), Projection: { ProjectionType: "ALL" } },
        ],
      },
      /^ValidationException: .*local differs/,
    ],
  ] as const)
    assert.match(
      await refusal(client.send(new RestoreTableFromBackupCommand({ ...refused, ...more } as never))),
      words,
    );
  const { Table: bare } = await client.send(new DescribeTableCommand({ TableName: "bare" }));
  assert.deepEqual(
    [bare?.ProvisionedThroughput?.ReadCapacityUnits, bare?.GlobalSecondaryIndexes, bare?.ItemCount],
    [3, undefined, 1],
  );
  assert.equal(bare?.LocalSecondaryIndexes?.length, 1);
});

test("ListBackups pages by table, time and kind; DeleteBackup removes a backup and what it holds", async () => {
  await createTable(client, "listed", ["pk"]);
  await fill(client, "listed", 1);
  const arns = [];
  for (const name of ["aaa", "bbb", "ccc"]) {
    arns.push(await backUp(client, "listed", name));
    await clock.leap(1000);
  }
  const names = async (input: ListBackupsCommandInput) => {
    const page = await client.send(new ListBackupsCommand({ TableName: "listed", ...input }));
    return [
      page.BackupSummaries?.map(({ BackupName }) => BackupName).join(),
      page.LastEvaluatedBackupArn,
    ] as const;
  };
  assert.deepEqual(await names({ Limit: 2 }), ["aaa,bbb", arns[1]]);
  assert.deepEqual(await names({ Limit: 2, ExclusiveStartBackupArn: arns[1] }), ["ccc", undefined]);
  assert.deepEqual(await names({ BackupType: "SYSTEM" }), ["", undefined]);
  const { BackupSummaries: all = [] } = await client.send(new ListBackupsCommand({ TableName: "listed" }));
  const TimeRangeLowerBound = all[1]?.BackupCreationDateTime;
  assert.deepEqual(await names({ TimeRangeLowerBound }), ["bbb,ccc", undefined]);
  assert.deepEqual(await names({ TimeRangeUpperBound: TimeRangeLowerBound }), ["aaa", undefined]);
  const BackupArn = arns[0] ?? "";
  const { BackupDescription: deleted } = await client.send(new DeleteBackupCommand({ BackupArn }));
  assert.equal(deleted?.BackupDetails?.BackupStatus, "DELETED");
  const gone = `BackupNotFoundException: Backup not found: ${BackupArn}`;
  assert.equal(await refusal(client.send(new DeleteBackupCommand({ BackupArn }))), gone);
  assert.equal(await refusal(client.send(new DescribeBackupCommand({ BackupArn }))), gone);
  const TargetTableName = "listed";
  assert.equal(
    await refusal(client.send(new RestoreTableFromBackupCommand({ BackupArn, TargetTableName }))),
    gone,
  );
  assert.equal(
    await refusal(client.send(new RestoreTableFromBackupCommand({ BackupArn: arns[1], TargetTableName }))),
    "TableAlreadyExistsException: Table already exists: listed",
  );
  assert.equal(
    await refusal(client.send(new CreateBackupCommand({ TableName: "absent", BackupName: "abc" }))),
    "TableNotFoundException: Table not found: absent",
  );
});

test("RestoreTableToPointInTime restores each moment since UpdateContinuousBackups, and no other", async () => {
  const TableName = "points";
  await createTable(client, TableName, ["pk"]);
  const put = (pk: string, n: number) =>
    client.send(new PutItemCommand({ TableName, Item: { pk: S(pk), n: N(n) } }));
  await put("kept", 0);
  const restoreTo = async (name: string, moment: Date | undefined) => {
    const when = moment ? { RestoreDateTime: moment } : { UseLatestRestorableTime: true };
    const input = { SourceTableName: TableName, TargetTableName: name, ...when };
    await client.send(new RestoreTableToPointInTimeCommand(input));
    await untilActive(client, name);
    const items = await itemsOf(client, name);
    return [...items].map(([pk, n]) => `${pk}=${n.N}`).toSorted();
  };
  assert.equal(
    await refusal(restoreTo("early", undefined)),
    "PointInTimeRecoveryUnavailableException: Point in time recovery is not enabled for table 'points'",
  );
  const PointInTimeRecoverySpecification = { PointInTimeRecoveryEnabled: true, RecoveryPeriodInDays: 2 };
  const { ContinuousBackupsDescription: enabled } = await client.send(
    new UpdateContinuousBackupsCommand({ TableName, PointInTimeRecoverySpecification }),
  );
  const { PointInTimeRecoveryDescription: recovery } = enabled ?? {};
  assert.deepEqual([recovery?.PointInTimeRecoveryStatus, recovery?.RecoveryPeriodInDays], ["ENABLED", 2]);
  const moments: Date[] = [];
  const passed = async () => {
    moments.push(new Date(clock.now()));
    await clock.leap(5000);
  };
  await passed();
  await put("kept", 1);
  await put("new", 1);
  await passed();
  await put("new", 2);
  await client.send(new DeleteItemCommand({ TableName, Key: { pk: S("kept") } }));
  await passed();
  await put("kept", 3);
  assert.deepEqual(await restoreTo("point-0", moments[0]), ["kept=0"]);
  assert.deepEqual(await restoreTo("point-1", moments[1]), ["kept=1", "new=1"]);
  assert.deepEqual(await restoreTo("point-2", moments[2]), ["new=2"]);
  assert.deepEqual(await restoreTo("latest", undefined), ["kept=3", "new=2"]);
  const wrongTime =
    "InvalidRestoreTimeException: RestoreDateTime must be between EarliestRestorableDateTime and LatestRestorableDateTime";
  assert.equal(await refusal(restoreTo("none", new Date((moments[0] as Date).getTime() - 1000))), wrongTime);
  assert.equal(await refusal(restoreTo("none", new Date(clock.now() + 1000))), wrongTime);
  // Two days later nothing of this can be restored.
  await clock.leap(2 * DAY_MS + 60_000);
  assert.equal(await refusal(restoreTo("none", moments[2])), wrongTime);
  const { ContinuousBackupsDescription: later } = await client.send(
    new DescribeContinuousBackupsCommand({ TableName }),
  );
  const { EarliestRestorableDateTime: earliest, LatestRestorableDateTime: latest } =
    later?.PointInTimeRecoveryDescription ?? {};
  assert.equal((latest as Date).getTime() - (earliest as Date).getTime(), 2 * DAY_MS);
  // The earliest moment moves on with the clock.
  const soon = new Date((earliest as Date).getTime() + 30_000);
  assert.deepEqual(await restoreTo("later", soon), ["kept=3", "new=2"]);
});

test("a table with point-in-time recovery that is deleted leaves a backup for 35 days", async () => {
  const TableName = "deleted";
  await createTable(client, TableName, ["pk"]);
  await fill(client, TableName, 30);
  const PointInTimeRecoverySpecification = { PointInTimeRecoveryEnabled: true };
  await client.send(new UpdateContinuousBackupsCommand({ TableName, PointInTimeRecoverySpecification }));
  await client.send(new DeleteTableCommand({ TableName }));
  await createTable(client, TableName, ["pk"]);
  const list = () => client.send(new ListBackupsCommand({ TableName, BackupType: "SYSTEM" }));
  const [summary] = (await list()).BackupSummaries ?? [];
  assert.deepEqual(
    [summary?.BackupName, summary?.BackupType, summary?.BackupStatus],
    ["deleted$DeletedTableBackup", "SYSTEM", "AVAILABLE"],
  );
  await restore(client, summary?.BackupArn ?? "", "undeleted");
  assert.equal((await itemsOf(client, "undeleted")).size, 30);
  await clock.leap(36 * DAY_MS);
  for (let i = 0; (await list()).BackupSummaries?.length !== 0 && i < 100; i++)
    await new Promise((resolve) => void setTimeout(resolve, 20));
  assert.deepEqual((await list()).BackupSummaries, []);
});

test("backups that are being made go on after kill -9, and are of the moment when they were asked for", async () => {
  const COUNT = 1000;
  const dataDir = await mkdtemp(join(tmpdir(), "lambent-test-"));
  const flags = ["--port", "0", "--data-dir", dataDir, "--sandbox", "process"];
  try {
    const first = await spawnServer(flags);
    const one = new DynamoDBClient(clientOptions(first.endpoint));
    await createTable(one, "killed", ["pk"]);
    await fill(one, "killed", COUNT);
    const asked = await one.send(new CreateBackupCommand({ TableName: "killed", BackupName: "under-way" }));
    const arn = asked.BackupDetails?.BackupArn ?? "";
    const inUse = await refusal(one.send(new DeleteTableCommand({ TableName: "killed" })));
    const written = one.send(new PutItemCommand({ TableName: "killed", Item: { pk: S("0"), n: N(9) } }));
    await written;
    await first.kill();
    one.destroy();
    const second = await spawnServer(flags);
    const two = new DynamoDBClient(clientOptions(second.endpoint));
    await untilBackup(two, arn);
    await restore(two, arn, "restored");
    const items = await itemsOf(two, "restored");
    const now = await two.send(new GetItemCommand({ TableName: "killed", Key: { pk: S("0") } }));
    two.destroy();
    await second.kill();
    assert.match(inUse, /^ResourceInUseException: /);
    assert.deepEqual([items.size, items.get("0"), now.Item?.["n"]], [COUNT, N(0), N(9)]);
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
});

test("backups on PostgreSQL are of one moment too", { skip: postgresMissing() }, async () => {
  const COUNT = 200;
  const postgres = await startPostgres();
  const own = await startDynamoDb({ databaseUrl: await postgres.newDatabase() });
  try {
    await createTable(own.client, "busy", ["pk"]);
    await fill(own.client, "busy", COUNT);
    const PointInTimeRecoverySpecification = { PointInTimeRecoveryEnabled: true };
    const enable = { TableName: "busy", PointInTimeRecoverySpecification };
    await own.client.send(new UpdateContinuousBackupsCommand(enable));
    const retrying = new DynamoDBClient({ ...own.server.client(), maxAttempts: 5 });
    const writer = writePairs(retrying, "busy", COUNT);
    const arn = await backUp(own.client, "busy");
    const latest = { SourceTableName: "busy", TargetTableName: "busy-1", UseLatestRestorableTime: true };
    await own.client.send(new RestoreTableToPointInTimeCommand(latest));
    await untilActive(own.client, "busy-1");
    await writer.stop();
    retrying.destroy();
    await restore(own.client, arn, "busy-2");
    for (const name of ["busy-1", "busy-2"]) assertPairs(await itemsOf(own.client, name), COUNT);
  } finally {
    await own.stop();
    await postgres.stop();
  }
});
