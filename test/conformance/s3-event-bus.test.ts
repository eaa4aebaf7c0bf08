/** S3 tells EventBridge of changes, where the bucket is configured to. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteObjectCommand,
  DeleteObjectTaggingCommand,
  GetBucketNotificationConfigurationCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { startEvents } from "../harness/eventbridge.ts";
import type { EventSetting } from "../harness/eventbridge.ts";
import type { TestQueue } from "../harness/sqs.ts";

let setting: EventSetting;
let s3: S3Client;
let queue: TestQueue;
before(async () => {
  setting = await startEvents();
  s3 = new S3Client(setting.server.client());
  queue = await setting.queue();
  await setting.rule(
    { EventPattern: '{"source":["aws.s3"],"detail":{"bucket":{"name":["told"]}}}' },
    { Arn: queue.arn },
  );
  for (const Bucket of ["told", "quiet"]) await s3.send(new CreateBucketCommand({ Bucket }));
});
after(async () => {
  s3.destroy();
  await setting.stop();
});

interface Told {
  readonly "detail-type": string;
  readonly account: string;
  readonly resources: readonly string[];
  readonly detail: Record<string, unknown> & { object: Record<string, unknown> };
}

async function told(): Promise<Told[]> {
  const messages = await queue.receive();
  await queue.delete(...messages);
  return messages.map(({ Body = "" }) => JSON.parse(Body) as Told);
}

const configure = (EventBridgeConfiguration?: object) =>
  s3.send(
    new PutBucketNotificationConfigurationCommand({
      Bucket: "told",
      NotificationConfiguration: { EventBridgeConfiguration },
    }),
  );

test("PutBucketNotificationConfiguration with EventBridgeConfiguration: GetBucketNotificationConfiguration tells it", async () => {
  await configure({});
  const get = () => s3.send(new GetBucketNotificationConfigurationCommand({ Bucket: "told" }));
  assert.deepEqual((await get()).EventBridgeConfiguration, {});
  await configure();
  assert.equal((await get()).EventBridgeConfiguration, undefined);
  await s3.send(new PutObjectCommand({ Bucket: "told", Key: "before", Body: "x" }));
  assert.deepEqual(await told(), []);
});

test("each change of an object is an event in AWS's shape, as soon as it is answered", async () => {
  await configure({});
  const Key = "a b+é.txt";
  const put = await s3.send(new PutObjectCommand({ Bucket: "told", Key, Body: "hello" }));
  const [created, ...more] = await told();
  assert.equal(more.length, 0);
  const { sequencer, ...object } = created?.detail.object ?? {};
  assert.match(String(sequencer), /^[0-9A-F]+$/i);
  const common = {
    version: "0",
    bucket: { name: "told" },
    requester: "000000000000",
    "source-ip-address": "127.0.0.1",
  };
  assert.equal(created?.["detail-type"], "Object Created");
  assert.equal(created?.account, "000000000000");
  assert.deepEqual(created?.resources, ["arn:aws:s3:::told"]);
  assert.deepEqual(object, { key: Key, size: 5, etag: "5d41402abc4b2a76b9719d911017c592" });
  assert.deepEqual(
    { ...created?.detail, object: undefined },
    { ...common, object: undefined, "request-id": put.$metadata.requestId, reason: "PutObject" },
  );
  await s3.send(
    new CopyObjectCommand({ Bucket: "told", Key: "copy", CopySource: `told/${encodeURIComponent(Key)}` }),
  );
  const Tagging = { TagSet: [{ Key: "k", Value: "v" }] };
  await s3.send(new PutObjectTaggingCommand({ Bucket: "told", Key: "copy", Tagging }));
  await s3.send(new DeleteObjectTaggingCommand({ Bucket: "told", Key: "copy" }));
  await s3.send(new DeleteObjectCommand({ Bucket: "told", Key: "copy" }));
  await s3.send(
    new PutBucketVersioningCommand({ Bucket: "told", VersioningConfiguration: { Status: "Enabled" } }),
  );
  await s3.send(new DeleteObjectCommand({ Bucket: "told", Key }));
  await s3.send(new PutObjectCommand({ Bucket: "quiet", Key: "x", Body: "x" }));
  assert.deepEqual(
    (await told()).map(({ "detail-type": type, detail }) => [
      type,
      detail["reason"],
      detail["deletion-type"],
    ]),
    [
      ["Object Created", "CopyObject", undefined],
      ["Object Tags Added", undefined, undefined],
      ["Object Tags Deleted", undefined, undefined],
      ["Object Deleted", "DeleteObject", "Permanently Deleted"],
      ["Object Deleted", "DeleteObject", "Delete Marker Created"],
    ],
  );
});
