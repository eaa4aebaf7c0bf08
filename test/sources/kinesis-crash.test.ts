/** Records of a stream while the server is killed: none is skipped, at most the batches in flight are repeated, order holds. */
import assert from "node:assert/strict";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { spawnServer } from "../harness/process.ts";
import { clientOptions } from "../harness/server.ts";
import { numbered, settleStreams, textsOf, until } from "./stream-setting.ts";

const RECORDS = 2_000;
const KILLS = 2;
const SHARDS = 2;
const LANES = 2;
const BATCH = 20;
const KEYS = 40;
/** One record in so many always fails, and must be in the bucket. */
const FAILING = 500;

test(`${RECORDS} records and ${KILLS} kills: each is handled, those that fail are in their destination, each key is in order`, async (context) => {
  const dataDir = await mkdtemp(join(tmpdir(), "lambent-crash-"));
  const folder = await mkdtemp(join(tmpdir(), "lambent-runs-"));
  await chmod(folder, 0o777);
  const flags = ["--port", "0", "--data-dir", dataDir, "--sandbox", "process", "--log-level", "error"];
  flags.push("--shard-throughput", "0");
  let server = await spawnServer(flags);
  try {
    const setting = await settleStreams(server.endpoint, folder);
    const s3 = () => new S3Client(clientOptions(server.endpoint));
    await s3().send(new CreateBucketCommand({ Bucket: "failed" }));
    const recorder = await setting.record(
      `await sleep(5); if (texts.some((text) => Number(text) % ${FAILING} === 7)) throw new Error("as it should");`,
    );
    const stream = await setting.stream(SHARDS);
    await setting.put(stream, numbered(RECORDS), (place) => `key-${place % KEYS}`);
    await setting.map(recorder, stream, {
      BatchSize: BATCH,
      ParallelizationFactor: LANES,
      BisectBatchOnFunctionError: true,
      MaximumRetryAttempts: 0,
      DestinationConfig: { OnFailure: { Destination: "arn:aws:s3:::failed" } },
    });
    const good = numbered(RECORDS).filter((text) => Number(text) % FAILING !== 7);
    const handled = async () => (await recorder.runs()).filter(({ error }) => !error).flatMap(textsOf);
    for (let kill = 1; kill <= KILLS; kill++) {
      const enough = (good.length * kill) / (KILLS + 2);
      await until("a part is done", async () => (await handled()).length >= enough);
      await server.kill();
      server = await spawnServer(flags);
    }
    await until("all are handled", async () => new Set(await handled()).size >= good.length);
    await sleep(200);
    const all = await handled();
    assert.deepEqual(
      [...new Set(all)].toSorted((a, b) => Number(a) - Number(b)),
      good,
    );
    const repeated = all.length - good.length;
    assert.ok(repeated <= KILLS * SHARDS * LANES * BATCH, `${repeated} came again`);
    for (let key = 0; key < KEYS; key++) {
      const first = [...new Set(all.map(Number).filter((n) => n % KEYS === key))];
      assert.deepEqual(
        first,
        first.toSorted((a, b) => a - b),
        "the order in which records first came",
      );
    }
    const failing = RECORDS / FAILING;
    const told = new Set<string>();
    await until("those that fail are in the bucket", async () => {
      const { Contents = [] } = await s3().send(new ListObjectsV2Command({ Bucket: "failed" }));
      for (const { Key } of Contents) {
        const { Body } = await s3().send(new GetObjectCommand({ Bucket: "failed", Key }));
        const { KinesisBatchInfo } = JSON.parse((await Body?.transformToString()) ?? "") as {
          KinesisBatchInfo: { batchSize: number; startSequenceNumber: string };
        };
        assert.equal(KinesisBatchInfo.batchSize, 1);
        told.add(KinesisBatchInfo.startSequenceNumber);
      }
      return told.size >= failing;
    });
    assert.equal(told.size, failing);
    context.diagnostic(`${RECORDS} records, ${KILLS} kills, ${repeated} came again`);
  } finally {
    await server.terminate();
    await rm(dataDir, { recursive: true, force: true });
    await rm(folder, { recursive: true, force: true });
  }
});
