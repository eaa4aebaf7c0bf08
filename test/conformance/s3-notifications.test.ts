/** S3 bucket notifications to functions: what is taken, and the event that arrives for each kind of change. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { AddPermissionCommand } from "@aws-sdk/client-lambda";
import type { LambdaClient } from "@aws-sdk/client-lambda";
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  DeleteObjectTaggingCommand,
  GetBucketNotificationConfigurationCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import type { LambdaFunctionConfiguration, NotificationConfiguration } from "@aws-sdk/client-s3";
import { deployFunction } from "../harness/functions.ts";
import { refused, startS3 } from "../harness/s3.ts";
import type { S3Server } from "../harness/s3.ts";

const ARN = "arn:aws:lambda:us-east-1:000000000000:function:recorder";
const FORWARD = `export const handler = async (event) => {
  await fetch(process.env.SINK, { method: "POST", body: JSON.stringify(event) });
};`;

interface Entry {
  readonly eventVersion: string;
  readonly eventName: string;
  readonly eventTime: string;
  readonly s3: {
    readonly configurationId: string;
    readonly object: { key: string; size?: number; eTag?: string; versionId?: string; sequencer: string };
  };
}

describe("S3 notifications", () => {
  let server: S3Server;
  let lambda: LambdaClient;
  let sink: Server;
  const arrived: Entry[] = [];
  let wake = () => {};

  before(async () => {
    server = await startS3();
    sink = createServer((request, response) => {
      void receive(request, response);
    });
    await new Promise<void>((resolve) => sink.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(sink.address() as AddressInfo).port}/`;
    const settings = { Environment: { Variables: { SINK: url } } };
    lambda = await deployFunction(server.client(), "recorder", { "index.mjs": FORWARD }, settings);
  });
  after(async () => {
    lambda?.destroy();
    await server.stop();
    sink.closeAllConnections();
    sink.close();
  });

  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    arrived.push(...(JSON.parse(await text(request)) as { Records: Entry[] }).Records);
    response.end();
    wake();
  }
  const allow = (Bucket: string) =>
    lambda.send(
      new AddPermissionCommand({
        FunctionName: "recorder",
        StatementId: Bucket,
        Action: "lambda:InvokeFunction",
        Principal: "s3.amazonaws.com",
        SourceArn: `arn:aws:s3:::${Bucket}`,
        SourceAccount: "000000000000",
      }),
    );
  const configure = (
    Bucket: string,
    NotificationConfiguration: NotificationConfiguration,
    extra: object = {},
  ) =>
    server.s3.send(
      new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration, ...extra }),
    );
  const toRecorder = (extra: Partial<LambdaFunctionConfiguration>): NotificationConfiguration => ({
    LambdaFunctionConfigurations: [{ LambdaFunctionArn: ARN, Events: ["s3:ObjectCreated:*"], ...extra }],
  });
  /** The next `count` events, by key and order; resolves when they are there. */
  async function events(count: number): Promise<Entry[]> {
    while (arrived.length < count) await new Promise<void>((resolve) => (wake = resolve));
    return arrived.splice(0).toSorted((a, b) => (a.s3.object.sequencer < b.s3.object.sequencer ? -1 : 1));
  }

  test("PutBucketNotificationConfiguration and GetBucketNotificationConfiguration", async () => {
    const Bucket = await server.bucket();
    const get = () => server.s3.send(new GetBucketNotificationConfigurationCommand({ Bucket }));
    assert.equal((await get()).LambdaFunctionConfigurations, undefined);
    await refused(configure(Bucket, toRecorder({})), "InvalidArgument", 400, {
      message: "Unable to validate the following destination configurations",
      members: {
        ArgumentName1: `${ARN}, null`,
        ArgumentValue1: `Not authorized to invoke function [${ARN}]`,
      },
    });
    await refused(
      configure(Bucket, toRecorder({ LambdaFunctionArn: `${ARN}-missing` })),
      "InvalidArgument",
      400,
      {
        message: "Unable to validate the following destination configurations",
      },
    );
    await configure(Bucket, toRecorder({ LambdaFunctionArn: `${ARN}-missing` }), {
      SkipDestinationValidation: true,
    });
    await allow(Bucket);
    const FilterRules = [
      { Name: "prefix" as const, Value: "in/" },
      { Name: "suffix" as const, Value: ".jpg" },
    ];
    await configure(Bucket, toRecorder({ Id: "mine", Filter: { Key: { FilterRules } } }));
    assert.deepEqual((await get()).LambdaFunctionConfigurations, [
      {
        Id: "mine",
        LambdaFunctionArn: ARN,
        Events: ["s3:ObjectCreated:*"],
        Filter: {
          Key: {
            FilterRules: [
              { Name: "Prefix", Value: "in/" },
              { Name: "Suffix", Value: ".jpg" },
            ],
          },
        },
      },
    ]);
    await configure(Bucket, toRecorder({}));
    assert.ok((await get()).LambdaFunctionConfigurations?.[0]?.Id);
    await configure(Bucket, {});
    assert.equal((await get()).LambdaFunctionConfigurations, undefined);
  });

  test("PutBucketNotificationConfiguration refuses overlaps, unknown events and other destinations", async () => {
    const Bucket = await server.bucket();
    const [one] = toRecorder({}).LambdaFunctionConfigurations ?? [];
    assert.ok(one);
    await refused(configure(Bucket, { LambdaFunctionConfigurations: [one, one] }), "InvalidArgument", 400, {
      message: "Configurations overlap. Configurations on the same bucket cannot share a common event type.",
    });
    await refused(
      configure(Bucket, toRecorder({ Events: ["s3:Nonsense" as "s3:ObjectCreated:*"] })),
      "InvalidArgument",
      400,
    );
    await refused(
      configure(Bucket, {
        TopicConfigurations: [
          { TopicArn: "arn:aws:sns:us-east-1:000000000000:t", Events: ["s3:ObjectCreated:*"] },
        ],
      }),
      "InvalidArgument",
      400,
      { members: { ArgumentValue1: "The destination topic does not exist" } },
    );
  });

  test("PutObject sends the event in AWS's shape, to those whose filter fits", async () => {
    const Bucket = await server.bucket();
    await allow(Bucket);
    const FilterRules = [{ Name: "suffix" as const, Value: ".jpg" }];
    await configure(Bucket, toRecorder({ Id: "images", Filter: { Key: { FilterRules } } }));
    const put = (Key: string) => server.s3.send(new PutObjectCommand({ Bucket, Key, Body: "hello" }));
    await put("ignored.png");
    const { $metadata } = await put("in/a b+é.jpg");
    const [event, ...rest] = await events(1);
    assert.deepEqual(rest, []);
    assert.ok(event);
    const { eventTime, ...record } = event as unknown as Record<string, unknown> & Entry;
    assert.match(eventTime, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    const owner = (record["s3"] as unknown as { bucket: { ownerIdentity: { principalId: string } } }).bucket
      .ownerIdentity;
    assert.match(owner.principalId, /^[0-9a-f]{64}$/);
    assert.deepEqual(record, {
      eventVersion: "2.1",
      eventSource: "aws:s3",
      awsRegion: "us-east-1",
      eventName: "ObjectCreated:Put",
      userIdentity: { principalId: "AWS:000000000000" },
      requestParameters: { sourceIPAddress: "127.0.0.1" },
      responseElements: {
        "x-amz-request-id": $metadata.requestId,
        "x-amz-id-2": $metadata.extendedRequestId,
      },
      s3: {
        s3SchemaVersion: "1.0",
        configurationId: "images",
        bucket: { name: Bucket, ownerIdentity: owner, arn: `arn:aws:s3:::${Bucket}` },
        object: {
          key: "in/a+b%2B%C3%A9.jpg",
          size: 5,
          eTag: "5d41402abc4b2a76b9719d911017c592",
          sequencer: event.s3.object.sequencer,
        },
      },
    });
    assert.deepEqual(Object.keys(event), [
      "eventVersion",
      "eventSource",
      "awsRegion",
      "eventTime",
      "eventName",
      "userIdentity",
      "requestParameters",
      "responseElements",
      "s3",
    ]);
  });

  test("CopyObject, CompleteMultipartUpload, DeleteObject, DeleteObjects, PutObjectTagging and DeleteObjectTagging send theirs", async () => {
    const Bucket = await server.bucket();
    await allow(Bucket);
    await configure(
      Bucket,
      toRecorder({ Events: ["s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:ObjectTagging:*"] }),
    );
    const { s3 } = server;
    await s3.send(new PutObjectCommand({ Bucket, Key: "a", Body: "x" }));
    await s3.send(new CopyObjectCommand({ Bucket, Key: "b", CopySource: `${Bucket}/a` }));
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: "c" }));
    const { ETag } = await s3.send(
      new UploadPartCommand({ Bucket, Key: "c", UploadId, PartNumber: 1, Body: "part" }),
    );
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    await s3.send(new CompleteMultipartUploadCommand({ Bucket, Key: "c", UploadId, MultipartUpload }));
    await s3.send(
      new PutObjectTaggingCommand({ Bucket, Key: "a", Tagging: { TagSet: [{ Key: "k", Value: "v" }] } }),
    );
    await s3.send(new DeleteObjectTaggingCommand({ Bucket, Key: "a" }));
    await s3.send(new DeleteObjectCommand({ Bucket, Key: "a" }));
    await s3.send(new DeleteObjectCommand({ Bucket, Key: "never" }));
    await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: "b" }] } }));
    const seen = await events(7);
    assert.deepEqual(
      seen.map(({ eventName, eventVersion, s3: { object } }) => [
        eventName,
        eventVersion,
        object.key,
        object.size,
      ]),
      [
        ["ObjectCreated:Put", "2.1", "a", 1],
        ["ObjectCreated:Copy", "2.1", "b", 1],
        ["ObjectCreated:CompleteMultipartUpload", "2.1", "c", 4],
        ["ObjectTagging:Put", "2.3", "a", undefined],
        ["ObjectTagging:Delete", "2.3", "a", undefined],
        ["ObjectRemoved:Delete", "2.1", "a", undefined],
        ["ObjectRemoved:Delete", "2.1", "b", undefined],
      ],
    );
    assert.equal(seen.at(-1)?.s3.object.eTag, undefined);
  });

  test("DeleteObject in a versioned bucket tells the marker and the version", async () => {
    const Bucket = await server.bucket();
    await allow(Bucket);
    const { s3 } = server;
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
    await configure(Bucket, toRecorder({ Events: ["s3:ObjectCreated:Put", "s3:ObjectRemoved:*"] }));
    const { VersionId } = await s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: "x" }));
    const marker = await s3.send(new DeleteObjectCommand({ Bucket, Key: "k" }));
    await s3.send(new DeleteObjectCommand({ Bucket, Key: "k", VersionId }));
    assert.deepEqual(
      (await events(3)).map(({ eventName, s3: { object } }) => [eventName, object.versionId]),
      [
        ["ObjectCreated:Put", VersionId],
        ["ObjectRemoved:DeleteMarkerCreated", marker.VersionId],
        ["ObjectRemoved:Delete", VersionId],
      ],
    );
  });
});
