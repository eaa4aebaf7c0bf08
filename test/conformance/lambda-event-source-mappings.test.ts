/** Event source mappings while nothing polls: none can be made, and all else behaves as with none there. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  CreateEventSourceMappingCommand,
  DeleteEventSourceMappingCommand,
  GetEventSourceMappingCommand,
  ListEventSourceMappingsCommand,
  UpdateEventSourceMappingCommand,
  paginateListEventSourceMappings,
} from "@aws-sdk/client-lambda";
import type { CreateEventSourceMappingCommandInput } from "@aws-sdk/client-lambda";
import { ACCOUNT, ECHO, startSetting } from "./lambda-setting.ts";
import type { Setting } from "./lambda-setting.ts";

let setting: Setting;
let name: string;
before(async () => {
  setting = await startSetting();
  name = await setting.create(ECHO);
});
after(async () => setting?.server.stop());

const UUID = "00000000-0000-4000-8000-000000000000";
const arn = (service: string, rest: string) => `arn:aws:${service}:us-east-1:${ACCOUNT}:${rest}`;
const QUEUE = arn("sqs", "queue");
const STREAM = arn("kinesis", "stream/s");
const TABLE = arn("dynamodb", "table/t/stream/2026-01-01T00:00:00.000");
const CLUSTER = arn("kafka", "cluster/c/00000000-0000-4000-8000-000000000000-1");
const BROKER = arn("mq", "broker:b:b-00000000-0000-4000-8000-000000000000");

const create = (input: Partial<CreateEventSourceMappingCommandInput>) =>
  setting.lambda.send(new CreateEventSourceMappingCommand({ FunctionName: name, ...input }));

test("CreateEventSourceMapping is refused by name, with the source that nothing polls", async () => {
  for (const [input, source] of [
    [{ EventSourceArn: QUEUE, BatchSize: 10 }, "Amazon SQS"],
    [{ EventSourceArn: QUEUE, BatchSize: 100, MaximumBatchingWindowInSeconds: 1 }, "Amazon SQS"],
  ] as const)
    await assert.rejects(create(input), {
      name: "NotImplemented",
      message: `Lambent does not implement CreateEventSourceMapping of Lambda yet: nothing polls ${source}`,
    });
});

test("CreateEventSourceMapping says first what AWS would refuse", async () => {
  const AT = new Date("2026-01-01T00:00:00Z");
  for (const [input, message] of [
    [{}, /EventSourceArn or SelfManagedEventSource is required/],
    [{ EventSourceArn: arn("s3", "bucket") }, /Unrecognized event source/],
    [
      { EventSourceArn: QUEUE, StartingPosition: "LATEST" },
      /StartingPosition is not supported .* Amazon SQS/,
    ],
    [{ EventSourceArn: QUEUE, ParallelizationFactor: 2 }, /ParallelizationFactor is not supported/],
    [{ EventSourceArn: QUEUE, BatchSize: 11 }, /Maximum batch window in seconds must be greater than 0/],
    [{ EventSourceArn: `${QUEUE}.fifo`, BatchSize: 11 }, /FIFO queue is at most 10/],
    [{ EventSourceArn: `${QUEUE}.fifo`, MaximumBatchingWindowInSeconds: 1 }, /not supported for FIFO/],
    [{ EventSourceArn: STREAM }, /StartingPosition is required/],
    [{ EventSourceArn: STREAM, StartingPosition: "AT_TIMESTAMP" }, /StartingPositionTimestamp goes with/],
    [
      { EventSourceArn: STREAM, StartingPosition: "LATEST", StartingPositionTimestamp: AT },
      /StartingPositionTimestamp goes with/,
    ],
    [
      { EventSourceArn: TABLE, StartingPosition: "AT_TIMESTAMP", StartingPositionTimestamp: AT },
      /Unsupported starting position/,
    ],
    [{ EventSourceArn: STREAM, StartingPosition: "LATEST", MaximumRecordAgeInSeconds: 59 }, /at least 60/],
    [{ EventSourceArn: CLUSTER, StartingPosition: "LATEST" }, /Topics is required/],
    [{ EventSourceArn: BROKER }, /Queues is required/],
    [
      {
        EventSourceArn: CLUSTER,
        SelfManagedEventSource: { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: ["host:9092"] } },
      },
      /EventSourceArn and SelfManagedEventSource exclude/,
    ],
  ] as const)
    await assert.rejects(create(input as Partial<CreateEventSourceMappingCommandInput>), {
      name: "InvalidParameterValueException",
      message,
    });
  await assert.rejects(create({ EventSourceArn: QUEUE, FunctionName: "nobody" }), {
    name: "ResourceNotFoundException",
    message: /Function not found/,
  });
  await assert.rejects(create({ EventSourceArn: QUEUE, BatchSize: 10_001 }), { name: "ValidationException" });
});

test("ListEventSourceMappings is empty; GetEventSourceMapping, UpdateEventSourceMapping and DeleteEventSourceMapping find none", async () => {
  const list = (input: object = {}) => setting.lambda.send(new ListEventSourceMappingsCommand(input));
  for (const input of [{}, { FunctionName: name }, { EventSourceArn: QUEUE, MaxItems: 1 }]) {
    const { $metadata: _, ...answer } = await list(input);
    assert.deepEqual(answer, { EventSourceMappings: [] });
  }
  for await (const page of paginateListEventSourceMappings({ client: setting.lambda }, {}))
    assert.deepEqual(page.EventSourceMappings, []);
  await assert.rejects(list({ FunctionName: "nobody" }), { name: "ResourceNotFoundException" });
  await assert.rejects(list({ MaxItems: 0 }), { name: "ValidationException" });
  await assert.rejects(list({ Marker: "odd" }), { name: "InvalidParameterValueException" });
  const missing = {
    name: "ResourceNotFoundException",
    message: "The resource you requested does not exist.",
  };
  await assert.rejects(setting.lambda.send(new GetEventSourceMappingCommand({ UUID })), missing);
  await assert.rejects(setting.lambda.send(new DeleteEventSourceMappingCommand({ UUID })), missing);
  await assert.rejects(
    setting.lambda.send(new UpdateEventSourceMappingCommand({ UUID, BatchSize: 1 })),
    missing,
  );
  await assert.rejects(setting.lambda.send(new GetEventSourceMappingCommand({ UUID: "short" })), {
    name: "ValidationException",
  });
});
