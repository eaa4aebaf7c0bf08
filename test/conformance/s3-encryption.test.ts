/** Server-side encryption: what is asked for is done, told, and nothing of it lies in the store as it was. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteBucketEncryptionCommand,
  GetBucketEncryptionCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutBucketEncryptionCommand,
  PutObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import type { ServerSideEncryptionRule } from "@aws-sdk/client-s3";
import { bytes, refused, startS3 } from "../harness/s3.ts";
import type { S3Server } from "../harness/s3.ts";

const SMALL = Buffer.from("a secret that lies in its row, a secret that lies in its row");
const LARGE = Buffer.alloc(100_000, "a secret that lies in a file of its own; ");
const PART = 5 * 1024 * 1024;
const AES = { ServerSideEncryption: "AES256" } as const;

describe("S3 encryption", () => {
  let dataDir: string;
  let server: S3Server;
  let Bucket: string;
  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "lambent-sse-"));
    server = await startS3({ dataDir });
    Bucket = await server.bucket();
  });
  after(async () => {
    await server?.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  const put = (Key: string, Body: Buffer, more: object = AES) =>
    server.s3.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
  const get = async (Key: string, Range?: string) => {
    const answer = await server.s3.send(new GetObjectCommand({ Bucket, Key, Range }));
    const body = Buffer.from((await answer.Body?.transformToByteArray()) ?? []);
    return { body, method: answer.ServerSideEncryption };
  };
  const method = async (Key: string) =>
    (await server.s3.send(new HeadObjectCommand({ Bucket, Key }))).ServerSideEncryption;
  /** Whether any file of the server's holds the words. */
  const lies = async (words: string) => {
    const files = await readdir(dataDir, { recursive: true, withFileTypes: true });
    const contents = files
      .filter((file) => file.isFile() && !file.parentPath.includes("sandboxes"))
      .map((file) => readFile(join(file.parentPath, file.name)));
    return (await Promise.all(contents)).some((content) => content.includes(words));
  };

  test("PutObject, GetObject and HeadObject: encrypted where it lies, whole and in ranges where it is read", async () => {
    for (const [key, body] of [
      ["small", SMALL],
      ["large", LARGE],
    ] as const) {
      assert.equal((await put(key, body)).ServerSideEncryption, "AES256");
      assert.deepEqual(await get(key), { body, method: "AES256" });
      assert.equal(await method(key), "AES256");
      for (const [first, last] of [
        [0, 0],
        [1, 30],
        [16, 31],
        [33, body.length - 1],
      ] as const)
        assert.deepEqual((await get(key, `bytes=${first}-${last}`)).body, body.subarray(first, last + 1));
    }
    await put("empty", Buffer.alloc(0));
    assert.deepEqual((await get("empty")).body, Buffer.alloc(0));
    assert.equal(await lies("a secret that lies"), false);
    await put("plain", Buffer.from("no secret at all"), {});
    assert.equal(await method("plain"), undefined);
    assert.equal(await lies("no secret at all"), true);
  });

  test("CopyObject encrypts what it is told to, and only that", async () => {
    await put("source", SMALL);
    const copy = (Key: string, more: object = {}) =>
      server.s3.send(new CopyObjectCommand({ Bucket, Key, CopySource: `${Bucket}/source`, ...more }));
    assert.equal((await copy("sealed", AES)).ServerSideEncryption, "AES256");
    assert.equal((await copy("open")).ServerSideEncryption, undefined);
    assert.deepEqual(await get("sealed"), { body: SMALL, method: "AES256" });
    assert.deepEqual(await get("open"), { body: SMALL, method: undefined });
    await copy("source", AES);
  });

  test("CreateMultipartUpload encrypts all parts, uploaded and copied", async () => {
    const first = bytes(PART, 7);
    const begun = await server.s3.send(new CreateMultipartUploadCommand({ Bucket, Key: "parts", ...AES }));
    assert.equal(begun.ServerSideEncryption, "AES256");
    const upload = { Bucket, Key: "parts", UploadId: begun.UploadId };
    const one = await server.s3.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: first }));
    assert.equal(one.ServerSideEncryption, "AES256");
    await put("source", LARGE);
    const two = await server.s3.send(
      new UploadPartCopyCommand({ ...upload, PartNumber: 2, CopySource: `${Bucket}/source` }),
    );
    const Parts = [
      { PartNumber: 1, ETag: one.ETag },
      { PartNumber: 2, ETag: two.CopyPartResult?.ETag },
    ];
    const done = await server.s3.send(
      new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }),
    );
    assert.equal(done.ServerSideEncryption, "AES256");
    const whole = Buffer.concat([first, LARGE]);
    const got = await get("parts");
    assert.ok(got.body.equals(whole));
    assert.equal(got.method, "AES256");
    const range = await get("parts", `bytes=${PART - 21}-${PART + 40}`);
    assert.deepEqual(range.body, whole.subarray(PART - 21, PART + 41));
  });

  test("PutBucketEncryption, GetBucketEncryption and DeleteBucketEncryption: what a bucket does to those who ask for nothing", async () => {
    const configure = (...Rules: ServerSideEncryptionRule[]) =>
      server.s3.send(
        new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: { Rules } }),
      );
    const read = () => server.s3.send(new GetBucketEncryptionCommand({ Bucket }));
    const by = (SSEAlgorithm: "AES256" | "aws:kms", more: object = {}) => ({
      ApplyServerSideEncryptionByDefault: { SSEAlgorithm, ...more },
    });
    const absent = "ServerSideEncryptionConfigurationNotFoundError";
    await refused(read(), absent, 404);
    await refused(configure(), "MalformedXML", 400);
    await refused(configure({}), "MalformedXML", 400);
    await refused(configure(by("aws:kms")), "NotImplemented", 501, { message: /aws:kms/ });
    await refused(configure(by("AES256", { KMSMasterKeyID: "k" })), "InvalidArgument", 400);
    await configure(by("AES256"));
    assert.deepEqual((await read()).ServerSideEncryptionConfiguration?.Rules, [
      { ...by("AES256"), BucketKeyEnabled: false },
    ]);
    assert.equal((await put("default", SMALL, {})).ServerSideEncryption, "AES256");
    assert.deepEqual(await get("default"), { body: SMALL, method: "AES256" });
    await server.s3.send(new DeleteBucketEncryptionCommand({ Bucket }));
    await refused(read(), absent, 404);
    assert.equal((await put("default", SMALL, {})).ServerSideEncryption, undefined);
  });

  test("PutObject refuses keys of KMS and of customers by name", async () => {
    const key = Buffer.alloc(32, 1);
    for (const [more, message] of [
      [{ ServerSideEncryption: "aws:kms", SSEKMSKeyId: "k" }, /encryption/],
      [{ ServerSideEncryption: "aws:kms:dsse" }, /aws:kms:dsse/],
      [{ SSECustomerAlgorithm: "AES256", SSECustomerKey: key.toString("base64") }, /customer keys/],
    ] as const)
      await refused(put("refused", SMALL, more), "NotImplemented", 501, { message });
    await refused(put("refused", SMALL, { ServerSideEncryption: "ROT13" }), "InvalidArgument", 400, {
      message: "The encryption method specified is not supported",
    });
  });

  test("encrypted objects are there after a restart", async () => {
    await put("small", SMALL);
    await put("large", LARGE);
    await server.stop();
    server = await startS3({ dataDir });
    assert.deepEqual((await get("small")).body, SMALL);
    assert.deepEqual((await get("large")).body, LARGE);
  });
});
