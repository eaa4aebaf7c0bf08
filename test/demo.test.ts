/** The show-piece, as a user runs it. */
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { start } from "../src/index.ts";
import { clientOptions } from "./harness/server.ts";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const EXAMPLE = new URL("../examples/thumbnail/", import.meta.url);
const AWS = "/usr/bin/aws";
const WAIT_MS = 60_000;

test("lambent demo --check: a photograph in, a thumbnail and a row out, error rows for what is no picture", () => {
  const done = spawnSync(process.execPath, [MAIN, "demo", "--check"], { encoding: "utf8", timeout: 240_000 });
  assert.equal(done.status, 0, `${done.stdout}\n${done.stderr}`);
  assert.match(done.stdout, /Checked: a 320x180 thumbnail of 6028x3391, its row, its log\./);
  assert.match(done.stdout, /notes\.txt: .*unsupported image format/);
});

test("a photograph that the AWS CLI puts into S3 becomes a thumbnail and a row", async (t) => {
  if (!existsSync(AWS)) return t.skip(`no AWS CLI at ${AWS}: apt-get install awscli`);
  const server = await start();
  try {
    const { deploy } = (await import(new URL("deploy.mjs", EXAMPLE).href)) as {
      deploy: (options: object) => Promise<void>;
    };
    await deploy(clientOptions(server.endpoint));
    const photo = fileURLToPath(new URL("nuthatch.jpg", EXAMPLE));
    const env = { AWS_ACCESS_KEY_ID: "000000000000", AWS_SECRET_ACCESS_KEY: "any", AWS_REGION: "us-east-1" };
    const target = ["s3://photographs/by hand/nuthatch.jpg", "--endpoint-url", server.endpoint];
    // Not spawnSync: the server answers in this process.
    await new Promise<void>((resolve, reject) => {
      execFile(AWS, ["s3", "cp", photo, ...target], { env }, (error, _, stderr) =>
        error ? reject(new Error(stderr, { cause: error })) : resolve(),
      );
    });
    const dynamodb = new DynamoDBClient(clientOptions(server.endpoint));
    const read = new GetItemCommand({
      TableName: "Photographs",
      Key: { key: { S: "by hand/nuthatch.jpg" } },
    });
    let row = (await dynamodb.send(read)).Item;
    for (const end = Date.now() + WAIT_MS; !row && Date.now() < end; row = (await dynamodb.send(read)).Item)
      await sleep(50);
    assert.equal(row?.["thumbnail"]?.S, "s3://thumbnails/by hand/nuthatch.jpg");
    assert.equal(row?.["thumbnailWidth"]?.N, "320");
  } finally {
    await server.stop();
  }
});
