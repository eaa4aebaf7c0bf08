/** Kinesis and DynamoDB Streams as kinds of event sources. */
import { AwsError } from "../../aws/errors.ts";
import type { Database } from "../../store/database.ts";
import type { MappingInput } from "../mapping.ts";
import type { ExecutionRoles } from "../ports.ts";
import type { SourceKind } from "../source.ts";
import { DYNAMODB_EVENTS, KINESIS_EVENTS } from "./events.ts";
import { migrations } from "./migrations/index.ts";
import type { DynamoDbRecord, KinesisRecord, ShardReader, StreamRecord } from "./ports.ts";
import { BATCH_SIZE_DEFAULT } from "./settings.ts";
import { forgetMapping } from "./store.ts";
import { StreamSource } from "./stream-source.ts";
import type { StreamKindDeps } from "./stream-source.ts";

/** `<stream's ARN>/consumer/<name>:<created>` */
const CONSUMER = /\/consumer\/[^/]+$/;

const DYNAMODB_ACTIONS = ["GetRecords", "GetShardIterator", "DescribeStream", "ListStreams"];
const KINESIS_ACTIONS = ["GetRecords", "GetShardIterator", "DescribeStream", "ListShards", "ListStreams"];
/** These are asked of all streams, and a role is not refused for lacking them. */
const UNSCOPED: ReadonlySet<string> = new Set(["ListStreams", "ListShards"]);

/** Makes the tables of checkpoints; called before a kind is used. */
export function prepareStreams(database: Database): Promise<void> {
  return database.migrate("sources-streams", migrations);
}

export function createKinesisSource(deps: {
  readonly roles: ExecutionRoles;
  readonly streams: ShardReader<KinesisRecord>;
}): SourceKind {
  return streamKind("Amazon Kinesis", "data", deps.roles, {
    reader: deps.streams,
    shape: KINESIS_EVENTS,
    streamArn: (arn) => arn.replace(CONSUMER, ""),
    async checkRole(arn, may) {
      const stream = arn.replace(CONSUMER, "");
      await checkActions("kinesis", KINESIS_ACTIONS, stream, may);
      if (stream !== arn) await checkActions("kinesis", ["SubscribeToShard"], arn, may);
    },
  });
}

export function createDynamoDbSource(deps: {
  readonly roles: ExecutionRoles;
  readonly streams: ShardReader<DynamoDbRecord>;
}): SourceKind {
  return streamKind("Amazon DynamoDB Streams", undefined, deps.roles, {
    reader: deps.streams,
    shape: DYNAMODB_EVENTS,
    streamArn: (arn) => arn,
    checkRole: (arn, may) => checkActions("dynamodb", DYNAMODB_ACTIONS, arn, may),
  });
}

function streamKind<R extends StreamRecord>(
  name: string,
  dataKey: SourceKind["dataKey"],
  roles: ExecutionRoles,
  kind: StreamKindDeps<R>,
): SourceKind {
  return {
    name,
    dataKey,
    runsOn: "every server",
    userReason: "User action",
    tellsResult: true,
    crossesAccounts: true,
    defaults: streamDefaults,
    sourceKey: ({ EventSourceArn }) => EventSourceArn ?? "",
    async validate({ eventSourceArn = "", isEnabled, state }, { roleArn }) {
      // One whose stream is gone can still be disabled.
      if (!isEnabled && state !== "Creating") return;
      // First, so that nobody learns of another account's streams what they may not.
      await kind.checkRole(eventSourceArn, async (action, arn) =>
        roles.mayUse(roleArn, action, { arn, policy: await kind.reader.policyOf(arn) }),
      );
      if (!(await kind.reader.describe(eventSourceArn))) throw invalid(`Stream not found: ${eventSourceArn}`);
    },
    start: (mapping, context) => new StreamSource(kind, mapping, context),
    forget: (tx, { uuid }) => forgetMapping(tx, uuid),
  };
}

/** What AWS answers for members that the request left out. */
function streamDefaults(input: MappingInput): Partial<MappingInput> {
  return {
    BatchSize: input.BatchSize ?? BATCH_SIZE_DEFAULT,
    MaximumBatchingWindowInSeconds: input.MaximumBatchingWindowInSeconds ?? 0,
    ParallelizationFactor: input.ParallelizationFactor ?? 1,
    DestinationConfig: input.DestinationConfig ?? { OnFailure: {} },
    MaximumRecordAgeInSeconds: input.MaximumRecordAgeInSeconds ?? -1,
    BisectBatchOnFunctionError: input.BisectBatchOnFunctionError ?? false,
    MaximumRetryAttempts: input.MaximumRetryAttempts ?? -1,
    TumblingWindowInSeconds: input.TumblingWindowInSeconds ?? 0,
    FunctionResponseTypes: input.FunctionResponseTypes ?? [],
  };
}

async function checkActions(
  service: "kinesis" | "dynamodb",
  actions: readonly string[],
  arn: string,
  may: (action: string, arn: string) => Promise<boolean>,
): Promise<void> {
  for (const action of actions) {
    if (UNSCOPED.has(action) || (await may(`${service}:${action}`, arn))) continue;
    const list =
      actions.length > 1 ? `${actions.slice(0, -1).join(", ")}, and ${actions.at(-1)}` : actions[0];
    throw invalid(
      `Cannot access stream ${arn}. Please ensure the role can perform the ${list} Actions on your stream in IAM.`,
    );
  }
}

function invalid(message: string): AwsError {
  return new AwsError("InvalidParameterValueException", message);
}
