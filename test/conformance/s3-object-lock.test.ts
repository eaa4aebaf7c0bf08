/** Object Lock: what keeps versions from being removed, until when, and who may go past it. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  GetObjectLegalHoldCommand,
  GetObjectLockConfigurationCommand,
  GetObjectRetentionCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectLegalHoldCommand,
  PutObjectLockConfigurationCommand,
  PutObjectRetentionCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import type { DefaultRetention, ObjectLockRetention, PutObjectCommandInput } from "@aws-sdk/client-s3";
import { MovableClock } from "../../src/kit/movable-clock.ts";
import { makeUser } from "../harness/principals.ts";
import { refused, startS3 } from "../harness/s3.ts";
import type { S3Server } from "../harness/s3.ts";

const HOUR = 3_600_000;
const PROTECTED = { message: "Access Denied because object protected by object lock." };

describe("S3 Object Lock", () => {
  let server: S3Server;
  const clock = new MovableClock();
  before(async () => {
    server = await startS3({ clock });
  });
  after(() => server.stop());

  let count = 0;
  const locking = async () => {
    const Bucket = `locking-${count++}`;
    await server.s3.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
    return Bucket;
  };
  const inHours = (hours: number) => new Date(Math.floor(clock.now() / 1_000) * 1_000 + hours * HOUR);
  const write = async (Bucket: string, more: Partial<PutObjectCommandInput> = {}) => {
    const put = new PutObjectCommand({ Bucket, Key: "a", Body: "text", ...more });
    return { Bucket, Key: "a", VersionId: (await server.s3.send(put)).VersionId };
  };
  const remove = (version: object, BypassGovernanceRetention?: boolean) =>
    server.s3.send(
      new DeleteObjectCommand({ ...(version as { Bucket: string; Key: string }), BypassGovernanceRetention }),
    );
  const retain = (version: object, Retention: ObjectLockRetention, BypassGovernanceRetention?: boolean) =>
    server.s3.send(
      new PutObjectRetentionCommand({
        ...(version as { Bucket: string; Key: string }),
        Retention,
        BypassGovernanceRetention,
      }),
    );

  test("CreateBucket with a lock has versions for good; PutObjectLockConfiguration and GetObjectLockConfiguration", async () => {
    const Bucket = await locking();
    const { s3 } = server;
    assert.equal((await s3.send(new GetBucketVersioningCommand({ Bucket }))).Status, "Enabled");
    await refused(
      s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Suspended" } })),
      "InvalidBucketState",
      409,
    );
    const get = async (name = Bucket) =>
      (await s3.send(new GetObjectLockConfigurationCommand({ Bucket: name }))).ObjectLockConfiguration;
    const put = (DefaultRetention?: DefaultRetention, name = Bucket) =>
      s3.send(
        new PutObjectLockConfigurationCommand({
          Bucket: name,
          ObjectLockConfiguration: {
            ObjectLockEnabled: "Enabled",
            ...(DefaultRetention && { Rule: { DefaultRetention } }),
          },
        }),
      );
    assert.deepEqual(await get(), { ObjectLockEnabled: "Enabled" });
    await put({ Mode: "GOVERNANCE", Days: 2 });
    assert.deepEqual((await get())?.Rule?.DefaultRetention, { Mode: "GOVERNANCE", Days: 2 });
    for (const [retention, code] of [
      [{ Mode: "GOVERNANCE" }, "MalformedXML"],
      [{ Mode: "GOVERNANCE", Days: 1, Years: 1 }, "MalformedXML"],
      [{ Days: 1 }, "MalformedXML"],
      [{ Mode: "GOVERNANCE", Days: 0 }, "InvalidArgument"],
      [{ Mode: "COMPLIANCE", Years: 101 }, "InvalidArgument"],
    ] as [DefaultRetention, string][])
      await refused(put(retention), code, 400);
    const plain = await server.bucket();
    await refused(get(plain), "ObjectLockConfigurationNotFoundError", 404);
    await refused(put(undefined, plain), "InvalidBucketState", 409);
    await s3.send(
      new PutBucketVersioningCommand({ Bucket: plain, VersioningConfiguration: { Status: "Enabled" } }),
    );
    await put({ Mode: "COMPLIANCE", Years: 1 }, plain);
    assert.deepEqual((await get(plain))?.Rule?.DefaultRetention, { Mode: "COMPLIANCE", Years: 1 });
  });

  test("PutObjectRetention and GetObjectRetention: governed versions go with a bypass, compliant ones when their time is over", async () => {
    const Bucket = await locking();
    const governed = await write(Bucket);
    await refused(
      server.s3.send(new GetObjectRetentionCommand(governed)),
      "NoSuchObjectLockConfiguration",
      404,
    );
    const retention = { Mode: "GOVERNANCE", RetainUntilDate: inHours(2) } as const;
    await retain(governed, retention);
    const { Retention } = await server.s3.send(new GetObjectRetentionCommand(governed));
    assert.deepEqual(Retention, retention);
    await refused(remove(governed), "AccessDenied", 403, PROTECTED);
    const shorter = { Mode: "GOVERNANCE", RetainUntilDate: inHours(1) } as const;
    await refused(retain(governed, shorter), "AccessDenied", 403, PROTECTED);
    await refused(retain(governed, {}), "AccessDenied", 403, PROTECTED);
    await retain(governed, { Mode: "GOVERNANCE", RetainUntilDate: inHours(3) });
    await retain(governed, shorter, true);
    // Without a version, a marker is put, and nothing is lost.
    assert.equal((await remove({ Bucket, Key: "a" })).DeleteMarker, true);
    await remove(governed, true);

    const compliant = await write(Bucket);
    await retain(compliant, { Mode: "COMPLIANCE", RetainUntilDate: inHours(1) });
    await refused(remove(compliant, true), "AccessDenied", 403, PROTECTED);
    const weaker = { Mode: "GOVERNANCE", RetainUntilDate: inHours(2) } as const;
    await refused(retain(compliant, weaker, true), "AccessDenied", 403, PROTECTED);
    await refused(retain(compliant, {}, true), "AccessDenied", 403, PROTECTED);
    const Objects = [{ Key: "a", VersionId: compliant.VersionId }];
    const many = await server.s3.send(
      new DeleteObjectsCommand({ Bucket, Delete: { Objects }, BypassGovernanceRetention: true }),
    );
    assert.deepEqual(
      many.Errors?.map(({ Code }) => Code),
      ["AccessDenied"],
    );
    await clock.advance(HOUR + 1_000);
    await remove(compliant);
  });

  test("PutObjectLegalHold and GetObjectLegalHold: a hold keeps a version until it is off", async () => {
    const Bucket = await locking();
    const held = await write(Bucket, { ObjectLockLegalHoldStatus: "ON" });
    const hold = (Status: "ON" | "OFF") =>
      server.s3.send(new PutObjectLegalHoldCommand({ ...held, LegalHold: { Status } }));
    await refused(remove(held, true), "AccessDenied", 403, PROTECTED);
    await hold("OFF");
    const { LegalHold } = await server.s3.send(new GetObjectLegalHoldCommand(held));
    assert.equal(LegalHold?.Status, "OFF");
    await hold("ON");
    await refused(remove(held), "AccessDenied", 403, PROTECTED);
    await refused(hold("MAYBE" as "ON"), "MalformedXML", 400);
    await hold("OFF");
    await remove(held);
    const free = await write(Bucket);
    await refused(server.s3.send(new GetObjectLegalHoldCommand(free)), "NoSuchObjectLockConfiguration", 404);
  });

  test("PutObject, CopyObject and multipart uploads lock what they make; GetObject and HeadObject tell it", async () => {
    const Bucket = await locking();
    const lock = {
      ObjectLockMode: "COMPLIANCE",
      ObjectLockRetainUntilDate: inHours(24),
      ObjectLockLegalHoldStatus: "ON",
    } as const;
    const put = await write(Bucket, lock);
    const copy = new CopyObjectCommand({ Bucket, Key: "b", CopySource: `${Bucket}/a`, ...lock });
    const copied = { Bucket, Key: "b", VersionId: (await server.s3.send(copy)).VersionId };
    const begin = new CreateMultipartUploadCommand({ Bucket, Key: "c", ...lock });
    const upload = { Bucket, Key: "c", UploadId: (await server.s3.send(begin)).UploadId };
    const { ETag } = await server.s3.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: "p" }));
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    const joined = await server.s3.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload }));
    for (const version of [put, copied, { Bucket, Key: "c", VersionId: joined.VersionId }]) {
      const got = await server.s3.send(new GetObjectCommand(version));
      await got.Body?.transformToString();
      for (const told of [got, await server.s3.send(new HeadObjectCommand(version))])
        assert.deepEqual(
          [told.ObjectLockMode, told.ObjectLockRetainUntilDate, told.ObjectLockLegalHoldStatus],
          ["COMPLIANCE", lock.ObjectLockRetainUntilDate, "ON"],
        );
      await refused(remove(version), "AccessDenied", 403, PROTECTED);
    }
    // What the bucket does by default, and what a copy without headers of its own gets.
    await server.s3.send(
      new PutObjectLockConfigurationCommand({
        Bucket,
        ObjectLockConfiguration: {
          ObjectLockEnabled: "Enabled",
          Rule: { DefaultRetention: { Mode: "GOVERNANCE", Days: 1 } },
        },
      }),
    );
    const { Retention } = await server.s3.send(new GetObjectRetentionCommand(await write(Bucket)));
    assert.equal(Retention?.Mode, "GOVERNANCE");
    assert.ok(Math.abs((Retention?.RetainUntilDate?.getTime() ?? 0) - inHours(24).getTime()) < 60_000);
  });

  test("locks are refused where the bucket has none, and where they say nothing that could be", async () => {
    const Bucket = await locking();
    const plain = await server.bucket();
    const RetainUntilDate = inHours(1);
    const missing = { message: "Bucket is missing Object Lock Configuration" };
    const free = await write(plain);
    for (const call of [
      () => write(plain, { ObjectLockLegalHoldStatus: "ON" }),
      () => write(plain, { ObjectLockMode: "GOVERNANCE", ObjectLockRetainUntilDate: RetainUntilDate }),
      () => retain(free, { Mode: "GOVERNANCE", RetainUntilDate }),
      () => server.s3.send(new GetObjectRetentionCommand({ Bucket: plain, Key: "a" })),
      () => server.s3.send(new GetObjectLegalHoldCommand({ Bucket: plain, Key: "a" })),
      () =>
        server.s3.send(
          new CreateMultipartUploadCommand({ Bucket: plain, Key: "b", ObjectLockLegalHoldStatus: "OFF" }),
        ),
    ])
      await refused(call(), "InvalidRequest", 400, missing);
    await refused(remove({ Bucket: plain, Key: "a" }, true), "InvalidArgument", 400);
    for (const more of [
      { ObjectLockMode: "GOVERNANCE" },
      { ObjectLockRetainUntilDate: RetainUntilDate },
      { ObjectLockMode: "SOFT", ObjectLockRetainUntilDate: RetainUntilDate },
      { ObjectLockMode: "GOVERNANCE", ObjectLockRetainUntilDate: inHours(-1) },
      { ObjectLockLegalHoldStatus: "MAYBE" },
    ])
      await refused(write(Bucket, more as Partial<PutObjectCommandInput>), "InvalidArgument", 400);
    const version = await write(Bucket);
    await refused(retain(version, { Mode: "GOVERNANCE" }), "MalformedXML", 400);
    await refused(
      retain(version, { Mode: "GOVERNANCE", RetainUntilDate: inHours(-1) }),
      "InvalidArgument",
      400,
      { message: "The retain until date must be in the future!" },
    );
  });

  test("going past a governing retention, and being told of it, take permissions", async () => {
    const Bucket = await locking();
    const until = { ObjectLockMode: "GOVERNANCE", ObjectLockRetainUntilDate: inHours(1) } as const;
    const version = await write(Bucket, until);
    const user = await makeUser(server.client(), "keeper", {
      Action: ["s3:GetObject*", "s3:DeleteObject*", "s3:PutObject", "s3:PutObjectRetention"],
    });
    const s3 = new S3Client(user.options);
    const bypass = () => s3.send(new DeleteObjectCommand({ ...version, BypassGovernanceRetention: true }));
    await refused(bypass(), "AccessDenied", 403, { message: /s3:BypassGovernanceRetention/ });
    assert.equal((await s3.send(new HeadObjectCommand(version))).ObjectLockMode, "GOVERNANCE");
    await user.may({
      Action: ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:DeleteObjectVersion"],
    });
    assert.equal((await s3.send(new HeadObjectCommand(version))).ObjectLockMode, undefined);
    const put = s3.send(new PutObjectCommand({ Bucket, Key: "b", Body: "b", ...until }));
    await refused(put, "AccessDenied", 403, { message: /s3:PutObjectRetention/ });
    await user.may({ Action: ["s3:DeleteObjectVersion", "s3:BypassGovernanceRetention"] });
    await bypass();
    s3.destroy();
  });

  test("lifecycles leave locked versions alone", async () => {
    const Bucket = await locking();
    const held = await write(Bucket, { ObjectLockLegalHoldStatus: "ON" });
    const Expiration = { Date: new Date("2020-01-01T00:00:00Z") };
    const rule = { Status: "Enabled" as const, Filter: { Prefix: "" }, Expiration };
    await server.s3.send(
      new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules: [rule] } }),
    );
    const markers = async () =>
      (await server.s3.send(new ListObjectVersionsCommand({ Bucket }))).DeleteMarkers?.length;
    for (const end = Date.now() + 10_000; (await markers()) !== 1;)
      assert.ok(Date.now() < end, "no delete marker was put");
    await server.s3.send(new GetObjectCommand(held));
  });
});
