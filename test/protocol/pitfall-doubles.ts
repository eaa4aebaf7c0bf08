/** Operations that record what arrived and answer with what the tests of the pitfalls look for. */
import { AwsError } from "../../src/aws/errors.ts";
import { bytesOf } from "./door.ts";
import type { Doubles } from "./door.ts";

const seen: { operation: string; input: Record<string, unknown> }[] = [];
const record = (answer: unknown) => (input: Record<string, unknown>, context: { operation: string }) => {
  seen.push({ operation: context.operation, input });
  return answer;
};
export const lastInput = () => seen.at(-1)?.input;
export const lastOperation = () => seen.at(-1)?.operation;

/** Bytes, as HeadObject tells it. */
export const objectSize = 5;

export const doubles: Doubles = {
  "api-gateway": {
    GetResources: record({ position: "next-page", items: [] }),
    ImportRestApi: record({ id: "abc" }),
  },
  kinesis: {
    ListStreams: record({ StreamNames: ["s"], HasMoreStreams: false }),
    GetRecords: record({
      Records: [
        {
          SequenceNumber: "1",
          PartitionKey: "p",
          Data: Buffer.from("x"),
          ApproximateArrivalTimestamp: new Date(1_700_000_000_123),
        },
      ],
    }),
    GetShardIterator: record({ ShardIterator: "i" }),
  },
  cloudwatch: {
    PutMetricData: record({}),
    SetAlarmState: () => {
      throw new AwsError("ResourceNotFound", "no alarm");
    },
    DescribeAlarmHistory: record({ AlarmHistoryItems: [{ Timestamp: new Date(1_700_000_000_123) }] }),
  },
  cloudformation: {
    DescribeStacks: () => {
      throw new AwsError("ValidationError", "Stack with id nope does not exist", {}, 400);
    },
  },
  sqs: {
    GetQueueUrl: () => {
      throw new AwsError("QueueDoesNotExist", "The specified queue does not exist.");
    },
  },
  sts: { AssumeRoleWithWebIdentity: record({ Credentials: undefined }) },
  "cloudwatch-logs": {
    StartLiveTail: () => ({ responseStream: endedSession() }),
    CreateLogGroup: record({}),
  },
  dynamodb: { PutItem: record({}) },
  lambda: {
    CreateFunction: record({ FunctionName: "f", LastModified: "now" }),
    Invoke: (input) => ({ StatusCode: 200, Payload: input.Payload as Uint8Array }),
    InvokeWithResponseStream: () => ({ StatusCode: 200, EventStream: brokenPayload() }),
    ListFunctions: record({ Functions: [] }),
    DeleteAlias: record({}),
    GetAlias: (_, context) => {
      context.responseHeaders["x-bad\nname"] = "1";
      return { Name: "a" };
    },
    PublishVersion: () => {
      throw new TypeError("a bug");
    },
  },
  s3: {
    GetBucketLocation: record({ LocationConstraint: "eu-west-1" }),
    GetBucketAcl: record({ Owner: { ID: "me" } }),
    ListObjectsV2: record({ Contents: [] }),
    ListObjects: record({ Contents: [] }),
    HeadObject: (input) => {
      if (input.Key === "missing") throw new AwsError("NotFound", "Not Found");
      return {
        ContentLength: objectSize,
        LastModified: new Date(1_700_000_000_000),
        Metadata: { A: "1" },
      };
    },
    GetObject: (input) => ({ Body: `body of ${input.Bucket}/${input.Key}`, ContentType: "text/x-test" }),
    PutObject: async (input, context) => {
      seen.push({
        operation: context.operation,
        input: { ...input, Body: String(await bytesOf(input.Body)) },
      });
      return { ETag: '"e"' };
    },
    CopyObject: record({ CopyObjectResult: { ETag: '"c"' } }),
    UploadPart: async (input, context) => {
      await bytesOf(input.Body);
      seen.push({ operation: context.operation, input });
      return { ETag: '"p"' };
    },
  },
};

async function* endedSession(): AsyncGenerator<Record<string, unknown>> {
  yield { sessionStart: { sessionId: "first" } };
  throw new AwsError("SessionTimeoutException", "the session is over");
}

async function* brokenPayload(): AsyncGenerator<Record<string, unknown>> {
  yield { PayloadChunk: { Payload: "half" } };
  throw new TypeError("a bug");
}
