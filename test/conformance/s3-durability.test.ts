/** S3 over kill -9: what was answered is there, and what was not leaves nothing behind. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { spawnServer } from "../harness/process.ts";
import { bytes } from "../harness/s3.ts";
import { clientOptions } from "../harness/server.ts";

const Bucket = "kept";
const LARGE = 100_000;

describe("S3 over kill -9", () => {
  let dataDir: string;
  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "lambent-s3-"));
  });
  after(() => rm(dataDir, { recursive: true, force: true }));

  const serve = () => spawnServer(["--data-dir", dataDir, "--port", "0", "--sandbox", "process"]);

  test("PutObject, UploadPart and CompleteMultipartUpload that were answered are there; nothing else is", async () => {
    const first = await serve();
    let s3 = new S3Client(clientOptions(first.endpoint));
    await s3.send(new CreateBucketCommand({ Bucket }));
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: "joined" }));
    const { ETag } = await s3.send(
      new UploadPartCommand({ Bucket, Key: "joined", UploadId, PartNumber: 1, Body: bytes(LARGE, 99) }),
    );
    const answered: number[] = [];
    const writers = Array.from({ length: 4 }, async (_, writer) => {
      for (let i = writer; ; i += 4) {
        const Body = bytes(i % 2 ? LARGE : 500, i + 1);
        await s3.send(new PutObjectCommand({ Bucket, Key: `k${i}`, Body }));
        answered.push(i);
        if (answered.length === 40) void first.kill();
      }
    });
    // A body that stays unfinished when the server dies.
    const half = request(`${first.endpoint}/${Bucket}/half`, {
      method: "PUT",
      headers: { "content-length": 1_000_000 },
    });
    half.on("error", () => {});
    half.write(bytes(LARGE));
    await Promise.allSettled(writers);
    await first.kill();
    s3.destroy();
    // And one that was stored and never committed.
    await mkdir(join(dataDir, "blobs", "s3", "00"), { recursive: true });
    await writeFile(join(dataDir, "blobs", "s3", "00", "0000000000000000-0-0000000000000000~"), "orphan");

    const second = await serve();
    s3 = new S3Client(clientOptions(second.endpoint));
    try {
      for (const i of answered) {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: `k${i}` }));
        assert.deepEqual(
          Buffer.from((await Body?.transformToByteArray()) ?? []),
          bytes(i % 2 ? LARGE : 500, i + 1),
        );
      }
      const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
      await s3.send(new CompleteMultipartUploadCommand({ Bucket, Key: "joined", UploadId, MultipartUpload }));
      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
      assert.ok(!Contents.some(({ Key }) => Key === "half"));
      const blobs = Contents.filter(({ Size }) => Size === LARGE).length;
      // The sweep runs beside the first requests.
      while ((await blobFiles(dataDir)) !== blobs) await new Promise((resolve) => setTimeout(resolve, 20));
    } finally {
      s3.destroy();
      await second.terminate();
    }
  });
});

async function blobFiles(dataDir: string): Promise<number> {
  const entries = await readdir(join(dataDir, "blobs", "s3"), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).length;
}
