/** S3 multipart uploads: parts, their order and size, what they join to, and reading them back. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { crc32 } from "node:zlib";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import type { ChecksumAlgorithm, CompletedPart, CreateMultipartUploadCommandInput } from "@aws-sdk/client-s3";
import { bytes, refused, startS3 } from "../harness/s3.ts";
import type { S3Server } from "../harness/s3.ts";

const MIN = 5 * 1024 * 1024;
const FIRST = bytes(MIN, 1);
const SECOND = bytes(MIN, 2);
const LAST = bytes(1_000, 3);
const WHOLE = Buffer.concat([FIRST, SECOND, LAST]);

const md5 = (data: Buffer) => createHash("md5").update(data).digest();
const etagOf = (...parts: Buffer[]) =>
  `"${md5(Buffer.concat(parts.map(md5))).toString("hex")}-${parts.length}"`;
const word = (value: number) => {
  const out = Buffer.alloc(4);
  out.writeUInt32BE(value);
  return out;
};

describe("S3 multipart", () => {
  let server: S3Server;
  let Bucket: string;
  before(async () => {
    server = await startS3();
    Bucket = await server.bucket();
  });
  after(() => server.stop());

  const begin = async (Key: string, extra: Partial<CreateMultipartUploadCommandInput> = {}) => {
    const { UploadId } = await server.s3.send(new CreateMultipartUploadCommand({ Bucket, Key, ...extra }));
    assert.ok(UploadId);
    return UploadId;
  };
  const part = async (
    Key: string,
    UploadId: string,
    PartNumber: number,
    Body: Buffer,
    ChecksumAlgorithm?: ChecksumAlgorithm,
  ): Promise<CompletedPart> => {
    const { $metadata: _, ...answer } = await server.s3.send(
      new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body, ChecksumAlgorithm }),
    );
    return { ...answer, PartNumber };
  };
  const complete = (Key: string, UploadId: string, Parts: CompletedPart[], extra: object = {}) =>
    server.s3.send(
      new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts }, ...extra }),
    );
  const read = async (Key: string, extra: object = {}) => {
    const answer = await server.s3.send(new GetObjectCommand({ Bucket, Key, ...extra }));
    return { ...answer, data: Buffer.from((await answer.Body?.transformToByteArray()) ?? []) };
  };
  const upload = async (Key: string, extra: Partial<CreateMultipartUploadCommandInput> = {}) => {
    const id = await begin(Key, extra);
    const algorithm = extra.ChecksumAlgorithm;
    const parts = [
      await part(Key, id, 1, FIRST, algorithm),
      await part(Key, id, 2, SECOND, algorithm),
      await part(Key, id, 3, LAST, algorithm),
    ];
    return { id, parts, answer: await complete(Key, id, parts) };
  };

  test("CreateMultipartUpload, UploadPart and CompleteMultipartUpload make one object", async () => {
    const extra = { ContentType: "image/png", Metadata: { a: "b" }, Tagging: "k=v" };
    const { answer, id, parts } = await upload("joined/é", extra);
    assert.equal(answer.ETag, etagOf(FIRST, SECOND, LAST));
    assert.equal(answer.Bucket, Bucket);
    assert.equal(answer.Key, "joined/é");
    assert.match(answer.Location ?? "", /joined/);
    const found = await read("joined/é");
    assert.ok(found.data.equals(WHOLE));
    assert.deepEqual([found.ContentType, found.Metadata, found.TagCount], ["image/png", { a: "b" }, 1]);
    const tags = await server.s3.send(new GetObjectTaggingCommand({ Bucket, Key: "joined/é" }));
    assert.deepEqual(tags.TagSet, [{ Key: "k", Value: "v" }]);
    // The answer may have been lost: asked again, it is given again.
    assert.equal((await complete("joined/é", id, parts)).ETag, answer.ETag);
    await refused(part("joined/é", id, 1, LAST), "NoSuchUpload", 404);
  });

  test("GetObject reads ranges over the borders of parts, and parts by number", async () => {
    await upload("ranges");
    const edge = MIN - 3;
    for (const [start, end] of [
      [edge, MIN + 2],
      [0, 2 * MIN + 5],
      [2 * MIN, WHOLE.length - 1],
    ] as const) {
      const { data, ContentRange } = await read("ranges", { Range: `bytes=${start}-${end}` });
      assert.ok(data.equals(WHOLE.subarray(start, end + 1)));
      assert.equal(ContentRange, `bytes ${start}-${end}/${WHOLE.length}`);
    }
    const second = await read("ranges", { PartNumber: 2 });
    assert.ok(second.data.equals(SECOND));
    assert.deepEqual([second.PartsCount, second.$metadata.httpStatusCode], [3, 206]);
    const head = await server.s3.send(new HeadObjectCommand({ Bucket, Key: "ranges", PartNumber: 3 }));
    assert.deepEqual([head.ContentLength, head.PartsCount], [LAST.length, 3]);
    await refused(read("ranges", { PartNumber: 4 }), "InvalidPartNumber", 416);
  });

  test("CompleteMultipartUpload joins checksums: composite by default, full object on request", async () => {
    const composite = await upload("composite", { ChecksumAlgorithm: "CRC32" });
    const joined = word(crc32(Buffer.concat([FIRST, SECOND, LAST].map((data) => word(crc32(data))))));
    assert.equal(composite.answer.ChecksumCRC32, `${joined.toString("base64")}-3`);
    assert.equal(composite.answer.ChecksumType, "COMPOSITE");
    const full = await upload("full", { ChecksumAlgorithm: "CRC32", ChecksumType: "FULL_OBJECT" });
    assert.equal(full.answer.ChecksumCRC32, word(crc32(WHOLE)).toString("base64"));
    assert.equal(full.answer.ChecksumType, "FULL_OBJECT");
    const head = await server.s3.send(
      new HeadObjectCommand({ Bucket, Key: "full", ChecksumMode: "ENABLED" }),
    );
    assert.equal(head.ChecksumCRC32, full.answer.ChecksumCRC32);
    const sha = await upload("sha", { ChecksumAlgorithm: "SHA256" });
    assert.match(sha.answer.ChecksumSHA256 ?? "", /^[A-Za-z0-9+/]{43}=-3$/);
    const { ObjectParts } = await server.s3.send(
      new GetObjectAttributesCommand({ Bucket, Key: "sha", ObjectAttributes: ["ObjectParts"], MaxParts: 2 }),
    );
    assert.equal(ObjectParts?.TotalPartsCount, 3);
    assert.equal(ObjectParts?.IsTruncated, true);
    assert.deepEqual(
      ObjectParts?.Parts?.map(({ PartNumber, Size, ChecksumSHA256 }) => [PartNumber, Size, ChecksumSHA256]),
      sha.parts.slice(0, 2).map(({ PartNumber, ChecksumSHA256 }) => [PartNumber, MIN, ChecksumSHA256]),
    );
  });

  test("CreateMultipartUpload refuses checksums that do not go together", async () => {
    await refused(
      begin("x", { ChecksumAlgorithm: "SHA1", ChecksumType: "FULL_OBJECT" }),
      "InvalidRequest",
      400,
      {
        message: "The FULL_OBJECT checksum type cannot be used with the sha1 checksum algorithm.",
      },
    );
    await refused(begin("x", { ChecksumAlgorithm: "XXHASH64" }), "NotImplemented", 501, {
      message: /XXHASH64/,
    });
    await refused(begin("x", { ServerSideEncryption: "aws:kms" }), "NotImplemented", 501);
    const id = await begin("mismatch", { ChecksumAlgorithm: "SHA256" });
    const wrong = new UploadPartCommand({
      Bucket,
      Key: "mismatch",
      UploadId: id,
      PartNumber: 1,
      Body: LAST,
      ChecksumCRC32C: "AAAAAA==",
    });
    await refused(server.s3.send(wrong), "InvalidRequest", 400, {
      message:
        "Checksum Type mismatch occurred, expected checksum Type: sha256, actual checksum Type: crc32c",
    });
  });

  test("CompleteMultipartUpload refuses wrong order, unknown parts, small parts, empty lists", async () => {
    const id = await begin("refused");
    const first = await part("refused", id, 1, LAST);
    const second = await part("refused", id, 2, LAST);
    await refused(complete("refused", id, [second, first]), "InvalidPartOrder", 400, {
      message: /^The list of parts was not in ascending order/,
    });
    await refused(complete("refused", id, [first, { ...second, PartNumber: 9 }]), "InvalidPart", 400, {
      message: /^One or more of the specified parts could not be found/,
      members: { PartNumber: "9", UploadId: id },
    });
    await refused(complete("refused", id, [{ ...first, ETag: '"0"' }]), "InvalidPart", 400);
    await refused(complete("refused", id, [first, second]), "EntityTooSmall", 400, {
      message: "Your proposed upload is smaller than the minimum allowed size",
      members: { ProposedSize: "1000", MinSizeAllowed: "5242880", PartNumber: "1" },
    });
    await refused(complete("refused", id, []), "MalformedXML", 400);
    await refused(complete("refused", id, [first], { MpuObjectSize: 5 }), "InvalidRequest", 400);
    await refused(complete("refused", "nonsense", [first]), "NoSuchUpload", 404, {
      members: { UploadId: "nonsense" },
    });
    await refused(part("refused", id, 10_001, LAST), "InvalidArgument", 400, {
      message: "Part number must be an integer between 1 and 10000, inclusive",
    });
    // After all that the upload is still there, and one part alone may be small.
    assert.equal((await complete("refused", id, [first])).ETag, etagOf(LAST));
    assert.ok((await read("refused")).data.equals(LAST));
  });

  test("CompleteMultipartUpload takes conditions", async () => {
    await server.s3.send(new PutObjectCommand({ Bucket, Key: "conditional", Body: "x" }));
    const id = await begin("conditional");
    const parts = [await part("conditional", id, 1, LAST)];
    await refused(complete("conditional", id, parts, { IfNoneMatch: "*" }), "PreconditionFailed", 412);
    await complete("conditional", id, parts, { IfMatch: `"${md5(Buffer.from("x")).toString("hex")}"` });
    assert.ok((await read("conditional")).data.equals(LAST));
  });

  test("UploadPart again replaces the part, and ListParts tells pages of them", async () => {
    const id = await begin("listed", { ChecksumAlgorithm: "CRC32" });
    await part("listed", id, 7, SECOND);
    for (const number of [7, 2, 5]) await part("listed", id, number, LAST);
    const list = (extra: object = {}) =>
      server.s3.send(new ListPartsCommand({ Bucket, Key: "listed", UploadId: id, ...extra }));
    const all = await list();
    assert.deepEqual(
      all.Parts?.map(({ PartNumber, Size }) => [PartNumber, Size]),
      [
        [2, 1_000],
        [5, 1_000],
        [7, 1_000],
      ],
    );
    assert.deepEqual(
      [all.IsTruncated, all.ChecksumAlgorithm, all.ChecksumType],
      [false, "CRC32", "COMPOSITE"],
    );
    assert.equal(all.Parts?.[0]?.ChecksumCRC32, word(crc32(LAST)).toString("base64"));
    const page = await list({ MaxParts: 2 });
    assert.deepEqual([page.IsTruncated, page.NextPartNumberMarker, page.Parts?.length], [true, "5", 2]);
    const rest = await list({ PartNumberMarker: page.NextPartNumberMarker });
    assert.deepEqual(
      rest.Parts?.map(({ PartNumber }) => PartNumber),
      [7],
    );
    await refused(
      server.s3.send(new ListPartsCommand({ Bucket, Key: "other", UploadId: id })),
      "NoSuchUpload",
      404,
    );
  });

  test("CompleteMultipartUpload of one empty part is an empty object", async () => {
    const id = await begin("empty");
    await complete("empty", id, [await part("empty", id, 1, Buffer.alloc(0))]);
    const whole = await read("empty");
    assert.deepEqual([whole.ContentLength, whole.data.length], [0, 0]);
    const one = await read("empty", { PartNumber: 1 });
    assert.deepEqual([one.ContentLength, one.data.length, one.PartsCount], [0, 0, 1]);
  });

  test("GetObject of a multipart object goes on while it is replaced", async () => {
    await upload("replaced");
    const reading = await server.s3.send(new GetObjectCommand({ Bucket, Key: "replaced" }));
    await server.s3.send(new PutObjectCommand({ Bucket, Key: "replaced", Body: "new" }));
    const data = Buffer.from((await reading.Body?.transformToByteArray()) ?? []);
    assert.ok(data.equals(WHOLE));
    assert.equal((await read("replaced")).data.toString(), "new");
  });

  test("AbortMultipartUpload ends an upload", async () => {
    const id = await begin("aborted");
    await part("aborted", id, 1, LAST);
    const abort = (UploadId: string) =>
      server.s3.send(new AbortMultipartUploadCommand({ Bucket, Key: "aborted", UploadId }));
    const IfMatchInitiatedTime = new Date(0);
    const ifOld = { Bucket, Key: "aborted", UploadId: id, IfMatchInitiatedTime };
    await refused(server.s3.send(new AbortMultipartUploadCommand(ifOld)), "NotImplemented", 501);
    assert.equal((await abort(id)).$metadata.httpStatusCode, 204);
    await refused(abort(id), "NoSuchUpload", 404, { members: { UploadId: id } });
    await refused(part("aborted", id, 1, LAST), "NoSuchUpload", 404);
  });

  test("ListMultipartUploads: by key and age, with prefix, delimiter and pages", async () => {
    const own = await server.bucket();
    const start = async (Key: string) =>
      (await server.s3.send(new CreateMultipartUploadCommand({ Bucket: own, Key }))).UploadId;
    const ids = {
      b1: await start("b"),
      b2: await start("b"),
      a: await start("a"),
      deep: await start("dir/x"),
    };
    await start("dir/y");
    const list = (extra: object = {}) =>
      server.s3.send(new ListMultipartUploadsCommand({ Bucket: own, ...extra }));
    const all = await list({ Delimiter: "/" });
    assert.deepEqual(
      all.Uploads?.map(({ UploadId }) => UploadId),
      [ids.a, ids.b1, ids.b2],
    );
    assert.deepEqual(all.CommonPrefixes, [{ Prefix: "dir/" }]);
    assert.deepEqual(
      (await list({ Prefix: "dir/" })).Uploads?.map(({ Key }) => Key),
      ["dir/x", "dir/y"],
    );
    const seen: (string | undefined)[] = [];
    let markers: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } = {};
    for (;;) {
      const page = await list({ MaxUploads: 1, ...markers });
      seen.push(...(page.Uploads ?? []).map(({ Key }) => Key));
      if (!page.IsTruncated) break;
      markers = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
    }
    assert.deepEqual(seen, ["a", "b", "b", "dir/x", "dir/y"]);
  });

  test("UploadPartCopy takes its bytes from another object", async () => {
    await upload("source");
    const id = await begin("copied", { ChecksumAlgorithm: "CRC32" });
    const copy = (PartNumber: number, CopySourceRange?: string, extra: object = {}) =>
      server.s3.send(
        new UploadPartCopyCommand({
          Bucket,
          Key: "copied",
          UploadId: id,
          PartNumber,
          CopySource: `${Bucket}/source`,
          CopySourceRange,
          ...extra,
        }),
      );
    const [first, second] = [await copy(1, `bytes=10-${MIN + 9}`), await copy(2)];
    const parts = [first, second].map(({ CopyPartResult }, index) => ({
      ETag: CopyPartResult?.ETag,
      ChecksumCRC32: CopyPartResult?.ChecksumCRC32,
      PartNumber: index + 1,
    }));
    const size = MIN + WHOLE.length;
    await complete("copied", id, parts, { MpuObjectSize: size });
    assert.ok((await read("copied")).data.equals(Buffer.concat([WHOLE.subarray(10, MIN + 10), WHOLE])));
    const other = await begin("copied");
    const failing = (CopySourceRange: string, extra: object = {}) =>
      server.s3.send(
        new UploadPartCopyCommand({
          Bucket,
          Key: "copied",
          UploadId: other,
          PartNumber: 1,
          CopySource: `${Bucket}/source`,
          CopySourceRange,
          ...extra,
        }),
      );
    await refused(failing("bytes=0-"), "InvalidArgument", 400, {
      message: /must be of the form bytes=first-last/,
    });
    await refused(failing(`bytes=0-${WHOLE.length}`), "InvalidArgument", 400, {
      message: `Range specified is not valid for source object of size: ${WHOLE.length}`,
    });
    await refused(failing("bytes=0-9", { CopySource: `${Bucket}/missing` }), "NoSuchKey", 404);
    await refused(failing("bytes=0-9", { CopySourceIfMatch: '"x"' }), "PreconditionFailed", 412);
  });
});
