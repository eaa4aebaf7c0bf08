/** S3 copies and tags: directives, conditions, versions, and tag sets with their limits. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, test } from "node:test";
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteObjectTaggingCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
} from "@aws-sdk/client-s3";
import type { CopyObjectCommandInput } from "@aws-sdk/client-s3";
import { bytes, refused, startS3 } from "../harness/s3.ts";
import type { S3Server } from "../harness/s3.ts";

describe("S3 copies and tags", () => {
  let server: S3Server;
  let Bucket: string;
  before(async () => {
    server = await startS3();
    Bucket = await server.bucket();
  });
  after(() => server.stop());

  const put = (Key: string, Body: string | Buffer, extra: object = {}) =>
    server.s3.send(new PutObjectCommand({ Bucket, Key, Body, ...extra }));
  const copy = (from: string, Key: string, extra: Partial<CopyObjectCommandInput> = {}) =>
    server.s3.send(new CopyObjectCommand({ Bucket, Key, CopySource: `${Bucket}/${from}`, ...extra }));
  const tagsOf = async (Key: string) =>
    (await server.s3.send(new GetObjectTaggingCommand({ Bucket, Key }))).TagSet?.map(
      ({ Key, Value }) => `${Key}=${Value}`,
    );

  test("CopyObject copies bytes, headers, tags and checksum", async () => {
    const data = bytes(200_000);
    const made = await put("src/é +", data, {
      ContentType: "image/gif",
      Metadata: { a: "b" },
      Tagging: "k=v",
    });
    const source = `/${Bucket}/${encodeURIComponent("src/é +")}`;
    const answer = await copy("", "copied", { CopySource: source });
    assert.equal(answer.CopyObjectResult?.ETag, made.ETag);
    assert.ok(answer.CopyObjectResult?.LastModified instanceof Date);
    assert.equal(answer.CopyObjectResult?.ChecksumCRC32, made.ChecksumCRC32);
    const found = await server.s3.send(new GetObjectCommand({ Bucket, Key: "copied" }));
    assert.ok(Buffer.from((await found.Body?.transformToByteArray()) ?? []).equals(data));
    assert.deepEqual([found.ContentType, found.Metadata, found.TagCount], ["image/gif", { a: "b" }, 1]);
    const replaced = await copy("copied", "replaced", {
      MetadataDirective: "REPLACE",
      Metadata: { c: "d" },
      TaggingDirective: "REPLACE",
      Tagging: "x=y&z=",
      ChecksumAlgorithm: "SHA256",
    });
    assert.equal(
      replaced.CopyObjectResult?.ChecksumSHA256,
      createHash("sha256").update(data).digest("base64"),
    );
    const head = await server.s3.send(new HeadObjectCommand({ Bucket, Key: "replaced" }));
    assert.deepEqual([head.ContentType, head.Metadata], ["binary/octet-stream", { c: "d" }]);
    assert.deepEqual(await tagsOf("replaced"), ["x=y", "z="]);
  });

  test("CopyObject onto itself needs a change", async () => {
    await put("self", "x");
    await refused(copy("self", "self"), "InvalidRequest", 400, {
      message: /^This copy request is illegal because it is trying to copy an object to itself/,
    });
    await copy("self", "self", { MetadataDirective: "REPLACE", Metadata: { new: "yes" } });
    assert.deepEqual((await server.s3.send(new HeadObjectCommand({ Bucket, Key: "self" }))).Metadata, {
      new: "yes",
    });
  });

  test("CopyObject conditions answer 412, and write conditions hold too", async () => {
    const { ETag = "" } = await put("condition", "x");
    const future = new Date(Date.now() + 3_600_000);
    await copy("condition", "ok", { CopySourceIfMatch: ETag });
    await refused(copy("condition", "no", { CopySourceIfMatch: '"y"' }), "PreconditionFailed", 412);
    await refused(copy("condition", "no", { CopySourceIfNoneMatch: ETag }), "PreconditionFailed", 412);
    await refused(copy("condition", "no", { CopySourceIfModifiedSince: future }), "PreconditionFailed", 412);
    await refused(copy("condition", "ok", { IfNoneMatch: "*" }), "PreconditionFailed", 412);
    await refused(copy("missing", "no"), "NoSuchKey", 404, { members: { Key: "missing" } });
    await refused(copy("", "no", { CopySource: "nonsense" }), "InvalidArgument", 400, {
      message: /Copy Source must mention/,
    });
    await refused(copy("", "no", { CopySource: "no-such-bucket/k" }), "NoSuchBucket", 404);
    const accessPoint = "arn:aws:s3:us-east-1:000000000000:accesspoint/point/object/k";
    for (const CopySource of [accessPoint, encodeURIComponent(accessPoint)])
      await refused(copy("", "no", { CopySource }), "NotImplemented", 501, { message: /access points/ });
    await refused(copy("condition", "no", { ServerSideEncryption: "aws:kms" }), "NotImplemented", 501);
  });

  test("CopyObject from a version, over buckets and regions", async () => {
    const west = server.clientOf({ region: "eu-west-1" });
    await west.send(
      new CreateBucketCommand({
        Bucket: "copy-source",
        CreateBucketConfiguration: { LocationConstraint: "eu-west-1" },
      }),
    );
    await west.send(
      new PutBucketVersioningCommand({
        Bucket: "copy-source",
        VersioningConfiguration: { Status: "Enabled" },
      }),
    );
    const { VersionId } = await west.send(
      new PutObjectCommand({ Bucket: "copy-source", Key: "k", Body: "old" }),
    );
    await west.send(new PutObjectCommand({ Bucket: "copy-source", Key: "k", Body: "new" }));
    const answer = await copy("", "older", { CopySource: `copy-source/k?versionId=${VersionId}` });
    assert.equal(answer.CopySourceVersionId, VersionId);
    const { Body } = await server.s3.send(new GetObjectCommand({ Bucket, Key: "older" }));
    assert.equal(await Body?.transformToString(), "old");
  });

  test("PutObjectTagging, GetObjectTagging and DeleteObjectTagging", async () => {
    await put("tagged", "x", { Tagging: "first=1&second=a%20b" });
    assert.deepEqual(await tagsOf("tagged"), ["first=1", "second=a b"]);
    const tag = (TagSet: { Key: string; Value: string }[], Key = "tagged") =>
      server.s3.send(new PutObjectTaggingCommand({ Bucket, Key, Tagging: { TagSet } }));
    await tag([{ Key: "third", Value: "ü" }]);
    assert.deepEqual(await tagsOf("tagged"), ["third=ü"]);
    const many = Array.from({ length: 11 }, (_, i) => ({ Key: `k${i}`, Value: "" }));
    await refused(tag(many), "BadRequest", 400, { message: "Object tags cannot be greater than 10" });
    const one = (Key: string, Value = "v") => tag([{ Key, Value }]);
    await refused(one("k".repeat(129)), "InvalidTag", 400, {
      message: "The TagKey you have provided is invalid",
    });
    await refused(one("k", "v".repeat(257)), "InvalidTag", 400, {
      message: "The TagValue you have provided is invalid",
    });
    await refused(one("a%b"), "InvalidTag", 400);
    await refused(one("aws:k"), "InvalidTag", 400, { message: /System tags/ });
    await refused(
      tag([
        { Key: "k", Value: "1" },
        { Key: "k", Value: "2" },
      ]),
      "InvalidTag",
      400,
      { message: /same key/ },
    );
    await refused(tag([{ Key: "k", Value: "1" }], "missing"), "NoSuchKey", 404);
    await refused(put("tagged", "x", { Tagging: "k=1&k=2" }), "InvalidArgument", 400, {
      members: { ArgumentName: "x-amz-tagging" },
    });
    await server.s3.send(new DeleteObjectTaggingCommand({ Bucket, Key: "tagged" }));
    assert.deepEqual(
      (await server.s3.send(new GetObjectTaggingCommand({ Bucket, Key: "tagged" }))).TagSet ?? [],
      [],
    );
  });
});
