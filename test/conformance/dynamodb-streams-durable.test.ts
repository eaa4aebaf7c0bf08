/** A stream has a record if and only if the item's write is kept: after kill -9, and on PostgreSQL with two servers; and who may read it. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  BatchWriteItemCommand,
  DeleteTableCommand,
  DynamoDBClient,
  PutItemCommand,
  ScanCommand,
  UpdateItemCommand,
  UpdateTableCommand,
} from "@aws-sdk/client-dynamodb";
import {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  ListStreamsCommand,
} from "@aws-sdk/client-dynamodb-streams";
import { N, S, createTable, startDynamoDb } from "../harness/dynamodb.ts";
import { iteratorOf, latestStream, recordsOf, sequenceOf, shardsOf } from "../harness/dynamodb-streams.ts";
import { postgresMissing, startPostgres } from "../harness/postgres.ts";
import { makeUser } from "../harness/principals.ts";
import { spawnServer } from "../harness/process.ts";
import { clientOptions } from "../harness/server.ts";

const STREAM = {
  StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_AND_OLD_IMAGES" as const },
};
const WRITERS = 8;
const ANSWERED = 200;

test("GetRecords has a record of each write if and only if the write survived kill -9", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "lambent-test-"));
  const flags = ["--port", "0", "--data-dir", dataDir, "--sandbox", "process"];
  try {
    const first = await spawnServer(flags);
    const client = new DynamoDBClient(clientOptions(first.endpoint));
    await createTable(client, "kept", ["pk"], STREAM);
    let answered = 0;
    const writing = Array.from({ length: WRITERS }, async (_, writer) => {
      for (let i = 0; ; i++) {
        const Item = { pk: S(`${writer}-${i % 10}`), n: N(i) };
        await client.send(new PutItemCommand({ TableName: "kept", Item }));
        answered += 1;
        if (answered === ANSWERED) void first.kill();
      }
    });
    await Promise.allSettled(writing);
    client.destroy();
    const second = await spawnServer(flags);
    const again = new DynamoDBClient(clientOptions(second.endpoint));
    const streams = new DynamoDBStreamsClient(clientOptions(second.endpoint));
    const { Items: items = [] } = await again.send(new ScanCommand({ TableName: "kept" }));
    const arn = await latestStream(again, "kept");
    const records = await recordsOf(streams, arn);
    assert.ok(records.length >= answered, `${records.length} records of ${answered} answered writes`);
    assert.equal(new Set(records.map(sequenceOf)).size, records.length);
    const replayed = new Map<string, string>();
    for (const { dynamodb: { Keys: keys, NewImage: image, OldImage: old } = {} } of records) {
      const key = keys?.["pk"]?.S ?? "";
      assert.equal(old?.["n"]?.N, replayed.get(key), "each record begins where the one before ended");
      replayed.set(key, image?.["n"]?.N ?? "");
    }
    assert.deepEqual(
      Object.fromEntries(replayed),
      Object.fromEntries(items.map((item) => [item["pk"]?.S ?? "", item["n"]?.N ?? ""])),
    );
    await again.send(new PutItemCommand({ TableName: "kept", Item: { pk: S("later") } }));
    const last = (await recordsOf(streams, arn)).at(-1);
    assert.deepEqual(last?.dynamodb?.Keys, { pk: S("later") }, "numbers go on rising after a restart");
    again.destroy();
    streams.destroy();
    await second.terminate();
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
});

test(
  "GetRecords misses nothing while two servers write to one stream on PostgreSQL",
  { skip: postgresMissing() ?? false },
  async () => {
    const postgres = await startPostgres();
    const databaseUrl = await postgres.newDatabase();
    const settings = [await startDynamoDb({ databaseUrl }), await startDynamoDb({ databaseUrl })];
    const streams = new DynamoDBStreamsClient(settings[1]?.server.client() ?? {});
    try {
      const clients = settings.map(({ client }) => client);
      const [client] = clients as [DynamoDBClient];
      await createTable(client, "shared", ["pk"]);
      await clients[1]?.send(new PutItemCommand({ TableName: "shared", Item: { pk: S("before") } }));
      await client.send(
        new UpdateTableCommand({
          TableName: "shared",
          StreamSpecification: { StreamEnabled: true, StreamViewType: "KEYS_ONLY" },
        }),
      );
      // The other server's own copy of the definition knows of no stream yet.
      await clients[1]?.send(new PutItemCommand({ TableName: "shared", Item: { pk: S("first") } }));
      const arn = await latestStream(client, "shared");
      const seen = followAll(streams, arn);
      const writing = clients.flatMap((one, server) =>
        Array.from({ length: 3 }, async (_, writer) => {
          for (let i = 0; i < 8; i++)
            await one.send(
              new UpdateItemCommand({
                TableName: "shared",
                Key: { pk: S(`${server}-${writer}`) },
                UpdateExpression: "ADD n :one",
                ExpressionAttributeValues: { ":one": N(1) },
              }),
            );
        }),
      );
      await Promise.all(writing);
      await client.send(
        new BatchWriteItemCommand({
          RequestItems: {
            shared: Array.from({ length: 25 }, (_, i) => ({ PutRequest: { Item: { pk: S(`b${i}`) } } })),
          },
        }),
      );
      const total = 1 + 2 * 3 * 8 + 25;
      assert.equal((await recordsOf(streams, arn)).length, total);
      assert.equal((await seen(total)).length, total);
      const { Streams: listed } = await streams.send(new ListStreamsCommand({ TableName: "shared" }));
      assert.equal(listed?.length, 1);
      await client.send(new DeleteTableCommand({ TableName: "shared" }));
      const shards = await shardsOf(streams, arn);
      assert.ok(shards.every((shard) => shard.SequenceNumberRange?.EndingSequenceNumber));
    } finally {
      streams.destroy();
      for (const setting of settings) await setting.stop();
      await postgres.stop();
    }
  },
);

/** Reads all shards over and over, each from where it stopped, as a poller does; answers what ends it with what it read. */
function followAll(streams: DynamoDBStreamsClient, arn: string): (wanted: number) => Promise<string[]> {
  const read: string[] = [];
  const end = { wanted: Infinity, passes: 0 };
  const running = (async () => {
    const iterators = await Promise.all(
      (await shardsOf(streams, arn)).map(({ ShardId }) => iteratorOf(streams, arn, ShardId, "TRIM_HORIZON")),
    );
    // Once all is written, two passes see whatever can still be seen.
    while (read.length < end.wanted && end.passes < 2) {
      if (end.wanted < Infinity) end.passes += 1;
      for (const [i, ShardIterator] of iterators.entries()) {
        const page = await streams.send(new GetRecordsCommand({ ShardIterator }));
        read.push(...(page.Records ?? []).map(sequenceOf));
        iterators[i] = page.NextShardIterator ?? "";
      }
    }
    return read;
  })();
  return async (count) => {
    end.wanted = count;
    return running;
  };
}

