/** What Kinesis' requests need of the caller's policies, and what the policies of streams and consumers grant. */
import { authorizationFrom } from "../../aws/service.ts";
import type {
  ConditionValues,
  RequestContext,
  Requirement,
  ServiceAuthorization,
} from "../../aws/service.ts";
import { tagConditions, tagKeyConditions } from "../../aws/tag-conditions.ts";
import type { Clock } from "../../kit/clock.ts";
import type { Client, Kinesis } from "./deps.ts";
import { placeNamed, whatPolicySays } from "./lookup.ts";
import type { Named } from "./lookup.ts";
import { consumerArn, readConsumerArn, readStreamArn, streamArn } from "./names.ts";
import { streamOfToken } from "./operations/list-shards.ts";
import { streamOfIterator } from "./records/iterator.ts";
import { findConsumer } from "./store-consumers.ts";
import { readTags } from "./tags.ts";

/** The stream that a request names. @throws AwsError where it names none */
function onStream(input: Named, context: RequestContext, conditions?: ConditionValues): Requirement[] {
  const resource = streamArn(placeNamed(input, context));
  return [{ action: `kinesis:${context.operation}`, resource, ...(conditions && { conditions }) }];
}

const onNamed = (input: Named, context: RequestContext) => onStream(input, context);

const anywhere = (_input: object, { operation }: RequestContext): Requirement[] => [
  { action: `kinesis:${operation}`, resource: "*" },
];

/** A stream or consumer by its ARN, which policies compare as text. */
function onArn(
  arn: string | undefined,
  { operation }: RequestContext,
  conditions: ConditionValues = {},
): Requirement[] {
  return [{ action: `kinesis:${operation}`, resource: arn ?? "*", conditions }];
}

interface NamedConsumer extends Named {
  readonly ConsumerARN?: string | undefined;
  readonly ConsumerName?: string | undefined;
}

const byOperation = (clock: Clock) =>
  /** @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonkinesisdatastreams.html */
  authorizationFrom<Client>({
    AddTagsToStream: (input, context) => onStream(input, context, tagConditions(input.Tags)),
    CreateStream: (input, context) => {
      const [own] = onStream({ StreamName: input.StreamName }, context, tagConditions(input.Tags));
      if (!own) return [];
      const isTagged = Object.keys(input.Tags ?? {}).length > 0;
      return [own, ...(isTagged ? [{ ...own, action: "kinesis:AddTagsToStream" }] : [])];
    },
    DecreaseStreamRetentionPeriod: onNamed,
    DeleteResourcePolicy: (input, context) => onArn(input.ResourceARN, context),
    DeleteStream: onNamed,
    DeregisterStreamConsumer: onConsumer,
    DescribeAccountSettings: anywhere,
    DescribeLimits: anywhere,
    DescribeStream: onNamed,
    DescribeStreamConsumer: onConsumer,
    DescribeStreamSummary: onNamed,
    DisableEnhancedMonitoring: onNamed,
    EnableEnhancedMonitoring: onNamed,
    GetRecords: (input, context) => {
      const place = streamOfIterator(input.ShardIterator ?? "");
      return onArn(place && streamArn(place), context);
    },
    GetResourcePolicy: (input, context) => onArn(input.ResourceARN, context),
    GetShardIterator: onNamed,
    IncreaseStreamRetentionPeriod: onNamed,
    // A token names the stream by itself.
    ListShards: (input, context) => {
      if (input.NextToken === undefined || input.StreamARN !== undefined) return onNamed(input, context);
      const place = streamOfToken(input.NextToken, clock.now());
      return onArn(place && streamArn(place), context);
    },
    ListStreamConsumers: onNamed,
    ListStreams: anywhere,
    ListTagsForResource: (input, context) => onArn(input.ResourceARN, context),
    ListTagsForStream: onNamed,
    MergeShards: onNamed,
    PutRecord: onNamed,
    PutRecords: onNamed,
    PutResourcePolicy: (input, context) => onArn(input.ResourceARN, context),
    RegisterStreamConsumer: (input, context) => {
      const own = onStream(input, context, tagConditions(input.Tags));
      if (Object.keys(input.Tags ?? {}).length === 0) return own;
      const consumer = { name: input.ConsumerName ?? "", created_at: clock.now() };
      const resource = consumerArn(placeNamed(input, context), consumer);
      return [...own, { action: "kinesis:TagResource", resource, conditions: tagConditions(input.Tags) }];
    },
    RemoveTagsFromStream: (input, context) => onStream(input, context, tagKeyConditions(input.TagKeys)),
    SplitShard: onNamed,
    SubscribeToShard: (input, context) => onArn(input.ConsumerARN, context),
    TagResource: (input, context) => onArn(input.ResourceARN, context, tagConditions(input.Tags)),
    UntagResource: (input, context) => onArn(input.ResourceARN, context, tagKeyConditions(input.TagKeys)),
    UpdateAccountSettings: anywhere,
    UpdateMaxRecordSize: onNamed,
    UpdateShardCount: onNamed,
    UpdateStreamMode: onNamed,
    UpdateStreamRecordDistributionStrategy: onNamed,
  });

