/** S3 bucket notifications to SQS queues: what is taken, the probe, and the messages. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  DeleteObjectCommand,
  GetBucketNotificationConfigurationCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import type { NotificationConfiguration, QueueConfiguration } from "@aws-sdk/client-s3";
import {
  CreateTopicCommand,
  SNSClient,
  SetTopicAttributesCommand,
  SubscribeCommand,
} from "@aws-sdk/client-sns";
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteQueueCommand,
  ReceiveMessageCommand,
  SQSClient,
  SetQueueAttributesCommand,
} from "@aws-sdk/client-sqs";
import type { Message } from "@aws-sdk/client-sqs";
import { refused, startS3 } from "../harness/s3.ts";
import type { S3Server } from "../harness/s3.ts";

const ACCOUNT = "000000000000";
const CREATED = "s3:ObjectCreated:*" as const;

const arnOf = (queue: string) => `arn:aws:sqs:us-east-1:${ACCOUNT}:${queue}`;

/** Lets S3 send for one bucket. */
const policyFor = (queue: string, Bucket: string) =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Service: "s3.amazonaws.com" },
        Action: "sqs:SendMessage",
        Resource: arnOf(queue),
        Condition: {
          ArnEquals: { "aws:SourceArn": `arn:aws:s3:::${Bucket}` },
          StringEquals: { "aws:SourceAccount": ACCOUNT },
        },
      },
    ],
  });

/** Takes messages off a queue until there are none. */
async function drain(sqs: SQSClient, QueueUrl: string, WaitTimeSeconds = 0): Promise<Message[]> {
  const all: Message[] = [];
  for (;;) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: 10,
        WaitTimeSeconds,
        MessageSystemAttributeNames: ["All"],
      }),
    );
    if (Messages.length === 0) return all;
    all.push(...Messages);
    const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
    await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
  }
}

interface Entry {
  readonly eventName: string;
  readonly eventVersion: string;
  readonly userIdentity: { readonly principalId: string };
  readonly s3: {
    readonly configurationId: string;
    readonly object: { readonly key: string; readonly size?: number; readonly versionId?: string };
  };
}

const entriesOf = (messages: readonly Message[]) =>
  messages.flatMap(({ Body = "{}" }) => (JSON.parse(Body) as { Records?: Entry[] }).Records ?? []);

