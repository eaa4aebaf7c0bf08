/** Operations for the AWS CLI and boto3 to talk to: small, with one answer each that shows what arrived. */
import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import { AwsError } from "../../src/aws/errors.ts";
import { bytesOf } from "./door.ts";
import type { Doubles } from "./door.ts";

const objects = new Map<string, Buffer>();
const parts = new Map<number, Buffer>();
const created = new Date("2026-11-23T10:00:00Z");

export const doubles: Doubles = {
  lambda: {
    CreateFunction: (input) => ({
      FunctionName: input.FunctionName,
      CodeSize: input.Code.ZipFile.length,
      Environment: { Variables: input.Environment?.Variables },
    }),
    Invoke: (input) => ({
      StatusCode: 200,
      ExecutedVersion: input.Qualifier ?? "$LATEST",
      Payload: input.Payload,
    }),
    GetFunction: (input) => {
      throw new AwsError("ResourceNotFoundException", `Function not found: ${input.FunctionName}`, {
        Type: "User",
      });
    },
  },
  s3: {
    PutObject: async (input) => {
      objects.set(input.Key, await bytesOf(input.Body as Readable));
      return {
        ETag: `"${Object.entries(input.Metadata ?? {})
          .flat()
          .join("=")}"`,
      };
    },
    HeadObject: (input) => ({
      ContentLength: existing(input.Key).length,
      LastModified: created,
      ETag: '"e"',
    }),
    GetObject: (input, context) => {
      const whole = existing(input.Key);
      const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(input.Range ?? "") ?? [];
      const start = Number(first ?? 0);
      const bytes = whole.subarray(start, last === undefined || last === "" ? undefined : Number(last) + 1);
      if (first !== undefined) context.responseStatus = 206;
      const range =
        first === undefined
          ? {}
          : { ContentRange: `bytes ${start}-${start + bytes.length - 1}/${whole.length}` };
      return { Body: bytes, ContentLength: bytes.length, LastModified: created, ETag: '"e"', ...range };
    },
    GetBucketLocation: () => ({ LocationConstraint: "eu-central-1" }),
    DeleteObjects: (input) => ({ Deleted: input.Delete.Objects }),
    ListObjectsV2: (input) => ({
      Name: input.Bucket,
      Prefix: input.Prefix,
      KeyCount: objects.size,
      MaxKeys: 1000,
      IsTruncated: false,
      Contents: [...objects].map(([Key, bytes]) => ({
        Key,
        Size: bytes.length,
        LastModified: created,
        StorageClass: "STANDARD",
      })),
    }),
    CreateMultipartUpload: (input) => ({ Bucket: input.Bucket, Key: input.Key, UploadId: "upload" }),
    UploadPart: async (input) => {
      parts.set(input.PartNumber, await bytesOf(input.Body as Readable));
      return { ETag: `"part-${input.PartNumber}"` };
    },
    CompleteMultipartUpload: (input) => {
      const numbers = (input.MultipartUpload.Parts as { PartNumber: number }[]).map(
        (part) => part.PartNumber,
      );
      objects.set(input.Key, Buffer.concat(numbers.flatMap((number) => parts.get(number) ?? [])));
      return { Bucket: input.Bucket, Key: input.Key, ETag: '"whole"' };
    },
  },
  dynamodb: { PutItem: (input) => ({ Attributes: input.Item }) },
  kinesis: {
    PutRecords: (input) => ({
      FailedRecordCount: 0,
      Records: (input.Records as { Data: Uint8Array; PartitionKey: string }[]).map((record) => ({
        SequenceNumber: String(record.Data.length),
        ShardId: record.PartitionKey,
      })),
    }),
  },
  "cloudwatch-logs": {
    FilterLogEvents: (input) => ({
      events: [{ message: `${input.logGroupName} <&> ${input.filterPattern}`, timestamp: input.startTime }],
    }),
  },
  sqs: {
    SendMessage: (input) => ({ MessageId: input.MessageBody, MD5OfMessageBody: md5Of(input.MessageBody) }),
    GetQueueUrl: () => {
      throw new AwsError("QueueDoesNotExist", "The specified queue does not exist.");
    },
  },
  sns: { Publish: (input) => ({ MessageId: `${input.Message}/${input.MessageAttributes.a.StringValue}` }) },
  cloudwatch: {
    PutMetricData: () => ({}),
    DescribeAlarms: () => ({
      MetricAlarms: [
        { AlarmName: "a", Threshold: 2.5, AlarmConfigurationUpdatedTimestamp: created, Dimensions: [] },
      ],
    }),
  },
  cloudformation: {
    DescribeStacks: (input) => {
      if (input.StackName === "nope")
        throw new AwsError("ValidationError", "Stack with id nope does not exist", {}, 400);
      return {
        Stacks: [
          {
            StackName: "s",
            CreationTime: created,
            StackStatus: "CREATE_COMPLETE",
            Parameters: [{ ParameterKey: "k", ParameterValue: "<v>" }],
          },
        ],
      };
    },
  },
  iam: {
    CreateRole: (input) => ({
      Role: {
        RoleName: input.RoleName,
        Path: "/",
        RoleId: "AROA",
        Arn: "arn:aws:iam::111122223333:role/r",
        CreateDate: created,
        Tags: input.Tags,
      },
    }),
    GetRole: (input) => {
      throw new AwsError("NoSuchEntityException", `The role with name ${input.RoleName} cannot be found.`);
    },
  },
  sts: {
    GetCallerIdentity: (_, context) => ({
      Account: context.principal.account,
      Arn: context.principal.arn,
      UserId: "u",
    }),
  },
  "api-gateway": { CreateRestApi: (input) => ({ id: "abc", name: input.name, createdDate: created }) },
};

function existing(key: string): Buffer {
  const found = objects.get(key);
  if (!found) throw new AwsError("NoSuchKey", "The specified key does not exist.", { Key: key });
  return found;
}

/** Clients check it. */
function md5Of(text: string): string {
  return createHash("md5").update(text).digest("hex");
}
