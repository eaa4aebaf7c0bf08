/** DynamoDB's promises to keep: after kill -9, and on PostgreSQL. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  DeleteTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
  paginateScan,
} from "@aws-sdk/client-dynamodb";
import { N, S, createTable, keySchema, startDynamoDb } from "../harness/dynamodb.ts";
import { postgresMissing, startPostgres } from "../harness/postgres.ts";
import { spawnServer } from "../harness/process.ts";
import { clientOptions } from "../harness/server.ts";

test("UpdateItem and TransactWriteItems that were answered survive kill -9", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "lambent-test-"));
  const flags = ["--port", "0", "--data-dir", dataDir, "--sandbox", "process"];
  try {
    const first = await spawnServer(flags);
    const client = new DynamoDBClient(clientOptions(first.endpoint));
    await createTable(client, "kept", ["pk"]);
    let answered = 0;
    const adding = Array.from({ length: 8 }, async () => {
      for (;;) {
        await client.send(
          new TransactWriteItemsCommand({
            TransactItems: ["a", "b"].map((pk) => ({
              Update: {
                TableName: "kept",
                Key: { pk: S(pk) },
                UpdateExpression: "ADD n :one",
                ExpressionAttributeValues: { ":one": N(1) },
              },
            })),
          }),
        );
        answered += 1;
        if (answered === 40) void first.kill();
      }
    });
    await Promise.allSettled(adding);
    client.destroy();
    const second = await spawnServer(flags);
    const again = new DynamoDBClient(clientOptions(second.endpoint));
    const [a, b] = await Promise.all(
      ["a", "b"].map(async (pk) => {
        const { Item: item } = await again.send(
          new GetItemCommand({ TableName: "kept", Key: { pk: S(pk) } }),
        );
        return Number(item?.["n"]?.N);
      }),
    );
    assert.equal(a, b);
    assert.ok(Number(a) >= answered, `${a} of ${answered}`);
    again.destroy();
    await second.terminate();
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
});

test("DeleteTable of a large table goes on after kill -9", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "lambent-test-"));
  const flags = ["--port", "0", "--data-dir", dataDir, "--sandbox", "process"];
  try {
    const first = await spawnServer(flags);
    const client = new DynamoDBClient(clientOptions(first.endpoint));
    await createTable(client, "large", ["pk"]);
    await Promise.all(
      Array.from({ length: 1500 }, (_, i) =>
        client.send(new PutItemCommand({ TableName: "large", Item: { pk: S(`${i}`) } })),
      ),
    );
    await client.send(new DeleteTableCommand({ TableName: "large" }));
    await first.kill();
    client.destroy();
    const second = await spawnServer(flags);
    const again = new DynamoDBClient(clientOptions(second.endpoint));
    await waitUntilGone(again);
    await createTable(again, "large", ["pk"]);
    assert.equal((await again.send(new ScanCommand({ TableName: "large" }))).Count, 0);
    again.destroy();
    await second.terminate();
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
});

async function waitUntilGone(client: DynamoDBClient): Promise<void> {
  for (;;) {
    try {
      await client.send(new ScanCommand({ TableName: "large" }));
    } catch (error) {
      assert.equal((error as Error).name, "ResourceNotFoundException");
      return;
    }
  }
}

test(
  "Query, Scan, UpdateItem and TransactWriteItems on PostgreSQL",
  { skip: postgresMissing() ?? false },
  async () => {
    const postgres = await startPostgres();
    const setting = await startDynamoDb({ databaseUrl: await postgres.newDatabase() });
    try {
      const { client } = setting;
      await createTable(client, "postgres", ["pk", "sk:N"], {
        attributes: ["g"],
        GlobalSecondaryIndexes: [
          { IndexName: "by-g", KeySchema: keySchema(["g", "sk"]), Projection: { ProjectionType: "ALL" } },
        ],
      });
      const numbers = ["-10.5", "-1", "0", "0.5", "2", "10", "1e20"];
      for (const sk of numbers.toReversed())
        await client.send(
          new PutItemCommand({
            TableName: "postgres",
            Item: { pk: S("p"), sk: N(sk), g: S("g"), b: { B: new Uint8Array([0, 1]) }, t: S("\u0000ü") },
          }),
        );
      for (const IndexName of [undefined, "by-g"]) {
        const { Items: items = [] } = await client.send(
          new QueryCommand({
            TableName: "postgres",
            IndexName,
            KeyConditionExpression: `${IndexName ? "g" : "pk"} = :p AND sk >= :n`,
            ExpressionAttributeValues: { ":p": S(IndexName ? "g" : "p"), ":n": N(-1) },
          }),
        );
        assert.deepEqual(
          items.map((item) => Number(item["sk"]?.N)),
          numbers.slice(1).map(Number),
        );
        assert.deepEqual(items[0]?.["t"], S("\u0000ü"));
      }
      let scanned = 0;
      for await (const page of paginateScan({ client, pageSize: 2 }, { TableName: "postgres" }))
        scanned += page.Count ?? 0;
      assert.equal(scanned, numbers.length);
      await Promise.all(
        Array.from({ length: 40 }, () =>
          client.send(
            new UpdateItemCommand({
              TableName: "postgres",
              Key: { pk: S("counter"), sk: N(0) },
              UpdateExpression: "ADD hits :one",
              ExpressionAttributeValues: { ":one": N(1) },
            }),
          ),
        ),
      );
      const { Item: counter } = await client.send(
        new GetItemCommand({ TableName: "postgres", Key: { pk: S("counter"), sk: N(0) } }),
      );
      assert.deepEqual(counter?.["hits"], N(40));
      await client.send(
        new TransactWriteItemsCommand({
          TransactItems: [{ Delete: { TableName: "postgres", Key: { pk: S("counter"), sk: N(0) } } }],
        }),
      );
      await client.send(new DeleteTableCommand({ TableName: "postgres" }));
    } finally {
      await setting.stop();
      await postgres.stop();
    }
  },
);
