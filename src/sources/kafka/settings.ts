/** What a mapping of Kafka says, checked and with AWS's defaults. https://docs.aws.amazon.com/lambda/latest/dg/with-kafka-configure.html */
import { notImplemented } from "../../aws/errors.ts";
import { invalidParameter } from "../errors.ts";
import type { Mapping, MappingInput, MappingSettings } from "../mapping.ts";
import type { ErrorHandling } from "./delivery.ts";

/** What AWS has where the mapping does not say. */
const batchSize = 100;
const windowMs = 500;
const retriesWithDestination = 10;
export const TOPIC_SCHEME = "kafka://";

export function kafkaDefaults({ ProvisionedPollerConfig }: MappingInput): Partial<MappingInput> {
  if (!ProvisionedPollerConfig) return { BatchSize: batchSize };
  return {
    BatchSize: batchSize,
    MaximumRetryAttempts: -1,
    MaximumRecordAgeInSeconds: -1,
    BisectBatchOnFunctionError: false,
  };
}

/** @throws InvalidParameterValueException for what AWS refuses, NotImplemented for what is not done here. */
export function checkKafkaSettings(settings: MappingSettings): void {
  const own = settings.AmazonManagedKafkaEventSourceConfig ?? settings.SelfManagedKafkaEventSourceConfig;
  if (own?.SchemaRegistryConfig)
    throw notImplemented(
      "SchemaRegistryConfig of event source mappings: records reach the function as they are",
    );
  if (settings.SelfManagedKafkaEventSourceConfig?.ConsumptionMode === "Queue")
    throw notImplemented(
      "ConsumptionMode Queue of event source mappings (share groups); Stream is implemented",
    );
  if (settings.LoggingConfig) throw notImplemented("LoggingConfig of event source mappings");
  if (settings.ProvisionedPollerConfig?.PollerGroupName)
    throw notImplemented(
      "PollerGroupName of event source mappings: pollers are shared with no other mapping here",
    );
  if (settings.EventSourceArn && settings.SelfManagedKafkaEventSourceConfig)
    throw invalidParameter("SelfManagedKafkaEventSourceConfig is for self-managed Apache Kafka only.");
  if (settings.SelfManagedEventSource) checkSelfManaged(settings);
  if (!settings.ProvisionedPollerConfig) checkUnprovisioned(settings);
  const destination = destinationTopic(settings);
  if (destination !== undefined && settings.Topics?.includes(destination))
    throw invalidParameter(
      `The OnFailure destination ${TOPIC_SCHEME}${destination} is the topic that the mapping reads.`,
    );
}

function checkSelfManaged({
  SelfManagedEventSource,
  AmazonManagedKafkaEventSourceConfig,
}: MappingSettings): void {
  const servers = SelfManagedEventSource?.Endpoints?.KAFKA_BOOTSTRAP_SERVERS ?? [];
  if (servers.length === 0)
    throw invalidParameter("SelfManagedEventSource needs Endpoints with KAFKA_BOOTSTRAP_SERVERS.");
  const wrong = servers.find((server) => !/^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?:\d{1,5}$/.test(server));
  if (wrong !== undefined)
    throw invalidParameter(`The bootstrap server ${wrong} is not of the form host:port.`);
  if (AmazonManagedKafkaEventSourceConfig)
    throw invalidParameter("AmazonManagedKafkaEventSourceConfig is for Amazon MSK only.");
}

/** Error handling beyond "until it succeeds" is for provisioned mode. */
function checkUnprovisioned(settings: MappingSettings): void {
  const said = {
    BisectBatchOnFunctionError: settings.BisectBatchOnFunctionError === true,
    MaximumRetryAttempts: (settings.MaximumRetryAttempts ?? -1) !== -1,
    MaximumRecordAgeInSeconds: (settings.MaximumRecordAgeInSeconds ?? -1) !== -1,
    FunctionResponseTypes: (settings.FunctionResponseTypes ?? []).length > 0,
    [`DestinationConfig with a destination ${TOPIC_SCHEME}`]: destinationTopic(settings) !== undefined,
  };
  const [member] = Object.entries(said).find(([, isSaid]) => isSaid) ?? [];
  if (member !== undefined)
    throw invalidParameter(
      `${member} is only supported for event sources of Apache Kafka in provisioned mode (ProvisionedPollerConfig).`,
    );
}

/** The topic that OnFailure names. */
export function destinationTopic({ DestinationConfig }: MappingSettings): string | undefined {
  const destination = DestinationConfig?.OnFailure?.Destination;
  return destination?.startsWith(TOPIC_SCHEME) ? destination.slice(TOPIC_SCHEME.length) : undefined;
}

export function errorHandlingOf(settings: MappingSettings): ErrorHandling {
  const { MaximumRetryAttempts = -1, MaximumRecordAgeInSeconds = -1 } = settings;
  const hasDestination = Boolean(settings.DestinationConfig?.OnFailure?.Destination);
  return {
    // With a destination AWS tries no more than ten times again, where the mapping says "for ever".
    retriesMax:
      MaximumRetryAttempts >= 0 ? MaximumRetryAttempts : hasDestination ? retriesWithDestination : Infinity,
    ageMsMax: MaximumRecordAgeInSeconds >= 0 ? MaximumRecordAgeInSeconds * 1_000 : Infinity,
    isBisecting: settings.BisectBatchOnFunctionError === true,
    isReportingItems: settings.FunctionResponseTypes?.includes("ReportBatchItemFailures") === true,
  };
}

export function batchingOf({ BatchSize, MaximumBatchingWindowInSeconds }: MappingSettings) {
  return {
    batchSize: BatchSize ?? batchSize,
    windowMs:
      MaximumBatchingWindowInSeconds === undefined ? windowMs : MaximumBatchingWindowInSeconds * 1_000,
  };
}

/** The mapping's own group is named after it. */
export function groupIdOf({ uuid, settings }: Mapping): string {
  const { AmazonManagedKafkaEventSourceConfig: managed, SelfManagedKafkaEventSourceConfig: own } = settings;
  return (managed ?? own)?.ConsumerGroupId ?? uuid;
}
