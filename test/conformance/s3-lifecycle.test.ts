/** Lifecycles of buckets: which rules are taken, what expires when, and what is told of it. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteBucketLifecycleCommand,
  DeleteObjectCommand,
  GetBucketLifecycleConfigurationCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  ListPartsCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import type { LifecycleRule } from "@aws-sdk/client-s3";
import { MovableClock } from "../../src/kit/movable-clock.ts";
import { refused, startS3 } from "../harness/s3.ts";
import type { S3Server } from "../harness/s3.ts";

const DAY = 86_400_000;
const ENABLED = { Status: "Enabled" } as const;
const ALL = { ...ENABLED, Filter: { Prefix: "" } };

describe("S3 lifecycles", () => {
  let server: S3Server;
  const clock = new MovableClock();
  /** Buckets whose objects, versions and uploads are two days old. */
  const old = { plain: "", versions: "", markers: "", uploads: "" };
  before(async () => {
    server = await startS3({ clock });
    for (const name of Object.keys(old) as (keyof typeof old)[]) old[name] = await server.bucket();
    for (const Key of ["tmp/a", "tmp/b", "kept"]) await write(old.plain, Key);
    await version(old.versions);
    await version(old.markers);
    for (let count = 0; count < 4; count++) await write(old.versions, "a");
    await write(old.markers, "a");
    for (const Key of ["a", "b"]) await server.s3.send(new DeleteObjectCommand({ Bucket: old.markers, Key }));
    for (const Key of ["a", "b"])
      await server.s3.send(new CreateMultipartUploadCommand({ Bucket: old.uploads, Key }));
    await clock.advance(2 * DAY + 60_000);
  });
  after(() => server.stop());

  const put = (Bucket: string, ...Rules: LifecycleRule[]) =>
    server.s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules } }));
  const write = (Bucket: string, Key: string, more: { Body?: string; Tagging?: string } = {}) =>
    server.s3.send(new PutObjectCommand({ Bucket, Key, Body: "text", ...more }));
  const version = (Bucket: string) =>
    server.s3.send(
      new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }),
    );
  /** The keys of current objects. */
  const keys = async (Bucket: string) =>
    (await server.s3.send(new ListObjectsV2Command({ Bucket }))).Contents?.map(({ Key }) => Key) ?? [];
  /** What is left: `key` for a version, `key!` for a delete marker, the newest first. */
  const versions = async (Bucket: string) => {
    const { Versions = [], DeleteMarkers = [] } = await server.s3.send(
      new ListObjectVersionsCommand({ Bucket }),
    );
    return [...Versions.map(({ Key }) => Key ?? ""), ...DeleteMarkers.map(({ Key }) => `${Key}!`)];
  };
  const eventually = async (look: () => Promise<unknown>, expected: unknown) => {
    const end = Date.now() + 10_000;
    for (;;) {
      const found = await look();
      try {
        return assert.deepEqual(found, expected);
      } catch (error) {
        if (Date.now() > end) throw error;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
  };

  test("PutBucketLifecycleConfiguration, GetBucketLifecycleConfiguration and DeleteBucketLifecycle", async () => {
    const Bucket = await server.bucket();
    const get = () => server.s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket }));
    await refused(get(), "NoSuchLifecycleConfiguration", 404, { members: { BucketName: Bucket } });
    const rules: LifecycleRule[] = [
      {
        ID: "one",
        ...ENABLED,
        Filter: { And: { Prefix: "a/", Tags: [{ Key: "k", Value: "v" }], ObjectSizeGreaterThan: 5 } },
        Expiration: { Date: new Date("2200-01-01T00:00:00Z") },
        NoncurrentVersionExpiration: { NoncurrentDays: 3, NewerNoncurrentVersions: 2 },
      },
      { ID: "two", Status: "Disabled", Prefix: "b/", Expiration: { ExpiredObjectDeleteMarker: true } },
      {
        ID: "three",
        ...ENABLED,
        Filter: { ObjectSizeLessThan: 9 },
        Expiration: { Days: 3650 },
      },
    ];
    const answer = await put(Bucket, ...rules);
    assert.equal(answer.TransitionDefaultMinimumObjectSize, "all_storage_classes_128K");
    const got = await get();
    assert.deepEqual(got.Rules, rules);
    assert.equal(got.TransitionDefaultMinimumObjectSize, "all_storage_classes_128K");
    await put(Bucket, { ...ALL, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 } });
    assert.match((await get()).Rules?.[0]?.ID ?? "", /^[0-9a-f-]{36}$/);
    await server.s3.send(new DeleteBucketLifecycleCommand({ Bucket }));
    await refused(get(), "NoSuchLifecycleConfiguration", 404);
    const other = new PutBucketLifecycleConfigurationCommand({
      Bucket,
      TransitionDefaultMinimumObjectSize: "none" as "varies_by_storage_class",
      LifecycleConfiguration: { Rules: rules },
    });
    await refused(server.s3.send(other), "InvalidArgument", 400);
  });

  test("PutBucketLifecycleConfiguration refuses rules that are none, and transitions by name", async () => {
    const Bucket = await server.bucket();
    const days = { Days: 1 };
    const tag = { Key: "k", Value: "v" };
    const cases: [rule: Partial<LifecycleRule>, code: string, message?: string | RegExp][] = [
      [{ Status: "On" as "Enabled" }, "MalformedXML"],
      [{ Filter: undefined }, "MalformedXML"],
      [{ Prefix: "a" }, "MalformedXML"],
      [{ Filter: { Prefix: "a", Tag: tag } }, "MalformedXML"],
      [{ Filter: { ObjectSizeLessThan: -1 } }, "MalformedXML"],
      [{ Filter: { And: { ObjectSizeLessThan: 5, ObjectSizeGreaterThan: 5 } } }, "InvalidRequest"],
      [{ Filter: { And: { Tags: [tag, tag] } } }, "InvalidRequest", "Duplicate Tag Keys are not allowed."],
      [{ Filter: { Prefix: "x".repeat(1_025) } }, "InvalidRequest", "The maximum size of a prefix is 1024."],
      [{ ID: "x".repeat(256) }, "InvalidArgument", "ID length should not exceed allowed limit of 255"],
      [{ Expiration: undefined }, "InvalidRequest", "At least one action needs to be specified in a rule"],
      [{ Expiration: {} }, "MalformedXML"],
      [{ Expiration: { Days: 1, ExpiredObjectDeleteMarker: true } }, "MalformedXML"],
      [
        { Expiration: { Days: 0 } },
        "InvalidArgument",
        "'Days' for Expiration action must be a positive integer",
      ],
      [
        { Expiration: { Date: new Date("2030-01-01T01:00:00Z") } },
        "InvalidArgument",
        "'Date' must be at midnight GMT",
      ],
      [
        { Filter: { Tag: tag }, Expiration: { ExpiredObjectDeleteMarker: true } },
        "InvalidRequest",
        "ExpiredObjectDeleteMarker cannot be specified with Tags.",
      ],
      [{ NoncurrentVersionExpiration: {} }, "MalformedXML"],
      [
        { NoncurrentVersionExpiration: { NoncurrentDays: 0 } },
        "InvalidArgument",
        "'NoncurrentDays' for NoncurrentVersionExpiration action must be a positive integer",
      ],
      [
        { NoncurrentVersionExpiration: { NoncurrentDays: 1, NewerNoncurrentVersions: 101 } },
        "InvalidArgument",
      ],
      [
        { AbortIncompleteMultipartUpload: { DaysAfterInitiation: 0 } },
        "InvalidArgument",
        "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be a positive integer",
      ],
      [
        { Filter: { Tag: tag }, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } },
        "InvalidRequest",
        "AbortIncompleteMultipartUpload cannot be specified with Tags.",
      ],
      [{ Transitions: [{ Days: 1, StorageClass: "GLACIER" }] }, "NotImplemented", /\(Transitions\)/],
      [
        { NoncurrentVersionTransitions: [{ NoncurrentDays: 1, StorageClass: "GLACIER" }] },
        "NotImplemented",
        /NoncurrentVersionTransitions/,
      ],
    ];
    for (const [rule, code, message] of cases)
      await refused(
        put(Bucket, { ...ALL, Expiration: days, ...rule }),
        code,
        code === "NotImplemented" ? 501 : 400,
        message === undefined ? {} : { message },
      );
    await refused(put(Bucket), "MalformedXML", 400);
    const rule = { ...ALL, Expiration: days };
    await refused(put(Bucket, { ...rule, ID: "a" }, { ...rule, ID: "a" }), "InvalidArgument", 400, {
      message: "Rule ID must be unique. Found same ID for more than one rule",
    });
    const many = Array.from({ length: 1_001 }, () => rule);
    await refused(put(Bucket, ...many), "MalformedXML", 400);
  });

  test("objects expire by a date at once, by prefix, tags and size", async () => {
    const Bucket = await server.bucket();
    await write(Bucket, "logs/1");
    await write(Bucket, "kept");
    await write(Bucket, "tagged", { Tagging: "stage=old&x=y" });
    await write(Bucket, "tagged-otherwise", { Tagging: "stage=new" });
    await write(Bucket, "large", { Body: "x".repeat(2_000) });
    const Expiration = { Date: new Date("2020-01-01T00:00:00Z") };
    await put(
      Bucket,
      { ...ENABLED, Filter: { Prefix: "logs/" }, Expiration },
      { ...ENABLED, Filter: { Tag: { Key: "stage", Value: "old" } }, Expiration },
      { ...ENABLED, Filter: { ObjectSizeGreaterThan: 1_999 }, Expiration },
      { Status: "Disabled", Filter: { Prefix: "" }, Expiration },
    );
    await eventually(() => keys(Bucket), ["kept", "tagged-otherwise"]);
  });

  test("x-amz-expiration tells the midnight after the days, everywhere", async () => {
    const Bucket = await server.bucket();
    await put(Bucket, { ID: "two days", ...ENABLED, Filter: { Prefix: "tmp/" }, Expiration: { Days: 2 } });
    const Key = "tmp/a";
    const written = await write(Bucket, Key);
    const at = Math.ceil((clock.now() + 2 * DAY) / DAY) * DAY;
    const expected = `expiry-date="${new Date(at).toUTCString()}", rule-id="two%20days"`;
    assert.equal(written.Expiration, expected);
    assert.equal((await write(Bucket, "kept")).Expiration, undefined);
    assert.equal((await server.s3.send(new GetObjectCommand({ Bucket, Key }))).Expiration, expected);
    assert.equal((await server.s3.send(new HeadObjectCommand({ Bucket, Key }))).Expiration, expected);
    const copy = new CopyObjectCommand({ Bucket, Key: "tmp/b", CopySource: `${Bucket}/${Key}` });
    assert.equal((await server.s3.send(copy)).Expiration, expected);
    const { UploadId } = await server.s3.send(new CreateMultipartUploadCommand({ Bucket, Key: "tmp/c" }));
    const upload = { Bucket, Key: "tmp/c", UploadId };
    const { ETag } = await server.s3.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: "p" }));
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    const joined = await server.s3.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload }));
    assert.equal(joined.Expiration, expected);
  });

  test("objects expire at the midnight after their days, and not before", async () => {
    const Bucket = old.plain;
    await write(Bucket, "tmp/new");
    await put(Bucket, { ...ENABLED, Filter: { Prefix: "tmp/" }, Expiration: { Days: 1 } });
    await eventually(() => keys(Bucket), ["kept", "tmp/new"]);
  });

  test("in buckets with versions a delete marker is put; noncurrent versions and markers with nothing behind go", async () => {
    const Bucket = old.versions;
    const noncurrent = { ...ALL, ID: "old", NoncurrentVersionExpiration: { NoncurrentDays: 1 } };
    // Three have been noncurrent for long enough; the newest of them is kept.
    await put(Bucket, {
      ...noncurrent,
      NoncurrentVersionExpiration: { NoncurrentDays: 1, NewerNoncurrentVersions: 1 },
    });
    await eventually(() => versions(Bucket), ["a", "a"]);
    // The one that becomes noncurrent now stays for its day.
    await put(Bucket, noncurrent, { ...ALL, ID: "current", Expiration: { Days: 1 } });
    await eventually(() => versions(Bucket), ["a", "a!"]);
  });

  test("a delete marker stays while a version is left behind; alone it goes, by its days too", async () => {
    const Bucket = old.markers;
    await server.s3.send(new DeleteObjectCommand({ Bucket, Key: "new" }));
    await put(Bucket, { ...ALL, Expiration: { Days: 1 } });
    await eventually(() => versions(Bucket), ["a", "a!", "new!"]);
    await put(Bucket, { ...ALL, Expiration: { ExpiredObjectDeleteMarker: true } });
    await eventually(() => versions(Bucket), ["a", "a!"]);
  });

  test("unfinished uploads are given up, and tell when", async () => {
    const Bucket = old.uploads;
    const AbortIncompleteMultipartUpload = { DaysAfterInitiation: 1 };
    await put(Bucket, { ID: "up", ...ENABLED, Filter: { Prefix: "a" }, AbortIncompleteMultipartUpload });
    const uploads = async () =>
      (await server.s3.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads?.map(({ Key }) => Key);
    await eventually(uploads, ["b"]);
    const created = await server.s3.send(new CreateMultipartUploadCommand({ Bucket, Key: "a" }));
    const at = new Date(Math.ceil((clock.now() + DAY) / DAY) * DAY);
    const { UploadId } = created;
    await server.s3.send(new UploadPartCommand({ Bucket, Key: "a", UploadId, PartNumber: 1, Body: "p" }));
    const parts = await server.s3.send(new ListPartsCommand({ Bucket, Key: "a", UploadId }));
    for (const { AbortDate, AbortRuleId } of [created, parts])
      assert.deepEqual([AbortDate, AbortRuleId], [at, "up"]);
    assert.deepEqual(await uploads(), ["a", "b"]);
  });
});
