/** S3 on PostgreSQL: the same order, versions, races and parts as on SQLite. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  DeletePublicAccessBlockCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { Client } from "pg";
import { postgresMissing, startPostgres } from "../harness/postgres.ts";
import type { TestPostgres } from "../harness/postgres.ts";
import { bytes, refused, startS3 } from "../harness/s3.ts";
import type { S3Server } from "../harness/s3.ts";

/** In the order of their bytes, which is not that of any language. */
const KEYS = ["-", "A", "B", "_", "a", "a/b", "a/c", "b", "Ä", "ä", "！", "😀"];

describe("S3 on PostgreSQL", { skip: postgresMissing() }, () => {
  let postgres: TestPostgres;
  let server: S3Server;
  before(async () => {
    postgres = await startPostgres();
    server = await startS3({ databaseUrl: await postgres.newDatabase() });
  });
  after(async () => {
    await server?.stop();
    await postgres?.stop();
  });

  test("ListObjectsV2 and ListBuckets order by bytes", async () => {
    const { s3 } = server;
    const Bucket = await server.bucket();
    for (const Key of KEYS.toReversed()) await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
    const list = async (extra: object) => {
      const page = await s3.send(new ListObjectsV2Command({ Bucket, ...extra }));
      return [
        ...(page.Contents ?? []).map(({ Key }) => Key),
        ...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix),
      ];
    };
    assert.deepEqual(await list({}), KEYS);
    assert.deepEqual(await list({ StartAfter: "_", MaxKeys: 2 }), ["a", "a/b"]);
    assert.deepEqual(await list({ Delimiter: "/", Prefix: "a" }), ["a", "a/"]);
    await server.bucket();
    const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
    const names = Buckets.map(({ Name }) => Name ?? "");
    assert.deepEqual(names, names.toSorted());
  });

  test("PutObject, DeleteObject, DeleteObjects and ListObjectVersions", async () => {
    const { s3 } = server;
    const Bucket = await server.bucket();
    await s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: bytes(50_000) }));
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
    const { VersionId } = await s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: "2" }));
    await s3.send(new DeleteObjectCommand({ Bucket, Key: "k" }));
    const { Versions = [], DeleteMarkers = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket }));
    assert.deepEqual(
      Versions.map((one) => [one.VersionId, one.Size]),
      [
        [VersionId, 1],
        ["null", 50_000],
      ],
    );
    assert.equal(DeleteMarkers.length, 1);
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: "k", VersionId: "null" }));
    assert.deepEqual(Buffer.from((await Body?.transformToByteArray()) ?? []), bytes(50_000));
    const Objects = [...Versions, ...DeleteMarkers].map((one) => ({ Key: "k", VersionId: one.VersionId }));
    const { Errors } = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    assert.equal(Errors, undefined);
  });

  test("PutObject at once from many, with and without a condition", async () => {
    const Bucket = await server.bucket();
    const put = (Body: string, extra: object = {}) =>
      server.s3.send(new PutObjectCommand({ Bucket, Key: "race", Body, ...extra }));
    const racers = await Promise.allSettled(
      Array.from({ length: 8 }, (_, i) => put(`${i}`, { IfNoneMatch: "*" })),
    );
    assert.equal(racers.filter(({ status }) => status === "fulfilled").length, 1);
    await Promise.all(Array.from({ length: 8 }, (_, i) => put(`${i}`)));
    const { Contents } = await server.s3.send(new ListObjectsV2Command({ Bucket }));
    assert.equal(Contents?.length, 1);
  });

  test("CompleteMultipartUpload and ListMultipartUploads", async () => {
    const { s3 } = server;
    const Bucket = await server.bucket();
    const Key = "joined";
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    const { Uploads } = await s3.send(new ListMultipartUploadsCommand({ Bucket }));
    assert.deepEqual(
      Uploads?.map((one) => one.UploadId),
      [UploadId],
    );
    const data = [bytes(5 * 1024 * 1024), bytes(100, 2)];
    const Parts: { PartNumber: number; ETag: string | undefined }[] = [];
    for (const [index, Body] of data.entries()) {
      const PartNumber = index + 1;
      const { ETag } = await s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }));
      Parts.push({ PartNumber, ETag });
    }
    await s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }));
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
    assert.ok(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(Buffer.concat(data)));
  });

  test("bucket policies and lifecycles: another account reads, then what has expired goes", async () => {
    const { s3 } = server;
    const Bucket = await server.bucket();
    await s3.send(new PutObjectCommand({ Bucket, Key: "a", Body: "text" }));
    const Statement = {
      Effect: "Allow",
      Principal: "*",
      Action: "s3:GetObject",
      Resource: `arn:aws:s3:::${Bucket}/*`,
    };
    await s3.send(new DeletePublicAccessBlockCommand({ Bucket }));
    await s3.send(new PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify({ Statement }) }));
    const other = server.clientOf({ account: "111122223333" });
    await other.send(new GetObjectCommand({ Bucket, Key: "a" }));
    const rule = { Filter: { Prefix: "" }, Expiration: { Date: new Date("2020-01-01T00:00:00Z") } };
    const LifecycleConfiguration = { Rules: [{ Status: "Enabled" as const, ...rule }] };
    await s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration }));
    const left = async () => (await s3.send(new ListObjectsV2Command({ Bucket }))).KeyCount;
    for (const end = Date.now() + 10_000; (await left()) !== 0;)
      assert.ok(Date.now() < end, "the object is still there");
  });

  test("lifecycles of servers that share a database have one owner, and another one once that has stopped", async () => {
    const databaseUrl = await postgres.newDatabase();
    const first = await startS3({ databaseUrl });
    const client = new Client({ connectionString: databaseUrl });
    await client.connect();
    const owners = async () => {
      const text = "SELECT owner FROM lease WHERE name = 's3.lifecycles' AND expires_at > $1";
      const { rows } = await client.query<{ owner: string }>(text, [Date.now()]);
      return rows.map(({ owner }) => owner);
    };
    const others: S3Server[] = [];
    try {
      const Bucket = await first.bucket();
      const rule = { Filter: { Prefix: "" }, Expiration: { Date: new Date("2020-01-01T00:00:00Z") } };
      const LifecycleConfiguration = { Rules: [{ Status: "Enabled" as const, ...rule }] };
      await first.s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration }));
      const left = async ({ s3 }: S3Server) => (await s3.send(new ListObjectsV2Command({ Bucket }))).KeyCount;
      for (const end = Date.now() + 10_000; (await owners()).length === 0;) assert.ok(Date.now() < end);
      const [one] = await owners();
      await first.s3.send(new PutObjectCommand({ Bucket, Key: "a", Body: "text" }));
      // A server looks at all buckets when it starts: only where that is its turn.
      others.push(await startS3({ databaseUrl }));
      await new Promise((resolve) => setTimeout(resolve, 200));
      assert.deepEqual([await owners(), await left(first)], [[one], 1]);
      await first.stop();
      assert.deepEqual(await owners(), []);
      const last = await startS3({ databaseUrl });
      others.push(last);
      for (const end = Date.now() + 10_000; (await left(last)) !== 0;)
        assert.ok(Date.now() < end, "the object is still there");
      const [two] = await owners();
      assert.ok(two !== undefined && two !== one);
    } finally {
      await client.end();
      for (const server of [first, ...others]) await server.stop();
    }
  });

  test("encryption, locks, and notifications to queues", async () => {
    const { s3 } = server;
    const Bucket = "locking-on-postgres";
    await s3.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
    const sqs = new SQSClient(server.client());
    const QueueArn = "arn:aws:sqs:us-east-1:000000000000:told";
    const Statement = {
      Effect: "Allow",
      Principal: { Service: "s3.amazonaws.com" },
      Action: "sqs:SendMessage",
      Resource: QueueArn,
    };
    const Attributes = { Policy: JSON.stringify({ Version: "2012-10-17", Statement: [Statement] }) };
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: "told", Attributes }));
    const QueueConfigurations = [{ QueueArn, Events: ["s3:ObjectCreated:*" as const] }];
    const NotificationConfiguration = { QueueConfigurations };
    await s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration }));
    const lock = { ObjectLockLegalHoldStatus: "ON", ServerSideEncryption: "AES256" } as const;
    const Body = bytes(50_000);
    const { VersionId } = await s3.send(new PutObjectCommand({ Bucket, Key: "a", Body, ...lock }));
    const named = { Bucket, Key: "a", VersionId };
    await refused(s3.send(new DeleteObjectCommand(named)), "AccessDenied", 403);
    const got = await s3.send(new GetObjectCommand(named));
    assert.deepEqual(Buffer.from((await got.Body?.transformToByteArray()) ?? []), Body);
    const told: string[] = [];
    for (const end = Date.now() + 10_000; told.length < 2 && Date.now() < end;) {
      const receive = new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 1, MaxNumberOfMessages: 10 });
      told.push(...((await sqs.send(receive)).Messages ?? []).map((one) => one.Body ?? ""));
    }
    sqs.destroy();
    assert.equal(told.filter((body) => body.includes("s3:TestEvent")).length, 1);
    assert.equal(told.filter((body) => body.includes('"eventName":"ObjectCreated:Put"')).length, 1);
  });
});