test("DescribeStream, ListStreams, GetShardIterator and GetRecords need dynamodb's actions on the stream's ARN", async () => {
  const setting = await startDynamoDb();
  try {
    const { client, server } = setting;
    await createTable(client, "guarded", ["pk"], STREAM);
    const arn = await latestStream(client, "guarded");
    const user = await makeUser(server.client(), "reader", { Action: "dynamodb:DescribeStream" });
    const streams = new DynamoDBStreamsClient(user.options);
    const shards = await shardsOf(streams, arn);
    const read = () => recordsOf(streams, arn);
    const denied = (action: string, resource: string) => ({
      name: "AccessDeniedException",
      message:
        `User: ${user.arn} is not authorized to perform: dynamodb:${action} on resource: ${resource} ` +
        `because no identity-based policy allows the dynamodb:${action} action`,
    });
    await assert.rejects(read, denied("GetShardIterator", arn));
    const Resource = "arn:aws:dynamodb:us-east-1:000000000000:table/guarded/stream/*";
    await user.may({ Action: ["dynamodb:DescribeStream", "dynamodb:GetShardIterator"], Resource });
    const iterator = await iteratorOf(streams, arn, shards[0]?.ShardId, "LATEST");
    await assert.rejects(
      () => streams.send(new GetRecordsCommand({ ShardIterator: iterator })),
      denied("GetRecords", arn),
    );
    await assert.rejects(() => streams.send(new ListStreamsCommand({})), { name: "AccessDeniedException" });
    await user.may({ Action: "dynamodb:*", Resource });
    assert.deepEqual(await read(), []);
    await streams.send(new ListStreamsCommand({ TableName: "guarded" }));
    await assert.rejects(
      () => streams.send(new DescribeStreamCommand({ StreamArn: arn.replace("guarded", "another") })),
      { name: "AccessDeniedException" },
    );
    streams.destroy();
  } finally {
    await setting.stop();
  }
});