describe("S3 notifications to queues", () => {
  let server: S3Server;
  let sqs: SQSClient;
  before(async () => {
    server = await startS3();
    sqs = new SQSClient(server.client());
  });
  after(async () => {
    sqs?.destroy();
    await server.stop();
  });

  const configure = (Bucket: string, NotificationConfiguration: NotificationConfiguration, skip?: boolean) =>
    server.s3.send(
      new PutBucketNotificationConfigurationCommand({
        Bucket,
        NotificationConfiguration,
        ...(skip !== undefined && { SkipDestinationValidation: skip }),
      }),
    );
  let count = 0;
  /** A bucket, and a queue that it may send to. */
  const pair = async () => {
    const Bucket = await server.bucket();
    const QueueName = `queue-${count++}`;
    const Policy = policyFor(QueueName, Bucket);
    const { QueueUrl = "" } = await sqs.send(new CreateQueueCommand({ QueueName, Attributes: { Policy } }));
    return { Bucket, QueueUrl, QueueArn: arnOf(QueueName) };
  };
  const to = (QueueArn: string, more: Partial<QueueConfiguration> = {}) => ({
    QueueConfigurations: [{ QueueArn, Events: [CREATED], ...more }],
  });

  test("PutBucketNotificationConfiguration sends the queue a test event; GetBucketNotificationConfiguration tells it", async () => {
    const { Bucket, QueueUrl, QueueArn } = await pair();
    const Filter = { Key: { FilterRules: [{ Name: "Prefix" as const, Value: "in/" }] } };
    await configure(Bucket, to(QueueArn, { Id: "mine", Filter: Filter as never }));
    const [probe, ...others] = await drain(sqs, QueueUrl);
    assert.equal(others.length, 0);
    const { Time, RequestId, HostId, ...rest } = JSON.parse(probe?.Body ?? "{}") as Record<string, string>;
    assert.deepEqual(rest, { Service: "Amazon S3", Event: "s3:TestEvent", Bucket });
    assert.match(Time ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.ok(RequestId && HostId);
    const got = await server.s3.send(new GetBucketNotificationConfigurationCommand({ Bucket }));
    assert.deepEqual(got.QueueConfigurations, [{ Id: "mine", QueueArn, Events: [CREATED], Filter }]);
    assert.equal(got.LambdaFunctionConfigurations, undefined);
    await configure(Bucket, {});
    const none = await server.s3.send(new GetBucketNotificationConfigurationCommand({ Bucket }));
    assert.equal(none.QueueConfigurations, undefined);
  });

  test("topics get the test event and the events, once their policy lets the bucket publish", async () => {
    const { Bucket, QueueUrl, QueueArn } = await pair();
    const sns = new SNSClient(server.client());
    const { TopicArn = "" } = await sns.send(new CreateTopicCommand({ Name: "pictures" }));
    const Policy = JSON.stringify({
      Version: "2012-10-17",
      Statement: [
        {
          Effect: "Allow",
          Principal: { Service: "sns.amazonaws.com" },
          Action: "sqs:SendMessage",
          Resource: QueueArn,
        },
      ],
    });
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy } }));
    await sns.send(new SubscribeCommand({ TopicArn, Protocol: "sqs", Endpoint: QueueArn }));
    const TopicConfigurations = [{ Id: "told", TopicArn, Events: [CREATED] }];
    await refused(configure(Bucket, { TopicConfigurations }), "InvalidArgument", 400, {
      members: {
        ArgumentValue1:
          "Permissions on the destination topic do not allow S3 to publish notifications from this bucket",
      },
    });
    const AttributeValue = policyFor("pictures", Bucket)
      .replaceAll("sqs:SendMessage", "sns:Publish")
      .replaceAll(":sqs:", ":sns:");
    await sns.send(new SetTopicAttributesCommand({ TopicArn, AttributeName: "Policy", AttributeValue }));
    await configure(Bucket, { TopicConfigurations });
    const got = await server.s3.send(new GetBucketNotificationConfigurationCommand({ Bucket }));
    assert.deepEqual(got.TopicConfigurations, TopicConfigurations);
    await server.s3.send(new PutObjectCommand({ Bucket, Key: "a.jpg", Body: "text" }));
    const messages = (await drain(sqs, QueueUrl)).map(
      ({ Body = "" }) => JSON.parse(Body) as Record<string, string>,
    );
    assert.deepEqual(
      messages.map(({ Subject }) => Subject),
      ["Amazon S3 Notification", "Amazon S3 Notification"],
    );
    const [probe, event] = messages.map(({ Message = "" }) => JSON.parse(Message) as Record<string, never>);
    assert.equal(probe?.["Event"], "s3:TestEvent");
    const [{ s3 } = { s3: undefined }] = (event?.["Records"] ?? []) as Entry[];
    assert.deepEqual([s3?.configurationId, s3?.object.key], ["told", "a.jpg"]);
    await refused(
      configure(Bucket, { TopicConfigurations: [{ TopicArn: `${TopicArn}.fifo`, Events: [CREATED] }] }),
      "InvalidArgument",
      400,
      { message: /FIFO topics/ },
    );
    sns.destroy();
  });

  test("PutBucketNotificationConfiguration refuses queues that are not there, or do not let the bucket send", async () => {
    const { Bucket, QueueArn } = await pair();
    const other = await pair();
    const text = "Unable to validate the following destination configurations";
    await refused(configure(Bucket, to(arnOf("nowhere"))), "InvalidArgument", 400, {
      message: text,
      members: {
        ArgumentName1: `${arnOf("nowhere")}, null`,
        ArgumentValue1: "The destination queue does not exist",
      },
    });
    await refused(configure(Bucket, to(other.QueueArn)), "InvalidArgument", 400, {
      message: text,
      members: {
        ArgumentName1: `${other.QueueArn}, null`,
        ArgumentValue1:
          "Permissions on the destination queue do not allow S3 to publish notifications from this bucket",
      },
    });
    await configure(Bucket, to(other.QueueArn), true);
    assert.equal((await drain(sqs, other.QueueUrl)).length, 0, "what is not checked is not tried either");
    const cases: [NotificationConfiguration, RegExp][] = [
      [to("arn:aws:sqs:us-east-1:1:q"), /could not be parsed/],
      [to("arn:aws:sqs:eu-west-1:000000000000:q"), /region is not valid/],
      [to(arnOf("q.fifo")), /FIFO/],
      [
        { QueueConfigurations: [...to(QueueArn).QueueConfigurations, ...to(QueueArn).QueueConfigurations] },
        /overlap/,
      ],
      [
        {
          ...to(QueueArn, { Id: "one" }),
          LambdaFunctionConfigurations: [
            {
              Id: "one",
              LambdaFunctionArn: `arn:aws:lambda:us-east-1:${ACCOUNT}:function:f`,
              Events: ["s3:ObjectRemoved:*"],
            },
          ],
        },
        /Same ID/,
      ],
    ];
    for (const [configuration, message] of cases)
      await refused(configure(Bucket, configuration), "InvalidArgument", 400, { message });
  });

  test("PutObject and DeleteObject send messages to the queues whose filter fits", async () => {
    const { Bucket, QueueUrl, QueueArn } = await pair();
    const FilterRules = [{ Name: "suffix" as const, Value: ".jpg" }];
    const Events = [CREATED, "s3:ObjectRemoved:Delete" as const];
    await configure(Bucket, to(QueueArn, { Id: "pictures", Events, Filter: { Key: { FilterRules } } }));
    await drain(sqs, QueueUrl);
    await server.s3.send(new PutObjectCommand({ Bucket, Key: "a photo.jpg", Body: "text" }));
    await server.s3.send(new PutObjectCommand({ Bucket, Key: "a.txt", Body: "text" }));
    await server.s3.send(new DeleteObjectCommand({ Bucket, Key: "a photo.jpg" }));
    const messages = await drain(sqs, QueueUrl);
    const told = entriesOf(messages).map(({ eventName, s3 }) => [
      eventName,
      s3.configurationId,
      s3.object.key,
      s3.object.size,
    ]);
    assert.deepEqual(
      new Map(told.map(([name, ...rest]) => [name, rest])),
      new Map([
        ["ObjectCreated:Put", ["pictures", "a+photo.jpg", 4]],
        ["ObjectRemoved:Delete", ["pictures", "a+photo.jpg", undefined]],
      ]),
    );
    // A queue that is gone keeps nobody from writing.
    await sqs.send(new DeleteQueueCommand({ QueueUrl }));
    await server.s3.send(new PutObjectCommand({ Bucket, Key: "b.jpg", Body: "text" }));
  });

  test("what a lifecycle lets expire is told as such", async () => {
    const { Bucket, QueueUrl, QueueArn } = await pair();
    const plain = await pair();
    const Status = "Enabled" as const;
    await server.s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }));
    const rule = { Status, Filter: { Prefix: "" }, Expiration: { Date: new Date("2020-01-01T00:00:00Z") } };
    for (const [bucket, queue] of [
      [Bucket, QueueArn],
      [plain.Bucket, plain.QueueArn],
    ] as const) {
      await configure(bucket, to(queue, { Events: ["s3:LifecycleExpiration:*"] }));
      await server.s3.send(new PutObjectCommand({ Bucket: bucket, Key: "a", Body: "text" }));
      await server.s3.send(
        new PutBucketLifecycleConfigurationCommand({
          Bucket: bucket,
          LifecycleConfiguration: { Rules: [rule] },
        }),
      );
    }
    const told = async (url: string) => {
      for (;;) {
        const [entry] = entriesOf(await drain(sqs, url, 1));
        if (entry) return entry;
      }
    };
    const [marked, gone] = [await told(QueueUrl), await told(plain.QueueUrl)];
    assert.equal(marked.eventName, "LifecycleExpiration:DeleteMarkerCreated");
    assert.equal(gone.eventName, "LifecycleExpiration:Delete");
    assert.deepEqual(
      [gone.eventVersion, gone.userIdentity.principalId, gone.s3.object.key],
      ["2.3", "s3.amazonaws.com", "a"],
    );
  });
});
