/** Times to live: which items are deleted, when, and what tells of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  DeleteTableCommand,
  DescribeTimeToLiveCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  UpdateItemCommand,
  UpdateTimeToLiveCommand,
} from "@aws-sdk/client-dynamodb";
import type { AttributeValue, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBStreamsClient } from "@aws-sdk/client-dynamodb-streams";
import {
  N,
  S,
  createTable,
  keySchema,
  refusal,
  startDynamoDb,
  startDynamoDbOfFile,
} from "../harness/dynamodb.ts";
import { eventually, latestStream, recordsOf } from "../harness/dynamodb-streams.ts";
import { postgresMissing, startPostgres } from "../harness/postgres.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const YEAR_SECONDS = 365 * 24 * 60 * 60;

const { client, clock, server } = await startDynamoDbOfFile();

const seconds = () => Math.floor(clock.now() / 1000);

function update(of: DynamoDBClient, TableName: string, AttributeName: string, Enabled: boolean) {
  const TimeToLiveSpecification = { AttributeName, Enabled };
  return of.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }));
}

async function status(of: DynamoDBClient, TableName: string): Promise<string> {
  const { TimeToLiveDescription: told } = await of.send(new DescribeTimeToLiveCommand({ TableName }));
  return `${told?.TimeToLiveStatus} ${told?.AttributeName ?? "-"}`;
}

function put(of: DynamoDBClient, TableName: string, pk: string, ttl?: AttributeValue) {
  const Item = { pk: S(pk), g: S("g"), ...(ttl && { ttl }) };
  return of.send(new PutItemCommand({ TableName, Item }));
}

async function keys(of: DynamoDBClient, TableName: string): Promise<string> {
  const { Items: items = [] } = await of.send(new ScanCommand({ TableName }));
  return items
    .map((item) => item["pk"]?.S ?? "")
    .toSorted()
    .join(" ");
}

test("UpdateTimeToLive deletes what has expired, before and after it, with its index entries; the stream says who did", async () => {
  await createTable(client, "expiring", ["pk"], {
    attributes: ["g"],
    GlobalSecondaryIndexes: [
      { IndexName: "by-g", KeySchema: keySchema(["g"]), Projection: { ProjectionType: "ALL" } },
    ],
    StreamSpecification: { StreamEnabled: true, StreamViewType: "OLD_IMAGE" },
  });
  await put(client, "expiring", "old", N(seconds() - 10));
  assert.equal(await status(client, "expiring"), "DISABLED -");
  assert.deepEqual((await update(client, "expiring", "ttl", true)).TimeToLiveSpecification, {
    AttributeName: "ttl",
    Enabled: true,
  });
  await eventually(async () => (await status(client, "expiring")) === "ENABLED ttl");
  await put(client, "expiring", "new", N(seconds() - 1));
  await put(client, "expiring", "later", N(seconds() + 120));
  await put(client, "expiring", "given-more-time", N(seconds() + 30));
  await put(client, "expiring", "without");
  await put(client, "expiring", "text", S(String(seconds() - 1)));
  await put(client, "expiring", "ancient", N(seconds() - 5 * YEAR_SECONDS - 60));
  await put(client, "expiring", "nonsense", N("1e30"));
  await client.send(
    new UpdateItemCommand({
      TableName: "expiring",
      Key: { pk: S("given-more-time") },
      UpdateExpression: "SET #t = :t",
      ExpressionAttributeNames: { "#t": "ttl" },
      ExpressionAttributeValues: { ":t": N(seconds() + 3600) },
    }),
  );
  await clock.advance(MINUTE_MS);
  const kept = "ancient given-more-time later nonsense text without";
  await eventually(async () => (await keys(client, "expiring")) === kept);
  const { Count: entries } = await client.send(
    new QueryCommand({
      TableName: "expiring",
      IndexName: "by-g",
      KeyConditionExpression: "g = :g",
      ExpressionAttributeValues: { ":g": S("g") },
    }),
  );
  assert.equal(entries, kept.split(" ").length);
  const streams = new DynamoDBStreamsClient(server.client());
  const removed = (await recordsOf(streams, await latestStream(client, "expiring"))).filter(
    ({ eventName }) => eventName === "REMOVE",
  );
  streams.destroy();
  const service = { PrincipalId: "dynamodb.amazonaws.com", Type: "Service" };
  assert.deepEqual(
    Object.fromEntries(
      removed.map(({ userIdentity, dynamodb }) => [dynamodb?.OldImage?.["pk"]?.S, userIdentity]),
    ),
    { new: service, old: service },
  );
  await clock.advance(3 * MINUTE_MS);
  await eventually(async () => !(await keys(client, "expiring")).includes("later"));
});

test("UpdateTimeToLive refuses what is so already, another attribute, and a second change within an hour; nothing expires when it is off", async () => {
  await createTable(client, "changed", ["pk"]);
  const invalid = (words: string) => `ValidationException: ${words}`;
  assert.equal(
    await refusal(update(client, "changed", "ttl", false)),
    invalid("TimeToLive is already disabled"),
  );
  await update(client, "changed", "ttl", true);
  assert.equal(
    await refusal(update(client, "changed", "ttl", true)),
    invalid("TimeToLive is already enabled"),
  );
  assert.equal(
    await refusal(update(client, "changed", "other", true)),
    invalid("TimeToLive is active on a different AttributeName: current AttributeName is ttl"),
  );
  assert.equal(
    await refusal(update(client, "changed", "ttl", false)),
    invalid("Time to live has been modified multiple times within a fixed interval"),
  );
  await put(client, "changed", "a", N(seconds() + 2 * 3600));
  await clock.advance(HOUR_MS);
  await update(client, "changed", "ttl", false);
  assert.equal(await status(client, "changed"), "DISABLED -");
  await clock.advance(3 * HOUR_MS);
  assert.equal(await keys(client, "changed"), "a");
  await update(client, "changed", "other", true);
  await clock.advance(MINUTE_MS);
  assert.equal(await keys(client, "changed"), "a");
  await client.send(new DeleteTableCommand({ TableName: "changed" }));
  assert.match(await refusal(update(client, "changed", "ttl", true)), /^ResourceNotFoundException/);
  assert.match(await refusal(status(client, "changed")), /^ResourceNotFoundException/);
});

test(
  "UpdateTimeToLive and DescribeTimeToLive on PostgreSQL",
  { skip: postgresMissing() ?? false },
  async () => {
    const postgres = await startPostgres();
    const own = await startDynamoDb({ clock, databaseUrl: await postgres.newDatabase() });
    try {
      await createTable(own.client, "shared", ["pk"]);
      for (let i = 0; i < 5; i++) await put(own.client, "shared", `${i}`, N(seconds() - i * 10));
      await update(own.client, "shared", "ttl", true);
      await put(own.client, "shared", "kept", N(seconds() + 3600));
      await eventually(async () => (await status(own.client, "shared")) === "ENABLED ttl");
      await clock.advance(MINUTE_MS);
      await eventually(async () => (await keys(own.client, "shared")) === "kept");
      await own.client.send(new DeleteTableCommand({ TableName: "shared" }));
    } finally {
      await own.stop();
      await postgres.stop();
    }
  },
);
