/** What PutRecords and PutRecord have answered is there after the server was killed in the middle of more of them; so are iterators. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import {
  CreateStreamCommand,
  GetRecordsCommand,
  KinesisClient,
  PutRecordCommand,
  PutRecordsCommand,
} from "@aws-sdk/client-kinesis";
import { iteratorOf, text } from "../harness/kinesis.ts";
import { spawnServer } from "../harness/process.ts";
import { clientOptions } from "../harness/server.ts";

const WRITING_MS = 700;
const WRITERS = 6;

test("PutRecord's and PutRecords' records survive kill -9, in their order, and iterators of GetShardIterator too", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "lambent-kinesis-"));
  const flags = ["--port", "0", "--data-dir", dataDir, "--sandbox", "process", "--shard-throughput", "0"];
  let server = await spawnServer(flags);
  try {
    let client = new KinesisClient(clientOptions(server.endpoint));
    await client.send(new CreateStreamCommand({ StreamName: "s", ShardCount: 1 }));
    const iterator = await iteratorOf(client, "s", "LATEST");
    const acknowledged = new Map<string, string[]>();
    const record = (key: string, at: number) => ({ PartitionKey: key, Data: Buffer.from(`${key} ${at}`) });
    const writing = Array.from({ length: WRITERS }, async (_, no) => {
      const key = `writer-${no}`;
      const own: string[] = [];
      acknowledged.set(key, own);
      try {
        for (let at = 0; ; at += 2) {
          if (no % 2 === 0) {
            const Records = [record(key, at), record(key, at + 1)];
            await client.send(new PutRecordsCommand({ StreamName: "s", Records }));
          } else
            for (const n of [at, at + 1])
              await client.send(new PutRecordCommand({ StreamName: "s", ...record(key, n) }));
          own.push(`${key} ${at}`, `${key} ${at + 1}`);
        }
      } catch {
        // The server is gone.
      }
    });
    await setTimeout(WRITING_MS);
    await server.kill();
    await Promise.all(writing);
    client.destroy();
    server = await spawnServer(flags);
    client = new KinesisClient(clientOptions(server.endpoint));
    const { Records = [] } = await client.send(new GetRecordsCommand({ ShardIterator: iterator }));
    for (const [key, own] of acknowledged) {
      const kept = Records.filter((one) => one.PartitionKey === key).map((one) => text(one.Data));
      assert.ok(own.length > 0);
      assert.deepEqual(kept.slice(0, own.length), own);
      // What was under way when the server died may have been kept too.
      assert.ok(kept.length - own.length <= 2, `${key}: ${kept.length} of ${own.length}`);
    }
    const numbers = Records.map((one) => one.SequenceNumber ?? "");
    assert.deepEqual(numbers, numbers.toSorted());
    const { SequenceNumber = "" } = await client.send(
      new PutRecordCommand({ StreamName: "s", ...record("after", 0) }),
    );
    assert.ok(SequenceNumber > (numbers.at(-1) ?? ""));
    client.destroy();
  } finally {
    await server.terminate();
    await rm(dataDir, { recursive: true, force: true });
  }
});
