/** S3 listings: order, prefixes, delimiters, pages, encodings. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ListObjectsCommand, ListObjectsV2Command, PutObjectCommand } from "@aws-sdk/client-s3";
import { refused, startS3 } from "../harness/s3.ts";
import type { S3Server } from "../harness/s3.ts";

const KEYS = ["a", "b/1", "b/2", "b/c/3", "d e", "z", "é", "！", "😀"];

describe("S3 listings", () => {
  let server: S3Server;
  let Bucket: string;
  before(async () => {
    server = await startS3();
    Bucket = await server.bucket();
    for (const Key of KEYS.toReversed())
      await server.s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
  });
  after(() => server.stop());

  const v1 = (extra: object = {}) => server.s3.send(new ListObjectsCommand({ Bucket, ...extra }));
  const v2 = (extra: object = {}) => server.s3.send(new ListObjectsV2Command({ Bucket, ...extra }));
  const keys = (page: { Contents?: { Key?: string | undefined }[] | undefined }) =>
    page.Contents?.map(({ Key }) => Key);
  const prefixes = (page: { CommonPrefixes?: { Prefix?: string | undefined }[] | undefined }) =>
    page.CommonPrefixes?.map(({ Prefix }) => Prefix);

  test("ListObjectsV2 lists in the order of UTF-8 bytes", async () => {
    const page = await v2();
    assert.deepEqual(keys(page), KEYS);
    assert.deepEqual([page.KeyCount, page.MaxKeys, page.IsTruncated, page.Name], [9, 1_000, false, Bucket]);
    const [first] = page.Contents ?? [];
    assert.equal(first?.ETag, '"0cc175b9c0f1b6a831c399e269772661"');
    assert.deepEqual([first?.Size, first?.StorageClass, first?.Owner], [1, "STANDARD", undefined]);
    assert.deepEqual([first?.ChecksumAlgorithm, first?.ChecksumType], [["CRC32"], "FULL_OBJECT"]);
    assert.match((await v2({ FetchOwner: true })).Contents?.[0]?.Owner?.ID ?? "", /^[0-9a-f]{64}$/);
  });

  test("ListObjectsV2 rolls up what a delimiter follows", async () => {
    const top = await v2({ Delimiter: "/" });
    assert.deepEqual(
      keys(top),
      KEYS.filter((key) => !key.includes("/")),
    );
    assert.deepEqual(prefixes(top), ["b/"]);
    assert.equal(top.KeyCount, 7);
    const inner = await v2({ Delimiter: "/", Prefix: "b/" });
    assert.deepEqual([keys(inner), prefixes(inner)], [["b/1", "b/2"], ["b/c/"]]);
    assert.equal((await v2({ Prefix: "none" })).KeyCount, 0);
  });

  test("ListObjectsV2 goes on by token, from a key, and tells wrong tokens", async () => {
    const seen: (string | undefined)[] = [];
    let ContinuationToken: string | undefined;
    do {
      const page = await v2({ MaxKeys: 2, Delimiter: "/", ContinuationToken });
      assert.ok((page.KeyCount ?? 0) <= 2);
      seen.push(...(keys(page) ?? []), ...(prefixes(page) ?? []));
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken);
    assert.deepEqual(seen, ["a", "b/", "d e", "z", "é", "！", "😀"]);
    assert.deepEqual(keys(await v2({ StartAfter: "z" })), ["é", "！", "😀"]);
    assert.deepEqual(prefixes(await v2({ StartAfter: "b/1", Delimiter: "/" })), undefined);
    await refused(v2({ ContinuationToken: "nonsense" }), "InvalidArgument", 400, {
      message: "The continuation token provided is incorrect",
    });
    await refused(v2({ MaxKeys: -1 }), "InvalidArgument", 400, { members: { ArgumentName: "maxKeys" } });
    const none = await v2({ MaxKeys: 0 });
    assert.deepEqual([none.KeyCount, none.IsTruncated], [0, false]);
    assert.equal((await v2({ MaxKeys: 5_000 })).MaxKeys, 1_000);
    await refused(v2({ OptionalObjectAttributes: ["RestoreStatus"] }), "NotImplemented", 501);
  });

  test("ListObjectsV2 and ListObjects encode keys on request", async () => {
    const page = await v2({ EncodingType: "url", Prefix: "d" });
    assert.deepEqual([keys(page), page.EncodingType], [["d+e"], "url"]);
    assert.deepEqual(keys(await v1({ EncodingType: "url", Marker: "z" })), [
      "%C3%A9",
      "%EF%BC%81",
      "%F0%9F%98%80",
    ]);
    await refused(v2({ EncodingType: "nonsense" }), "InvalidArgument", 400);
  });

  test("ListObjects: markers, and the next one with a delimiter alone", async () => {
    const all = await v1();
    assert.deepEqual(keys(all), KEYS);
    assert.match(all.Contents?.[0]?.Owner?.ID ?? "", /^[0-9a-f]{64}$/);
    const plain = await v1({ MaxKeys: 2 });
    assert.deepEqual([keys(plain), plain.IsTruncated, plain.NextMarker], [["a", "b/1"], true, undefined]);
    assert.deepEqual(keys(await v1({ Marker: "b/1", MaxKeys: 1 })), ["b/2"]);
    const rolled = await v1({ MaxKeys: 2, Delimiter: "/" });
    assert.deepEqual([keys(rolled), prefixes(rolled), rolled.NextMarker], [["a"], ["b/"], "b/"]);
    assert.deepEqual(keys(await v1({ Marker: rolled.NextMarker, Delimiter: "/", MaxKeys: 1 })), ["d e"]);
    await refused(server.s3.send(new ListObjectsCommand({ Bucket: "missing" })), "NoSuchBucket", 404);
  });
});
