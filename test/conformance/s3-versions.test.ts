/** S3 versions: delete markers, null versions, listings of versions, and what is current after each step. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { refused, startS3 } from "../harness/s3.ts";
import type { S3Server } from "../harness/s3.ts";

describe("S3 versions", () => {
  let server: S3Server;
  before(async () => {
    server = await startS3();
  });
  after(() => server.stop());

  async function versioned() {
    const Bucket = await server.bucket();
    const { s3 } = server;
    const one = {
      Bucket,
      status: (Status: "Enabled" | "Suspended") =>
        s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } })),
      put: (Key: string, Body: string) => s3.send(new PutObjectCommand({ Bucket, Key, Body })),
      get: (Key: string, VersionId?: string) => s3.send(new GetObjectCommand({ Bucket, Key, VersionId })),
      remove: (Key: string, VersionId?: string) =>
        s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId })),
      list: (extra: object = {}) => s3.send(new ListObjectVersionsCommand({ Bucket, ...extra })),
      text: async (Key: string, VersionId?: string) =>
        (await one.get(Key, VersionId)).Body?.transformToString(),
      keys: async () =>
        (await s3.send(new ListObjectsV2Command({ Bucket }))).Contents?.map(({ Key }) => Key) ?? [],
    };
    return one;
  }

  test("PutObject in a versioned bucket keeps every version", async () => {
    const bucket = await versioned();
    const before = await bucket.put("k", "unversioned");
    assert.equal(before.VersionId, undefined);
    await bucket.status("Enabled");
    const [first, second] = [await bucket.put("k", "1"), await bucket.put("k", "2")];
    assert.match(first.VersionId ?? "", /^[A-Za-z0-9_-]{32}$/);
    assert.notEqual(first.VersionId, second.VersionId);
    assert.equal(await bucket.text("k"), "2");
    assert.equal(await bucket.text("k", first.VersionId), "1");
    assert.equal(await bucket.text("k", "null"), "unversioned");
    assert.equal((await bucket.get("k")).VersionId, second.VersionId);
    await refused(bucket.get("other", first.VersionId), "NoSuchVersion", 404, {
      message: "The specified version does not exist.",
      members: { Key: "other", VersionId: first.VersionId ?? "" },
    });
  });

  test("DeleteObject puts a delete marker; removing the marker brings the object back", async () => {
    const bucket = await versioned();
    await bucket.status("Enabled");
    const { VersionId } = await bucket.put("k", "1");
    const marker = await bucket.remove("k");
    assert.equal(marker.DeleteMarker, true);
    const error = await refused(bucket.get("k"), "NoSuchKey", 404);
    assert.equal(error.$response?.headers["x-amz-delete-marker"], "true");
    assert.equal(error.$response?.headers["x-amz-version-id"], marker.VersionId);
    const byId = await refused(bucket.get("k", marker.VersionId), "MethodNotAllowed", 405, {
      message: "The specified method is not allowed against this resource.",
      members: { ResourceType: "DeleteMarker" },
    });
    assert.equal(byId.$response?.headers["allow"], "DELETE");
    const head = server.s3.send(
      new HeadObjectCommand({ Bucket: bucket.Bucket, Key: "k", VersionId: marker.VersionId }),
    );
    assert.equal(
      ((await head.catch((e: unknown) => e)) as { $metadata: { httpStatusCode: number } }).$metadata
        .httpStatusCode,
      405,
    );
    assert.deepEqual(await bucket.keys(), []);
    assert.equal(await bucket.text("k", VersionId), "1");
    const undone = await bucket.remove("k", marker.VersionId);
    assert.deepEqual([undone.DeleteMarker, undone.VersionId], [true, marker.VersionId]);
    assert.equal(await bucket.text("k"), "1");
    assert.deepEqual(await bucket.keys(), ["k"]);
    const gone = await bucket.remove("k", VersionId);
    assert.deepEqual([gone.DeleteMarker, gone.VersionId], [undefined, VersionId]);
    assert.deepEqual((await bucket.list()).Versions, undefined);
    assert.equal((await bucket.remove("k", VersionId)).$metadata.httpStatusCode, 204);
  });

  test("DeleteObject of the current version makes the one before current", async () => {
    const bucket = await versioned();
    await bucket.status("Enabled");
    await bucket.put("k", "1");
    const { VersionId } = await bucket.put("k", "2");
    await bucket.remove("k", VersionId);
    assert.equal(await bucket.text("k"), "1");
    assert.deepEqual(
      (await bucket.list()).Versions?.map(({ IsLatest }) => IsLatest),
      [true],
    );
  });

  test("PutObject and DeleteObject while versioning is suspended replace the null version alone", async () => {
    const bucket = await versioned();
    await bucket.status("Enabled");
    const kept = await bucket.put("k", "kept");
    await bucket.status("Suspended");
    assert.equal((await bucket.put("k", "null 1")).VersionId, "null");
    await bucket.put("k", "null 2");
    const listed = async () => {
      const { Versions = [], DeleteMarkers = [] } = await bucket.list();
      return [...Versions, ...DeleteMarkers].map(({ VersionId, IsLatest }) => `${VersionId} ${IsLatest}`);
    };
    assert.deepEqual(await listed(), ["null true", `${kept.VersionId} false`]);
    assert.equal(await bucket.text("k"), "null 2");
    const marker = await bucket.remove("k");
    assert.deepEqual([marker.DeleteMarker, marker.VersionId], [true, "null"]);
    assert.deepEqual(await listed(), [`${kept.VersionId} false`, "null true"]);
    await bucket.remove("k", "null");
    assert.equal(await bucket.text("k"), "kept");
    await bucket.status("Enabled");
    await bucket.put("k", "newest");
    await bucket.status("Suspended");
    // The null version is not the current one here, and is replaced all the same.
    await bucket.put("k", "null 3");
    await bucket.status("Enabled");
    await bucket.put("k", "again");
    await bucket.status("Suspended");
    await bucket.put("k", "null 4");
    assert.equal((await listed()).filter((one) => one.startsWith("null")).length, 1);
  });

  test("ListObjectVersions: by key, the newest first, in pages, also while versions are deleted", async () => {
    const bucket = await versioned();
    await bucket.put("a", "null");
    await bucket.status("Enabled");
    const ids: (string | undefined)[] = [];
    for (const body of ["1", "2", "3"]) ids.unshift((await bucket.put("a", body)).VersionId);
    await bucket.put("b/x", "1");
    await bucket.remove("b/x");
    const all = await bucket.list();
    assert.deepEqual(
      all.Versions?.map(({ Key, VersionId, IsLatest }) => [Key, IsLatest, Key === "a" ? VersionId : ""]),
      [
        ["a", true, ids[0]],
        ["a", false, ids[1]],
        ["a", false, ids[2]],
        ["a", false, "null"],
        ["b/x", false, ""],
      ],
    );
    assert.deepEqual(
      all.DeleteMarkers?.map(({ Key, IsLatest }) => [Key, IsLatest]),
      [["b/x", true]],
    );
    const rolled = await bucket.list({ Delimiter: "/" });
    assert.deepEqual([rolled.Versions?.length, rolled.CommonPrefixes], [4, [{ Prefix: "b/" }]]);
    assert.equal(
      (await bucket.list({ Prefix: "b/", KeyMarker: "a", VersionIdMarker: ids[0] })).Versions?.length,
      1,
    );
    await refused(bucket.list({ VersionIdMarker: ids[0] }), "InvalidArgument", 400);
    let markers: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } = {};
    let seen = 0;
    for (;;) {
      const page = await bucket.list({ MaxKeys: 1, ...markers });
      const Objects = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])].map(({ Key, VersionId }) => ({
        Key: Key ?? "",
        VersionId,
      }));
      assert.equal(Objects.length, 1);
      seen++;
      const { Deleted } = await server.s3.send(
        new DeleteObjectsCommand({ Bucket: bucket.Bucket, Delete: { Objects } }),
      );
      assert.equal(Deleted?.[0]?.VersionId, Objects[0]?.VersionId);
      if (!page.IsTruncated) break;
      markers = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
    }
    assert.equal(seen, 6);
    const empty = await bucket.list();
    assert.deepEqual([empty.Versions, empty.DeleteMarkers], [undefined, undefined]);
  });

  test("DeleteObjects tells the delete markers that it puts and removes", async () => {
    const bucket = await versioned();
    await bucket.status("Enabled");
    await bucket.put("k", "1");
    const remove = (VersionId?: string) =>
      server.s3.send(
        new DeleteObjectsCommand({ Bucket: bucket.Bucket, Delete: { Objects: [{ Key: "k", VersionId }] } }),
      );
    const [put] = (await remove()).Deleted ?? [];
    assert.equal(put?.DeleteMarker, true);
    assert.ok(put?.DeleteMarkerVersionId);
    const [undone] = (await remove(put.DeleteMarkerVersionId)).Deleted ?? [];
    assert.deepEqual([undone?.VersionId, undone?.DeleteMarker], [put.DeleteMarkerVersionId, true]);
    assert.equal(await bucket.text("k"), "1");
  });
});