/** By its ARN, or by the name that makes up the ARN with a time that is not known yet: `withConsumers` finds it. */
function onConsumer(
  { ConsumerARN, ConsumerName, ...stream }: NamedConsumer,
  context: RequestContext,
): Requirement[] {
  if (ConsumerARN !== undefined) return onArn(ConsumerARN, context);
  return onArn(`${streamArn(placeNamed(stream, context))}/consumer/${ConsumerName}`, context);
}

const UNTIMED_CONSUMER = /^(arn:aws:kinesis:[^/]*:stream\/[^/]+)\/consumer\/([^/:]+)$/;

export function authorization(
  kinesis: Pick<Kinesis, "clock" | "database" | "streams" | "policies">,
): ServiceAuthorization {
  const table = byOperation(kinesis.clock);
  return {
    operations: table.operations,
    async requirements(operation, input, context) {
      const plain = await table.requirements(operation, input, context);
      return Promise.all(plain.map((one) => withFacts(kinesis, one)));
    },
    async resourceGrant({ action, resource, conditions }, context) {
      const found = await resourceAt(kinesis, resource);
      if (!found) return "none";
      const said = await whatPolicySays(kinesis, resource, found.policy, action, context, conditions);
      return said === "account" ? "none" : said;
    },
  };
}

/** A requirement with the whole ARN and the tags of the resource. */
async function withFacts(
  kinesis: Pick<Kinesis, "database" | "streams">,
  requirement: Requirement,
): Promise<Requirement> {
  const resource = await wholeArn(kinesis, requirement.resource);
  const found = await resourceAt(kinesis, resource);
  const tags = Object.entries(found ? readTags(found.tags) : {});
  const keys = tags.map(([key, value]) => [`aws:resourcetag/${key.toLowerCase()}`, value]);
  return { ...requirement, resource, conditions: { ...Object.fromEntries(keys), ...requirement.conditions } };
}

async function wholeArn(
  { database, streams }: Pick<Kinesis, "database" | "streams">,
  arn: string,
): Promise<string> {
  const [, ofStream = "", name = ""] = UNTIMED_CONSUMER.exec(arn) ?? [];
  const place = readStreamArn(ofStream);
  const stream = place && (await streams.find(place));
  const consumer = stream && (await findConsumer(database, stream.stream_id, name));
  return stream && consumer ? consumerArn(stream, consumer) : arn;
}

async function resourceAt(
  { database, streams }: Pick<Kinesis, "database" | "streams">,
  arn: string,
): Promise<{ readonly policy: string | null; readonly tags: string } | undefined> {
  const consumer = readConsumerArn(arn);
  const place = consumer?.stream ?? readStreamArn(arn);
  const stream = place && (await streams.find(place));
  return consumer && stream ? findConsumer(database, stream.stream_id, consumer.name) : stream;
}
