/** What an event source mapping may say, by the kind of its source. https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html */
import type { Input } from "../../aws/service.ts";
import type { Client } from "./deps.ts";
import { invalidParameter } from "./errors.ts";

type Mapping = Input<Client, "CreateEventSourceMapping">;

/** A kind of source, as messages name it. */
export type EventSource =
  | "Amazon SQS"
  | "Amazon Kinesis"
  | "Amazon DynamoDB Streams"
  | "Apache Kafka"
  | "Amazon MQ"
  | "Amazon DocumentDB";

const QUEUE: readonly EventSource[] = ["Amazon SQS"];
const STREAMS: readonly EventSource[] = ["Amazon Kinesis", "Amazon DynamoDB Streams"];
const KAFKA: readonly EventSource[] = ["Apache Kafka"];
const POSITIONED: readonly EventSource[] = [...STREAMS, ...KAFKA, "Amazon DocumentDB"];

/** By the service in the source's ARN. */
const BY_SERVICE: Readonly<Record<string, EventSource>> = {
  sqs: "Amazon SQS",
  kinesis: "Amazon Kinesis",
  dynamodb: "Amazon DynamoDB Streams",
  kafka: "Apache Kafka",
  mq: "Amazon MQ",
  rds: "Amazon DocumentDB",
};

/** Members that only some kinds take. */
const TAKEN_BY: Partial<Record<keyof Mapping, readonly EventSource[]>> = {
  StartingPosition: POSITIONED,
  StartingPositionTimestamp: POSITIONED,
  ParallelizationFactor: STREAMS,
  BisectBatchOnFunctionError: [...STREAMS, ...KAFKA],
  MaximumRetryAttempts: [...STREAMS, ...KAFKA],
  MaximumRecordAgeInSeconds: [...STREAMS, ...KAFKA],
  DestinationConfig: [...STREAMS, ...KAFKA],
  TumblingWindowInSeconds: STREAMS,
  FunctionResponseTypes: [...QUEUE, ...STREAMS, ...KAFKA],
  ScalingConfig: QUEUE,
  ProvisionedPollerConfig: [...QUEUE, ...KAFKA],
  Topics: KAFKA,
  SelfManagedEventSource: KAFKA,
  AmazonManagedKafkaEventSourceConfig: KAFKA,
  SelfManagedKafkaEventSourceConfig: KAFKA,
  Queues: ["Amazon MQ"],
  DocumentDBEventSourceConfig: ["Amazon DocumentDB"],
};

/** Members that a kind cannot do without. */
const NEEDED_BY: Partial<Record<keyof Mapping, readonly EventSource[]>> = {
  StartingPosition: [...STREAMS, ...KAFKA],
  Topics: KAFKA,
  Queues: ["Amazon MQ"],
  DocumentDBEventSourceConfig: ["Amazon DocumentDB"],
};

const FIFO_BATCH_MAX = 10;
/** Larger batches need a window in which they can gather. */
const BATCH_WITHOUT_WINDOW_MAX = 10;
const RECORD_AGE_SECONDS_MIN = 60;

/**
 * The kind of source that a mapping is for.
 * @throws InvalidParameterValueException for what is no source, or what the kind does not take or needs.
 */
export function checkMapping(input: Mapping): EventSource {
  const source = sourceOf(input);
  for (const [member, kinds] of Object.entries(TAKEN_BY))
    if (isSaid(input[member as keyof Mapping]) && !kinds.includes(source))
      throw invalidParameter(`${member} is not supported for event sources of ${source}.`);
  const isQueueMode = input.SelfManagedKafkaEventSourceConfig?.ConsumptionMode === "Queue";
  for (const [member, kinds] of Object.entries(NEEDED_BY))
    if (!isSaid(input[member as keyof Mapping]) && kinds.includes(source) && !isQueueMode)
      throw invalidParameter(`${member} is required for event sources of ${source}.`);
  checkPosition(input, source);
  checkBatch(input, source);
  return source;
}

function sourceOf({ EventSourceArn, SelfManagedEventSource }: Mapping): EventSource {
  if (EventSourceArn && SelfManagedEventSource)
    throw invalidParameter("EventSourceArn and SelfManagedEventSource exclude each other.");
  if (SelfManagedEventSource) return "Apache Kafka";
  if (!EventSourceArn) throw invalidParameter("EventSourceArn or SelfManagedEventSource is required.");
  const source = BY_SERVICE[EventSourceArn.split(":")[2] ?? ""];
  if (!source) throw invalidParameter(`Unrecognized event source: ${EventSourceArn}`);
  return source;
}

function checkPosition({ StartingPosition, StartingPositionTimestamp }: Mapping, source: EventSource): void {
  if (StartingPosition === "AT_TIMESTAMP" && source === "Amazon DynamoDB Streams")
    throw invalidParameter("Unsupported starting position for source type: AT_TIMESTAMP");
  if ((StartingPosition === "AT_TIMESTAMP") === (StartingPositionTimestamp === undefined))
    throw invalidParameter(
      "StartingPositionTimestamp goes with StartingPosition AT_TIMESTAMP, and only with it.",
    );
}

function checkBatch(input: Mapping, source: EventSource): void {
  const { BatchSize = 0, MaximumBatchingWindowInSeconds = 0, MaximumRecordAgeInSeconds = -1 } = input;
  if (source === "Amazon SQS" && input.EventSourceArn?.endsWith(".fifo")) {
    if (BatchSize > FIFO_BATCH_MAX)
      throw invalidParameter(`BatchSize of a FIFO queue is at most ${FIFO_BATCH_MAX}.`);
    if (MaximumBatchingWindowInSeconds > 0)
      throw invalidParameter("Batching window is not supported for FIFO queues.");
  } else if (
    source === "Amazon SQS" &&
    BatchSize > BATCH_WITHOUT_WINDOW_MAX &&
    MaximumBatchingWindowInSeconds < 1
  )
    throw invalidParameter(
      `Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than ${BATCH_WITHOUT_WINDOW_MAX}`,
    );
  if (MaximumRecordAgeInSeconds !== -1 && MaximumRecordAgeInSeconds < RECORD_AGE_SECONDS_MIN)
    throw invalidParameter(`MaximumRecordAgeInSeconds is -1, or at least ${RECORD_AGE_SECONDS_MIN}.`);
  if (input.ScalingConfig?.MaximumConcurrency !== undefined && input.ProvisionedPollerConfig)
    throw invalidParameter("MaximumConcurrency and ProvisionedPollerConfig exclude each other.");
}

function isSaid(value: unknown): boolean {
  return value !== undefined && value !== null;
}
