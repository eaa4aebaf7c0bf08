/** S3 checksums: every algorithm, in headers and trailers, verified on the way in and told on the way out. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { after, before, describe, test } from "node:test";
import {
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
} from "@aws-sdk/client-s3";
import type { PutObjectCommandInput } from "@aws-sdk/client-s3";
import { bytes, refused, startS3 } from "../harness/s3.ts";
import type { S3Server } from "../harness/s3.ts";

const CHECK = "123456789";
const hash = (name: string) => createHash(name).update(CHECK).digest("base64");

/** Of the text 123456789: the CRCs are the catalogue's check values. */
const KNOWN = {
  ChecksumCRC32: Buffer.from("cbf43926", "hex").toString("base64"),
  ChecksumCRC32C: Buffer.from("e3069283", "hex").toString("base64"),
  ChecksumCRC64NVME: Buffer.from("ae8b14860a799888", "hex").toString("base64"),
  ChecksumSHA1: hash("sha1"),
  ChecksumSHA256: hash("sha256"),
  ChecksumSHA512: hash("sha512"),
  ChecksumMD5: hash("md5"),
} as const;

type Member = keyof typeof KNOWN;

describe("S3 checksums", () => {
  let server: S3Server;
  let Bucket: string;
  before(async () => {
    server = await startS3();
    Bucket = await server.bucket();
  });
  after(() => server.stop());

  const put = (Key: string, Body: string | Buffer | Readable, extra: Partial<PutObjectCommandInput> = {}) =>
    server.s3.send(new PutObjectCommand({ Bucket, Key, Body, ...extra }));

  test("PutObject verifies every algorithm's header and keeps its value", async () => {
    for (const [name, value] of Object.entries(KNOWN)) {
      const answer = await put(name, CHECK, { [name]: value });
      assert.equal(answer[name as Member], value);
      assert.equal(answer.ChecksumType, "FULL_OBJECT");
      const head = await server.s3.send(
        new HeadObjectCommand({ Bucket, Key: name, ChecksumMode: "ENABLED" }),
      );
      assert.equal(head[name as Member], value);
      assert.equal(head.ChecksumType, "FULL_OBJECT");
      const silent = await server.s3.send(new HeadObjectCommand({ Bucket, Key: name }));
      assert.equal(silent[name as Member], undefined);
    }
  });

  test("PutObject refuses a body that is not the checksum's, and keeps nothing of it", async () => {
    for (const [name, value] of Object.entries(KNOWN)) {
      const algorithm = name.slice("Checksum".length);
      await refused(put("wrong", "other", { [name]: value }), "BadDigest", 400, {
        message: `The ${algorithm} you specified did not match the calculated checksum.`,
      });
      await refused(put("wrong", CHECK, { [name]: "AA==" }), "InvalidRequest", 400, {
        message: `Value for x-amz-checksum-${algorithm.toLowerCase()} header is invalid.`,
      });
    }
    await refused(server.s3.send(new GetObjectCommand({ Bucket, Key: "wrong" })), "NoSuchKey", 404);
  });

  test("PutObject refuses two checksums, and an algorithm that is not computed here", async () => {
    const { ChecksumSHA1, ChecksumSHA256 } = KNOWN;
    await refused(put("two", CHECK, { ChecksumSHA1, ChecksumSHA256 }), "InvalidRequest", 400, {
      message: "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
    });
    await refused(put("xx", CHECK, { ChecksumXXHASH64: "AAAAAAAAAAA=" }), "NotImplemented", 501, {
      message: /XXHASH64/,
    });
  });

  test("PutObject of a stream: the trailing checksum is verified and kept", async () => {
    for (const [algorithm, member] of [
      ["CRC32", "ChecksumCRC32"],
      ["SHA256", "ChecksumSHA256"],
    ] as const) {
      const answer = await put("trailing", Readable.from([Buffer.from("1234"), Buffer.from("56789")]), {
        ChecksumAlgorithm: algorithm,
        ContentLength: 9,
      });
      assert.equal(answer[member], KNOWN[member]);
    }
    const large = bytes(1_000_000);
    await put("trailing", Readable.from(chunksOf(large, 70_000)), { ContentLength: large.length });
    const { Body, ContentEncoding } = await server.s3.send(new GetObjectCommand({ Bucket, Key: "trailing" }));
    assert.ok(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(large));
    assert.equal(ContentEncoding, undefined);
  });

  test("PutObject with a trailing checksum that is wrong keeps nothing", async () => {
    const chunked = (trailer: string) =>
      fetch(`${server.endpoint}/${Bucket}/badtrailer`, {
        method: "PUT",
        headers: {
          "content-encoding": "aws-chunked",
          "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
          "x-amz-decoded-content-length": "9",
          "x-amz-trailer": "x-amz-checksum-crc32",
        },
        body: `9\r\n${CHECK}\r\n0\r\nx-amz-checksum-crc32:${trailer}\r\n\r\n`,
      });
    const wrong = await chunked("AAAAAA==");
    assert.equal(wrong.status, 400);
    assert.match(await wrong.text(), /<Code>(BadDigest|XAmzContentChecksumMismatch)<\/Code>/);
    await refused(server.s3.send(new HeadObjectCommand({ Bucket, Key: "badtrailer" })), "NotFound", 404);
    assert.equal((await chunked(KNOWN.ChecksumCRC32)).status, 200);
  });

  test("PutObjectTagging and DeleteObjects hold digests against their documents", async () => {
    await put("kept", CHECK);
    const TagSet = [{ Key: "k", Value: "v" }];
    const tag = (extra: object) =>
      server.s3.send(new PutObjectTaggingCommand({ Bucket, Key: "kept", Tagging: { TagSet }, ...extra }));
    await tag({ ChecksumAlgorithm: "SHA256" });
    await refused(tag({ ContentMD5: KNOWN.ChecksumMD5 }), "BadDigest", 400, {
      members: { ExpectedDigest: KNOWN.ChecksumMD5 },
    });
    const response = await fetch(`${server.endpoint}/${Bucket}?delete`, {
      method: "POST",
      headers: { "x-amz-checksum-crc32": KNOWN.ChecksumCRC32 },
      body: "<Delete><Object><Key>kept</Key></Object></Delete>",
    });
    assert.match(await response.text(), /<Code>BadDigest<\/Code>/);
    await server.s3.send(new HeadObjectCommand({ Bucket, Key: "kept" }));
  });

  test("PutObject computes CRC64NVME where the caller names none", async () => {
    const response = await fetch(`${server.endpoint}/${Bucket}/default`, { method: "PUT", body: CHECK });
    assert.equal(response.headers.get("x-amz-checksum-crc64nvme"), KNOWN.ChecksumCRC64NVME);
    assert.equal(response.headers.get("x-amz-checksum-type"), "FULL_OBJECT");
  });

  test("GetObject tells the checksum with the whole object and not with a range", async () => {
    await put("ranged", CHECK, { ChecksumSHA256: KNOWN.ChecksumSHA256 });
    const read = (extra: object) =>
      server.s3.send(new GetObjectCommand({ Bucket, Key: "ranged", ChecksumMode: "ENABLED", ...extra }));
    assert.equal((await read({})).ChecksumSHA256, KNOWN.ChecksumSHA256);
    assert.equal((await read({ Range: "bytes=0-3" })).ChecksumSHA256, undefined);
  });
});

function* chunksOf(data: Buffer, size: number): Iterable<Buffer> {
  for (let at = 0; at < data.length; at += size) yield data.subarray(at, at + size);
}
