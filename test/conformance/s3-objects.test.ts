/** S3 objects: what goes in comes out, whole, in ranges, under conditions, and with its headers. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import type { PutObjectCommandInput } from "@aws-sdk/client-s3";
import { bytes, refused, startS3 } from "../harness/s3.ts";
import type { S3Server } from "../harness/s3.ts";

const md5 = (data: Buffer | string) => createHash("md5").update(data).digest("hex");

const hash = (algorithm: string, data: string) => createHash(algorithm).update(data).digest("base64");

describe("S3 objects", () => {
  let server: S3Server;
  let Bucket: string;
  before(async () => {
    server = await startS3();
    Bucket = await server.bucket();
  });
  after(() => server.stop());

  const put = (Key: string, Body: string | Buffer, extra: Partial<PutObjectCommandInput> = {}) =>
    server.s3.send(new PutObjectCommand({ Bucket, Key, Body, ...extra }));
  const get = (Key: string, extra: object = {}) =>
    server.s3.send(new GetObjectCommand({ Bucket, Key, ...extra }));
  const text = async (Key: string, extra: object = {}) => (await get(Key, extra)).Body?.transformToString();

  test("PutObject and GetObject keep bytes of every size, small and large", async () => {
    for (const size of [0, 1, 16 * 1024, 16 * 1024 + 1, 300_000]) {
      const data = bytes(size);
      const written = await put(`size-${size}`, data);
      assert.equal(written.ETag, `"${md5(data)}"`);
      const read = await get(`size-${size}`);
      assert.equal(read.ContentLength, size);
      assert.equal(read.ETag, `"${md5(data)}"`);
      assert.equal(read.AcceptRanges, "bytes");
      assert.deepEqual(Buffer.from((await read.Body?.transformToByteArray()) ?? []), data);
    }
  });

  test("PutObject keeps every kind of key", async () => {
    const keys = [
      "a b+c",
      "ümläut/😀",
      "quote'(1)*!~",
      "per%cent",
      "a//b",
      "/leading",
      "..",
      "a?b#c",
      "x".repeat(1_024),
      "<&>",
    ];
    for (const key of keys) {
      await put(key, key);
      assert.equal(await text(key), key);
    }
    await refused(put("é".repeat(513), "x"), "KeyTooLongError", 400, {
      message: "Your key is too long",
      members: { Size: "1026", MaxSizeAllowed: "1024" },
    });
  });

  test("PutObject keeps headers and metadata, and HeadObject tells them", async () => {
    const Expires = new Date("2030-01-01T00:00:00Z");
    const headers = {
      ContentType: "text/html; charset=utf-8",
      CacheControl: "max-age=60",
      ContentDisposition: 'attachment; filename="a.html"',
      ContentEncoding: "identity",
      ContentLanguage: "de-CH",
      Metadata: { colour: "blue", mixedcase: "Kept As Is" },
    };
    await put("headers", "<p>", { ...headers, Expires });
    for (const found of [
      await server.s3.send(new HeadObjectCommand({ Bucket, Key: "headers" })),
      await get("headers"),
    ]) {
      for (const [name, value] of Object.entries(headers))
        assert.deepEqual(found[name as keyof typeof found], value, name);
      assert.equal(found.ExpiresString, Expires.toUTCString());
      assert.equal(found.ContentLength, 3);
      assert.ok(found.LastModified instanceof Date);
    }
    await put("plain", "x");
    assert.equal((await get("plain")).ContentType, "application/octet-stream");
    const bare = await fetch(`${server.endpoint}/${Bucket}/bare`, { method: "PUT", body: Buffer.from("x") });
    assert.equal(bare.status, 200);
    assert.equal((await get("bare")).ContentType, "binary/octet-stream");
  });

  test("PutObject refuses metadata above 2 KB", async () => {
    await put("metadata", "x", { Metadata: { k: "v".repeat(2_047) } });
    await refused(put("metadata", "x", { Metadata: { k: "v".repeat(2_048) } }), "MetadataTooLarge", 400, {
      members: { Size: "2049", MaxSizeAllowed: "2048" },
    });
  });

  test("PutObject holds Content-MD5 against the body, and stores nothing that fails", async () => {
    const right = createHash("md5").update("x").digest("base64");
    await put("digest", "x", { ContentMD5: right });
    await refused(put("digest", "y", { ContentMD5: right }), "BadDigest", 400, {
      message: "The Content-MD5 you specified did not match what we received.",
      members: { ExpectedDigest: right },
    });
    await refused(put("digest", "y", { ContentMD5: "nonsense" }), "InvalidDigest", 400);
    assert.equal(await text("digest"), "x");
  });

  test("the storage class of an object is told wherever objects are; a copy has its own", async () => {
    const { s3 } = server;
    const own = await server.bucket();
    const at = (Key: string) => ({ Bucket: own, Key });
    const classOf = async (Key: string) => (await s3.send(new HeadObjectCommand(at(Key)))).StorageClass;
    // The name of a class in metadata makes none.
    const Metadata = { note: '"storageClass":"GLACIER_IR"' };
    await s3.send(new PutObjectCommand({ ...at("plain"), Body: "x", Metadata }));
    for (const StorageClass of ["STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR"] as const) {
      await s3.send(new PutObjectCommand({ ...at(StorageClass), Body: "x", StorageClass }));
      assert.equal(await classOf(StorageClass), StorageClass);
      assert.equal((await s3.send(new GetObjectCommand(at(StorageClass)))).StorageClass, StorageClass);
    }
    assert.equal(await classOf("plain"), undefined);
    const CopySource = `${own}/STANDARD_IA`;
    await s3.send(new CopyObjectCommand({ ...at("copy"), CopySource }));
    assert.equal(await classOf("copy"), undefined);
    const reduced = { CopySource, StorageClass: "REDUCED_REDUNDANCY" } as const;
    await s3.send(new CopyObjectCommand({ ...at("reduced"), ...reduced }));
    const StorageClass = "STANDARD_IA" as const;
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ ...at("parts"), StorageClass }));
    const uploads = await s3.send(new ListMultipartUploadsCommand({ Bucket: own }));
    assert.equal(uploads.Uploads?.[0]?.StorageClass, StorageClass);
    const upload = { ...at("parts"), UploadId };
    const { ETag } = await s3.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: "x" }));
    assert.equal((await s3.send(new ListPartsCommand(upload))).StorageClass, StorageClass);
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    await s3.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload }));
    const expected = {
      GLACIER_IR: "GLACIER_IR",
      INTELLIGENT_TIERING: "INTELLIGENT_TIERING",
      ONEZONE_IA: "ONEZONE_IA",
      STANDARD_IA: "STANDARD_IA",
      copy: "STANDARD",
      parts: "STANDARD_IA",
      plain: "STANDARD",
      reduced: "REDUCED_REDUNDANCY",
    };
    const { Contents: objects = [] } = await s3.send(new ListObjectsV2Command({ Bucket: own }));
    const { Versions: versions = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket: own }));
    for (const list of [objects, versions])
      assert.deepEqual(Object.fromEntries(list.map((one) => [one.Key, one.StorageClass])), expected);
    const attributes = new GetObjectAttributesCommand({
      ...at("reduced"),
      ObjectAttributes: ["StorageClass"],
    });
    assert.equal((await s3.send(attributes)).StorageClass, "REDUCED_REDUNDANCY");
  });

  test("PutObject refuses what it does not do, by name", async () => {
    const cases: [Partial<PutObjectCommandInput>, string, number, RegExp][] = [
      [{ ACL: "public-read" }, "AccessControlListNotSupported", 400, /does not allow ACLs/],
      [{ GrantRead: "id=1" }, "AccessControlListNotSupported", 400, /ACLs/],
      [{ ServerSideEncryption: "aws:kms", SSEKMSKeyId: "k" }, "NotImplemented", 501, /encryption/],
      [{ StorageClass: "GLACIER" }, "NotImplemented", 501, /GLACIER/],
      [{ StorageClass: "NONSENSE" as "GLACIER" }, "InvalidStorageClass", 400, /storage class/],
      [{ WebsiteRedirectLocation: "x" }, "InvalidRedirectLocation", 400, /prefix/],
      [{ ObjectLockLegalHoldStatus: "ON" }, "InvalidRequest", 400, /Object Lock/],
      [{ WriteOffsetBytes: 1 }, "NotImplemented", 501, /write-offset/],
      [{ ExpectedBucketOwner: "111122223333" }, "AccessDenied", 403, /Access Denied/],
    ];
    for (const [extra, name, status, message] of cases)
      await refused(put("refused", "x", extra), name, status, { message });
    await refused(get("refused"), "NoSuchKey", 404);
    await put("accepted", "x", {
      ACL: "bucket-owner-full-control",
      StorageClass: "STANDARD",
      ExpectedBucketOwner: "000000000000",
    });
    await put("accepted", "x", { ACL: "private" });
  });

  test("PutObject conditions: If-None-Match star, and If-Match", async () => {
    await put("once", "first", { IfNoneMatch: "*" });
    await refused(put("once", "second", { IfNoneMatch: "*" }), "PreconditionFailed", 412, {
      message: "At least one of the pre-conditions you specified did not hold",
      members: { Condition: "If-None-Match" },
    });
    await put("once", "third", { IfMatch: `"${md5("first")}"` });
    await refused(put("once", "x", { IfMatch: `"${md5("first")}"` }), "PreconditionFailed", 412);
    await refused(put("never", "x", { IfMatch: `"${md5("first")}"` }), "NoSuchKey", 404);
    await refused(put("once", "x", { IfNoneMatch: '"abc"' }), "NotImplemented", 501);
    assert.equal(await text("once"), "third");
    const racers = await Promise.allSettled(
      Array.from({ length: 8 }, (_, i) => put("race", `writer ${i}`, { IfNoneMatch: "*" })),
    );
    assert.equal(racers.filter(({ status }) => status === "fulfilled").length, 1);
  });

  test("PutObject at once from many: one of them is kept, whole", async () => {
    const bodies = Array.from({ length: 6 }, (_, i) => bytes(40_000, i + 1));
    await Promise.all(bodies.map((body) => put("contested", body)));
    const kept = Buffer.from((await (await get("contested")).Body?.transformToByteArray()) ?? []);
    assert.ok(bodies.some((body) => body.equals(kept)));
    await server.s3.send(new DeleteObjectCommand({ Bucket, Key: "contested" }));
  });

  test("PutObject without a length is refused", async () => {
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(Buffer.from("x"));
        controller.close();
      },
    });
    const response = await fetch(`${server.endpoint}/${Bucket}/lengthless`, {
      method: "PUT",
      body,
      duplex: "half",
    });
    assert.equal(response.status, 411);
    assert.match(await response.text(), /<Code>MissingContentLength<\/Code>/);
  });

  test("GetObject answers ranges with 206, and 416 where there is nothing", async () => {
    const data = bytes(50_000);
    await put("range", data);
    const cases: [string, number, number][] = [
      ["bytes=0-0", 0, 0],
      ["bytes=100-199", 100, 199],
      ["bytes=49999-", 49_999, 49_999],
      ["bytes=-10", 49_990, 49_999],
      ["bytes=49000-99999", 49_000, 49_999],
    ];
    for (const [Range, start, end] of cases) {
      const part = await get("range", { Range });
      assert.equal(part.$metadata.httpStatusCode, 206);
      assert.equal(part.ContentRange, `bytes ${start}-${end}/50000`);
      assert.equal(part.ContentLength, end - start + 1);
      assert.deepEqual(
        Buffer.from((await part.Body?.transformToByteArray()) ?? []),
        data.subarray(start, end + 1),
      );
    }
    const whole = await get("range", { Range: "bytes=0-1,3-4" });
    assert.equal(whole.$metadata.httpStatusCode, 200);
    assert.equal((await whole.Body?.transformToByteArray())?.length, 50_000);
    const error = await refused(get("range", { Range: "bytes=50000-" }), "InvalidRange", 416, {
      message: "The requested range is not satisfiable",
      members: { RangeRequested: "bytes=50000-", ActualObjectSize: "50000" },
    });
    assert.equal(error.$fault, "client");
    await put("empty", "");
    await refused(get("empty", { Range: "bytes=0-" }), "InvalidRange", 416);
    const headed = await server.s3.send(new HeadObjectCommand({ Bucket, Key: "range", Range: "bytes=0-9" }));
    assert.equal(headed.ContentLength, 10);
    assert.equal((await get("range", { PartNumber: 1 })).ContentRange, "bytes 0-49999/50000");
    await refused(get("range", { PartNumber: 2 }), "InvalidPartNumber", 416);
    await refused(get("range", { PartNumber: 1, Range: "bytes=0-1" }), "InvalidRequest", 400);
  });

  test("GetObject conditions: 304 and 412", async () => {
    const { ETag = "" } = await put("conditional", "x");
    const past = new Date(Date.now() - 3_600_000);
    const future = new Date(Date.now() + 3_600_000);
    assert.equal(await text("conditional", { IfMatch: ETag }), "x");
    assert.equal(await text("conditional", { IfNoneMatch: '"other"' }), "x");
    assert.equal(await text("conditional", { IfModifiedSince: past }), "x");
    assert.equal(await text("conditional", { IfMatch: ETag, IfUnmodifiedSince: past }), "x");
    await refused(get("conditional", { IfMatch: '"other"' }), "PreconditionFailed", 412, {
      members: { Condition: "If-Match" },
    });
    await refused(get("conditional", { IfUnmodifiedSince: past }), "PreconditionFailed", 412);
    for (const extra of [
      { IfNoneMatch: ETag },
      { IfModifiedSince: future },
      { IfNoneMatch: ETag, IfModifiedSince: past },
    ]) {
      const error = (await get("conditional", extra).catch((thrown: unknown) => thrown)) as {
        $metadata: { httpStatusCode: number };
        $response: { headers: Record<string, string> };
      };
      assert.equal(error.$metadata.httpStatusCode, 304);
      assert.equal(error.$response.headers["etag"], ETag);
    }
    const head = server.s3.send(new HeadObjectCommand({ Bucket, Key: "conditional", IfMatch: '"other"' }));
    assert.equal(
      ((await head.catch((e: unknown) => e)) as { $metadata: { httpStatusCode: number } }).$metadata
        .httpStatusCode,
      412,
    );
  });

  test("GetObject answers with the headers that the caller asks for", async () => {
    await put("overridden", "x", { ContentType: "text/plain" });
    const read = await get("overridden", {
      ResponseContentType: "image/png",
      ResponseContentDisposition: "inline",
      ResponseCacheControl: "no-cache",
      ResponseContentLanguage: "fr",
      ResponseContentEncoding: "identity",
      ResponseExpires: new Date("2031-01-01T00:00:00Z"),
    });
    assert.equal(read.ContentType, "image/png");
    assert.equal(read.ContentDisposition, "inline");
    assert.equal(read.CacheControl, "no-cache");
    assert.equal(read.ContentLanguage, "fr");
    assert.equal(read.ContentEncoding, "identity");
    assert.equal(read.ExpiresString, new Date("2031-01-01T00:00:00Z").toUTCString());
  });

  test("GetObject and HeadObject of what is not there", async () => {
    await refused(get("missing"), "NoSuchKey", 404, {
      message: "The specified key does not exist.",
      members: { Key: "missing" },
    });
    await refused(server.s3.send(new HeadObjectCommand({ Bucket, Key: "missing" })), "NotFound", 404);
    await refused(server.s3.send(new GetObjectCommand({ Bucket: "missing", Key: "k" })), "NoSuchBucket", 404);
    await refused(get("missing", { VersionId: "nonsense" }), "InvalidArgument", 400, {
      message: "Invalid version id specified",
    });
  });

  test("GetObjectAttributes tells what is asked for, and nothing else", async () => {
    await put("attributes", "hello");
    const attributes = (
      ...ObjectAttributes: ("ETag" | "Checksum" | "ObjectParts" | "StorageClass" | "ObjectSize")[]
    ) => server.s3.send(new GetObjectAttributesCommand({ Bucket, Key: "attributes", ObjectAttributes }));
    const all = await attributes("ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize");
    assert.equal(all.ETag, md5("hello"));
    assert.equal(all.ObjectSize, 5);
    assert.equal(all.StorageClass, "STANDARD");
    assert.equal(all.Checksum?.ChecksumType, "FULL_OBJECT");
    assert.ok(all.Checksum?.ChecksumCRC32);
    assert.equal(all.ObjectParts, undefined);
    const one = await attributes("ObjectSize");
    assert.deepEqual(
      [one.ObjectSize, one.ETag, one.Checksum, one.StorageClass],
      [5, undefined, undefined, undefined],
    );
    await refused(attributes("Nonsense" as "ETag"), "InvalidArgument", 400);
  });

  test("DeleteObject removes, succeeds on what is not there, and takes conditions", async () => {
    await put("deleted", bytes(20_000));
    const remove = (extra: object = {}) =>
      server.s3.send(new DeleteObjectCommand({ Bucket, Key: "deleted", ...extra }));
    await refused(remove({ IfMatch: '"other"' }), "PreconditionFailed", 412);
    const answer = await remove({ IfMatch: `"${md5(bytes(20_000))}"` });
    assert.equal(answer.$metadata.httpStatusCode, 204);
    assert.deepEqual([answer.DeleteMarker, answer.VersionId], [undefined, undefined]);
    await refused(get("deleted"), "NoSuchKey", 404);
    assert.equal((await remove()).$metadata.httpStatusCode, 204);
    await refused(remove({ IfMatch: "*" }), "PreconditionFailed", 412);
    await refused(remove({ BypassGovernanceRetention: true }), "InvalidArgument", 400);
    await refused(remove({ IfMatchSize: 5 }), "NotImplemented", 501);
  });

  test("DeleteObjects removes many, with a result for each", async () => {
    for (const key of ["many/1", "many/2", "many/3"]) await put(key, key);
    const remove = (Objects: { Key: string; VersionId?: string; ETag?: string }[], Quiet = false) =>
      server.s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet } }));
    const answer = await remove([
      { Key: "many/1" },
      { Key: "many/missing" },
      { Key: "many/2", ETag: '"other"' },
      { Key: "many/3", VersionId: "nonsense" },
    ]);
    assert.deepEqual(answer.Deleted, [{ Key: "many/1" }, { Key: "many/missing" }]);
    assert.deepEqual(
      answer.Errors?.map(({ Key, Code }) => [Key, Code]),
      [
        ["many/2", "PreconditionFailed"],
        ["many/3", "InvalidArgument"],
      ],
    );
    const quiet = await remove([{ Key: "many/2" }, { Key: "many/3" }], true);
    assert.equal(quiet.Deleted, undefined);
    assert.equal(quiet.Errors, undefined);
    await refused(get("many/2"), "NoSuchKey", 404);
    const tooMany = Array.from({ length: 1_001 }, (_, i) => ({ Key: `k${i}` }));
    await refused(remove(tooMany), "MalformedXML", 400);
    assert.equal((await remove(tooMany.slice(1))).Deleted?.length, 1_000);
    const bare = await fetch(`${server.endpoint}/${Bucket}?delete`, {
      method: "POST",
      body: "<Delete><Object><Key>k</Key></Object></Delete>",
    });
    assert.match(await bare.text(), /Missing required header for this request: Content-MD5/);
  });

  test("PutObject over an object and DeleteObject leave no blob behind", async () => {
    const own = await server.bucket();
    const before = blobCount(server.dataDir);
    for (let i = 0; i < 3; i++)
      await server.s3.send(new PutObjectCommand({ Bucket: own, Key: "k", Body: bytes(30_000, i + 1) }));
    await settled(() => blobCount(server.dataDir) === before + 1);
    const again = { Bucket: own, Key: "k", Body: bytes(30_000) };
    await refused(
      server.s3.send(new PutObjectCommand({ ...again, IfNoneMatch: "*" })),
      "PreconditionFailed",
      412,
    );
    await refused(
      server.s3.send(new PutObjectCommand({ ...again, ChecksumSHA1: hash("sha1", "other") })),
      "BadDigest",
      400,
    );
    await settled(() => blobCount(server.dataDir) === before + 1);
    await server.s3.send(new DeleteObjectCommand({ Bucket: own, Key: "k" }));
    await settled(() => blobCount(server.dataDir) === before);
  });
});

function blobCount(dataDir: string): number {
  return readdirSync(join(dataDir, "blobs", "s3"), { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  ).length;
}

/** Waits for what happens right after an answer; fails by the test's own time limit. */
async function settled(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}
