/** What S3 accepted is not lost when the server dies before the function ran. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { clientOptions } from "../harness/server.ts";
import { spawnServer } from "../harness/process.ts";

const ROUNDS = 3;
const WAIT_MS = 60_000;
const EXAMPLE = new URL("../../examples/thumbnail/", import.meta.url);

interface Deploy {
  deploy: (options: object) => Promise<void>;
}

test("kill -9 between the upload's 200 and the function's run: after a restart the thumbnail appears", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "lambent-crash-"));
  const photo = await readFile(new URL("nuthatch.jpg", EXAMPLE));
  const { deploy } = (await import(new URL("deploy.mjs", EXAMPLE).href)) as Deploy;
  let server = await spawnServer(["--port", "0", "--data-dir", dataDir]);
  try {
    await deploy(clientOptions(server.endpoint));
    for (let round = 0; round < ROUNDS; round++) {
      const key = `photo-${round}.jpg`;
      const s3 = new S3Client(clientOptions(server.endpoint));
      await s3.send(new PutObjectCommand({ Bucket: "photographs", Key: key, Body: photo }));
      await server.kill();

      server = await spawnServer(["--port", "0", "--data-dir", dataDir]);
      await waitForRow(server.endpoint, key);
      const thumbnail = await new S3Client(clientOptions(server.endpoint)).send(
        new GetObjectCommand({ Bucket: "thumbnails", Key: key }),
      );
      const bytes = await thumbnail.Body?.transformToByteArray();
      assert.deepEqual([bytes?.[0], bytes?.[1]], [0xff, 0xd8], "the thumbnail is a JPEG");
    }
  } finally {
    await server.terminate();
    await rm(dataDir, { recursive: true, force: true });
  }
});

async function waitForRow(endpoint: string, key: string): Promise<void> {
  const dynamodb = new DynamoDBClient(clientOptions(endpoint));
  for (const end = Date.now() + WAIT_MS; Date.now() < end; await sleep(100)) {
    const { Item } = await dynamodb.send(
      new GetItemCommand({ TableName: "Photographs", Key: { key: { S: key } } }),
    );
    if (Item?.["thumbnail"]) return;
  }
  assert.fail(`no row for ${key} after ${WAIT_MS / 1_000} s`);
}
