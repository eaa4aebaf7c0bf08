/** What an event source mapping may say, by the kind of its source. https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html */
import { notImplemented } from "../aws/errors.ts";
import { invalidParameter } from "./errors.ts";
import type { MappingInput } from "./mapping.ts";

/** What the rules look at: a new mapping, or one as it would be after an update. */
export type CheckedMapping = Omit<MappingInput, "FunctionName" | "StartingPositionTimestamp"> & {
  readonly StartingPositionTimestamp?: unknown;
};

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
export const BY_SERVICE: Readonly<Record<string, EventSource>> = {
  sqs: "Amazon SQS",
  kinesis: "Amazon Kinesis",
  dynamodb: "Amazon DynamoDB Streams",
  kafka: "Apache Kafka",
  mq: "Amazon MQ",
  rds: "Amazon DocumentDB",
};

/** Members that only some kinds take. */
const TAKEN_BY: Partial<Record<keyof CheckedMapping, readonly EventSource[]>> = {
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
  LoggingConfig: KAFKA,
  SourceAccessConfigurations: [...KAFKA, "Amazon MQ", "Amazon DocumentDB"],
  ProvisionedPollerConfig: [...QUEUE, ...KAFKA],
  Topics: KAFKA,
  SelfManagedEventSource: KAFKA,
  AmazonManagedKafkaEventSourceConfig: KAFKA,
  SelfManagedKafkaEventSourceConfig: KAFKA,
  Queues: ["Amazon MQ"],
  DocumentDBEventSourceConfig: ["Amazon DocumentDB"],
};

/** Members that a kind cannot do without. */
const NEEDED_BY: Partial<Record<keyof CheckedMapping, readonly EventSource[]>> = {
  StartingPosition: [...STREAMS, ...KAFKA],
  Topics: KAFKA,
  Queues: ["Amazon MQ"],
  DocumentDBEventSourceConfig: ["Amazon DocumentDB"],
};

/** Metrics that only Kafka has, and kinds that have none. */
const KAFKA_METRICS: ReadonlySet<string> = new Set(["ErrorCount", "KafkaMetrics"]);
const UNMEASURED: ReadonlySet<EventSource> = new Set(["Amazon MQ", "Amazon DocumentDB"]);
/** Each alone; ScalingConfig and ProvisionedPollerConfig exclude each other. */
const POLLERS: Partial<
  Record<EventSource, { least: number; most: number; default: readonly [number, number] }>
> = {
  "Amazon SQS": { least: 2, most: 10_000, default: [2, 200] },
  "Apache Kafka": { least: 1, most: 2_000, default: [1, 200] },
};
const FIFO_BATCH_MAX = 10;
/** Larger batches need a window in which they can gather. */
const BATCH_WITHOUT_WINDOW_MAX = 10;
const RECORD_AGE_SECONDS_MIN = 60;

/**
 * The kind of source that a mapping is for.
 * @throws InvalidParameterValueException for what is no source, or what the kind does not take or needs.
 */
export function checkMapping(input: CheckedMapping): EventSource {
  const source = sourceOf(input);
  for (const [member, kinds] of Object.entries(TAKEN_BY))
    if (isSaid(input[member as keyof CheckedMapping]) && !kinds.includes(source))
      throw invalidParameter(`${member} is not supported for event sources of ${source}.`);
  const isQueueMode = input.SelfManagedKafkaEventSourceConfig?.ConsumptionMode === "Queue";
  for (const [member, kinds] of Object.entries(NEEDED_BY))
    if (!isSaid(input[member as keyof CheckedMapping]) && kinds.includes(source) && !isQueueMode)
      throw invalidParameter(`${member} is required for event sources of ${source}.`);
  refuse(input, source);
  checkPosition(input, source);
  checkBatch(input, source);
  checkScaling(input, source);
  for (const metric of input.MetricsConfig?.Metrics ?? [])
    if (UNMEASURED.has(source) || (KAFKA_METRICS.has(metric) && source !== "Apache Kafka"))
      throw invalidParameter(`MetricsConfig: ${metric} is not supported for event sources of ${source}.`);
  return source;
}

/** What AWS does and this server does not. @throws NotImplemented naming it. */
function refuse(input: CheckedMapping, source: EventSource): void {
  if (source === "Amazon DocumentDB") throw notImplemented("event source mappings of Amazon DocumentDB");
  if (input.KMSKeyArn) throw notImplemented("KMSKeyArn of event source mappings: this server has no AWS KMS");
}

/** What AWS has for pollers that a request for provisioned mode does not number. */
export function withPollers<T extends Pick<CheckedMapping, "ProvisionedPollerConfig">>(
  settings: T,
  source: string,
): T {
  const bounds = POLLERS[source as EventSource];
  const { ProvisionedPollerConfig: given } = settings;
  if (!given || !bounds) return settings;
  const [least, most] = bounds.default;
  const { MinimumPollers, MaximumPollers } = given;
  return {
    ...settings,
    ProvisionedPollerConfig: {
      ...given,
      MinimumPollers: MinimumPollers ?? least,
      MaximumPollers: MaximumPollers ?? Math.max(most, MinimumPollers ?? 0),
    },
  };
}

function checkScaling(input: CheckedMapping, source: EventSource): void {
  const { ScalingConfig, ProvisionedPollerConfig } = input;
  if (ScalingConfig?.MaximumConcurrency !== undefined && ProvisionedPollerConfig)
    throw invalidParameter("MaximumConcurrency and ProvisionedPollerConfig exclude each other.");
  const bounds = POLLERS[source];
  if (!ProvisionedPollerConfig || !bounds) return;
  const { MinimumPollers = bounds.default[0], MaximumPollers = bounds.default[1] } = ProvisionedPollerConfig;
  if (Math.min(MinimumPollers, MaximumPollers) < bounds.least)
    throw invalidParameter(
      `MinimumPollers and MaximumPollers of event sources of ${source} are at least ${bounds.least}.`,
    );
  if (MaximumPollers > bounds.most)
    throw invalidParameter(`MaximumPollers of event sources of ${source} is at most ${bounds.most}.`);
  if (MinimumPollers > MaximumPollers)
    throw invalidParameter("MinimumPollers cannot be greater than MaximumPollers.");
}

function sourceOf({ EventSourceArn, SelfManagedEventSource }: CheckedMapping): EventSource {
  if (EventSourceArn && SelfManagedEventSource)
    throw invalidParameter("EventSourceArn and SelfManagedEventSource exclude each other.");
  if (SelfManagedEventSource) return "Apache Kafka";
  if (!EventSourceArn) throw invalidParameter("EventSourceArn or SelfManagedEventSource is required.");
  const source = BY_SERVICE[EventSourceArn.split(":")[2] ?? ""];
  if (!source) throw invalidParameter(`Unrecognized event source: ${EventSourceArn}`);
  return source;
}

function checkPosition(
  { StartingPosition, StartingPositionTimestamp }: CheckedMapping,
  source: EventSource,
): void {
  if (StartingPosition === "AT_TIMESTAMP" && source === "Amazon DynamoDB Streams")
    throw invalidParameter("Unsupported starting position for source type: AT_TIMESTAMP");
  if ((StartingPosition === "AT_TIMESTAMP") === (StartingPositionTimestamp === undefined))
    throw invalidParameter(
      "StartingPositionTimestamp goes with StartingPosition AT_TIMESTAMP, and only with it.",
    );
}

function checkBatch(input: CheckedMapping, source: EventSource): void {
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
}

function isSaid(value: unknown): boolean {
  return value !== undefined && value !== null;
}
