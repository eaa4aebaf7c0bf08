/** Mappings on PostgreSQL, with two servers on one database: each shard has one owner, each server its share, and what a dead one had another has. */
import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { MergeShardsCommand, waitUntilStreamExists } from "@aws-sdk/client-kinesis";
import { CreateEventSourceMappingCommand } from "@aws-sdk/client-lambda";
import { SQSClient } from "@aws-sdk/client-sqs";
import { MovableClock } from "../../src/index.ts";
import { postgresMissing, startPostgres } from "../harness/postgres.ts";
import type { TestPostgres } from "../harness/postgres.ts";
import { spawnServer } from "../harness/process.ts";
import { clientOptions } from "../harness/server.ts";
import { queues } from "./queue-setting.ts";
import { numbered, settleStreams, startStreams, taken, until } from "./stream-setting.ts";
import type { Recorder, StreamSetting } from "./stream-setting.ts";

const SHARDS = 4;

describe("stream mappings on PostgreSQL", { skip: postgresMissing() }, () => {
  let postgres: TestPostgres;
  let folder: string;
  let one: StreamSetting;
  let two: StreamSetting;
  // Of both servers, as their leases need one time.
  const clock = new MovableClock();
  before(async () => {
    postgres = await startPostgres();
    folder = await mkdtemp(join(tmpdir(), "lambent-shared-"));
    await chmod(folder, 0o777);
    const databaseUrl = await postgres.newDatabase();
    const config = { databaseUrl, localCode: folder, shardThroughput: 0, clock };
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
  async function record(body: string, on: Pick<StreamSetting, "source" | "record"> = one): Promise<Recorder> {
    const S3Key = await mkdtemp(join(folder, "function-"));
    await chmod(S3Key, 0o755);
    const file = `${S3Key}.runs`;
    await writeFile(join(S3Key, "index.mjs"), on.source(file, body));
    return on.record(body, { Code: { S3Bucket: "lambent-local", S3Key } }, file);
  }

  const sorted = async (recorder: Recorder) => (await taken(recorder)).map(Number).toSorted((a, b) => a - b);

  test("the servers read as many shards each, and no batch in flight is taken from one", async () => {
    const BY = "event.by = process.env.AWS_ENDPOINT_URL; await sleep(20);";
    const recorder = await record(BY);
    const stream = await one.stream(SHARDS);
    await one.map(recorder, stream, { BatchSize: 5 });
    let sent = 0;
    const rounds: number[][] = [];
    // Who began with all of them lets some go within a few seconds.
    await until("each server reads half of the shards", async () => {
      await two.put(stream, numbered(40, sent), (place) => String(sent + place));
      sent += 40;
      await until("all have come", async () => (await taken(recorder)).length >= sent);
      await clock.advance(1_000);
      const owners = new Map<string, string>();
      for (const { event } of await recorder.runs())
        for (const { eventID } of event.Records)
          owners.set(eventID.split(":")[0] ?? "", (event as unknown as { by: string }).by);
      const shares = Map.groupBy(owners.entries(), ([, by]) => by);
      rounds.push([...shares.values()].map(({ length }) => length));
      return owners.size === SHARDS && rounds.at(-1)?.join() === "2,2";
    });
    assert.deepEqual(await sorted(recorder), numbered(sent).map(Number));
  });

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

  test("kill -9 of the one that reads: another takes its queues and shards over, nothing is skipped, at most the batches in flight come again", async () => {
    const databaseUrl = await postgres.newDatabase();
    const flags = [
      "--port",
      "0",
      "--database-url",
      databaseUrl,
      "--local-code",
      folder,
      "--sandbox",
      "process",
    ];
    const dataDir = join(folder, "killed");
    const dead = await spawnServer([...flags, "--data-dir", dataDir, "--log-level", "error"]);
    const later = new MovableClock();
    let heir: StreamSetting | undefined;
    try {
      const first = await settleStreams(dead.endpoint, folder);
      const sqs = new SQSClient(clientOptions(dead.endpoint));
      const { queue, send } = queues(sqs);
      const [ofStream, ofQueue] = [
        await record("await sleep(30);", first),
        await record("await sleep(60);", first),
      ];
      const stream = await first.stream(2);
      const jobs = await queue("jobs", { VisibilityTimeout: "30" });
      await first.map(ofStream, stream, { BatchSize: 5 });
      const EventSourceArn = jobs.arn;
      const FunctionName = ofQueue.name;
      const { UUID } = await first.lambda.send(
        new CreateEventSourceMappingCommand({ FunctionName, EventSourceArn, BatchSize: 2 }),
      );
      await first.inState(UUID, "Enabled");
      heir = await startStreams(
        { databaseUrl, localCode: folder, clock: later },
        { joins: { ...first, server: one.server, stop: async () => {} } },
      );
      await send(jobs, numbered(60));
      await first.put(stream, numbered(100), String);
      const bodies = async () =>
        (await ofQueue.runs()).flatMap(({ event }) => event.Records.map((one) => Number(one["body"])));
      await until(
        "some are done",
        async () => (await taken(ofStream)).length > 15 && (await bodies()).length > 10,
      );
      await dead.kill();
      const before = [(await taken(ofStream)).length, (await bodies()).length] as const;
      assert.ok(before[0] < 100 && before[1] < 60, `${before.join(" and ")} were done before`);
      await until("all are done", async () => {
        await later.advance(1_000);
        return new Set(await taken(ofStream)).size === 100 && new Set(await bodies()).size === 60;
      });
      assert.ok((await taken(ofStream)).length <= 100 + 2 * 5);
      assert.ok((await bodies()).length <= 60 + 10 * 2);
    } finally {
      await dead.kill();
      await heir?.stop();
    }
  });
});
