/** S3 with authentication on: signed streams, presigned URLs, tampering, and requests that nobody signed. */
import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { after, before, describe, test } from "node:test";
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { start } from "../../src/index.ts";
import type { Running } from "../../src/index.ts";
import { rootOptions } from "../harness/server.ts";
import { bytes, refused } from "../harness/s3.ts";

const Bucket = "signed-bucket";
const KEYS = ["plain", "a b+c%/é'(1)*!~", "dir//x", "ü/😀"];

describe("S3 with authentication", () => {
  let server: Running;
  let s3: S3Client;
  before(async () => {
    server = await start({ auth: "on", sandbox: "process" });
    s3 = new S3Client(await rootOptions(server));
    await s3.send(new CreateBucketCommand({ Bucket }));
  });
  after(async () => {
    s3?.destroy();
    await server?.stop();
  });

  const sign = (command: PutObjectCommand | GetObjectCommand, expiresIn = 60) =>
    getSignedUrl(s3, command as never, { expiresIn });

  test("PutObject and GetObject, signed and presigned, for every kind of key", async () => {
    for (const Key of KEYS) {
      await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
      const signed = await s3.send(new GetObjectCommand({ Bucket, Key }));
      assert.equal(await signed.Body?.transformToString(), Key);
      const put = await fetch(await sign(new PutObjectCommand({ Bucket, Key })), {
        method: "PUT",
        body: `again ${Key}`,
      });
      assert.equal(put.status, 200, await put.text());
      const get = await fetch(await sign(new GetObjectCommand({ Bucket, Key })));
      assert.equal(await get.text(), `again ${Key}`);
    }
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
    assert.deepEqual(new Set(Contents.map(({ Key }) => Key)), new Set(KEYS));
  });

  test("PutObject of a stream", async () => {
    const data = bytes(500_000);
    await s3.send(
      new PutObjectCommand({
        Bucket,
        Key: "stream",
        Body: Readable.from([data]),
        ContentLength: data.length,
      }),
    );
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: "stream" }));
    assert.ok(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(data));
    await s3.send(new DeleteObjectCommand({ Bucket, Key: "stream" }));
  });

  test("GetObject by a URL that was changed, or by nobody, is denied", async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key: "secret", Body: "s" }));
    const url = await sign(new GetObjectCommand({ Bucket, Key: "plain" }));
    const changed = await fetch(url.replace("/plain?", "/secret?"));
    assert.equal(changed.status, 403);
    assert.match(await changed.text(), /<Code>SignatureDoesNotMatch<\/Code>/);
    for (const [method, path] of [
      ["GET", "secret"],
      ["PUT", "secret"],
      ["GET", ""],
    ] as const) {
      const bare = await fetch(`${server.endpoint}/${Bucket}/${path}`, {
        method,
        ...(method === "PUT" ? { body: "x" } : {}),
      });
      assert.equal(bare.status, 403);
      assert.match(await bare.text(), /<Code>AccessDenied<\/Code>/);
    }
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: "secret" }));
    assert.equal(await Body?.transformToString(), "s");
    await refused(s3.send(new GetObjectCommand({ Bucket, Key: "missing" })), "NoSuchKey", 404);
  });
});
