/** Stream mappings on PostgreSQL, with two servers on one database: each shard has one owner, and another one when that has gone. */
import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { MergeShardsCommand, waitUntilStreamExists } from "@aws-sdk/client-kinesis";
import { postgresMissing, startPostgres } from "../harness/postgres.ts";
import type { TestPostgres } from "../harness/postgres.ts";
import { numbered, startStreams, taken, until } from "./stream-setting.ts";
import type { Recorder, StreamSetting } from "./stream-setting.ts";

const SHARDS = 4;

describe("stream mappings on PostgreSQL", { skip: postgresMissing() }, () => {
  let postgres: TestPostgres;
  let folder: string;
  let one: StreamSetting;
  let two: StreamSetting;
  before(async () => {
    postgres = await startPostgres();
    folder = await mkdtemp(join(tmpdir(), "lambent-shared-"));
    await chmod(folder, 0o777);
    const databaseUrl = await postgres.newDatabase();
    const config = { databaseUrl, localCode: folder, shardThroughput: 0 };
    one = await startStreams(config);
    two = await startStreams(config, { joins: one });
  });
  after(async () => {
    await one?.stop();
    await two?.stop();
    await postgres?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** A function that both servers can run, for its code stays where it is. */
  async function record(body: string): Promise<Recorder> {
    const S3Key = join(folder, "function");
    await mkdir(S3Key, { recursive: true });
    const file = join(folder, "runs");
    await writeFile(join(S3Key, "index.mjs"), one.source(file, body));
    return one.record(body, { Code: { S3Bucket: "lambent-local", S3Key } }, file);
  }

  const sorted = async (recorder: Recorder) => (await taken(recorder)).map(Number).toSorted((a, b) => a - b);

  test("each record comes once, over a merge and over the end of a server", async () => {
    const recorder = await record("");
    const stream = await one.stream(SHARDS);
    await one.map(recorder, stream, { BatchSize: 10, ParallelizationFactor: 2 });
    const key = (place: number) => String(place);
    await two.put(stream, numbered(200), key);
    await until("all have come", async () => (await taken(recorder)).length >= 200);
    await two.kinesis.send(
      new MergeShardsCommand({
        StreamARN: stream,
        ShardToMerge: "shardId-000000000000",
        AdjacentShardToMerge: "shardId-000000000001",
      }),
    );
    const StreamName = stream.split("/")[1] ?? "";
    await waitUntilStreamExists(
      { client: two.kinesis, maxWaitTime: 30, minDelay: 0.05, maxDelay: 0.2 },
      { StreamName },
    );
    await two.put(stream, numbered(200, 200), key);
    await until("those after the merge have come", async () => (await taken(recorder)).length >= 400);
    await one.server.stop();
    await two.put(stream, numbered(200, 400), key);
    await until("the other server goes on", async () => (await taken(recorder)).length >= 600);
    assert.deepEqual(await sorted(recorder), numbered(600).map(Number));
  });
});
