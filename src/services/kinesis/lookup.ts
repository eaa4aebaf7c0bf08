/** Finds the stream or consumer that a request names, once its own policy does not stand in the way. */
import { requestConditions } from "../../aws/authorization.ts";
import { AwsError, notImplemented } from "../../aws/errors.ts";
import type { RequestContext, Requirement } from "../../aws/service.ts";
import type { Kinesis } from "./deps.ts";
import { invalidArgument, noSuchStream, notFound, shardIsNotThere } from "./errors.ts";
import { consumerArn, readConsumerArn, readStreamArn, streamArn } from "./names.ts";
import { readShardId } from "./shards/shard.ts";
import type { Shard } from "./shards/shard.ts";
import { livingShards } from "./streams.ts";
import type { Stream } from "./streams.ts";
import { findConsumer } from "./store-consumers.ts";
import type { ConsumerRow } from "./store-consumers.ts";
import type { StreamPlace } from "./store.ts";

export interface Named {
  readonly StreamName?: string | undefined;
  readonly StreamARN?: string | undefined;
  readonly StreamId?: string | undefined;
}

type Place = Pick<RequestContext, "account" | "region">;

/** @throws AwsError where a request names no stream, or two */
export function placeNamed(
  { StreamName, StreamARN, StreamId }: Named,
  { account, region }: Place,
): StreamPlace {
  if (StreamId !== undefined)
    throw notImplemented("the parameter StreamId, which AWS reserves for future use");
  if (StreamARN === undefined) {
    if (StreamName === undefined)
      throw invalidArgument("Either StreamName or StreamARN must be provided, and neither was.");
    return { account, region, name: StreamName };
  }
  const place = readStreamArn(StreamARN);
  if (!place) throw invalidArgument(`${StreamARN} is not the ARN of a Kinesis data stream.`);
  if (StreamName !== undefined && StreamName !== place.name)
    throw invalidArgument(
      `StreamName ${StreamName} and StreamARN ${StreamARN} name two different streams; give one of them, or both of the same stream.`,
    );
  return place;
}

/** The stream that a request names. @throws AwsError ResourceNotFoundException; AccessDeniedException */
export async function streamNamed(kinesis: Kinesis, input: Named, context: RequestContext): Promise<Stream> {
  return streamAt(kinesis, placeNamed(input, context), context);
}

export async function streamAt(
  kinesis: Kinesis,
  place: StreamPlace,
  context: RequestContext,
): Promise<Stream> {
  // Streams of other regions are not to be had here.
  const stream = place.region === context.region ? await kinesis.streams.find(place) : undefined;
  if (!stream) throw noSuchStream(place);
  await checkPolicy(kinesis, stream, streamArn(stream), stream.policy, context);
  return stream;
}

/** The same for reading and writing, which a stream that is being deleted is not there for any more. */
export async function activeStream(
  kinesis: Kinesis,
  place: StreamPlace,
  context: RequestContext,
): Promise<Stream> {
  const stream = await streamAt(kinesis, place, context);
  if (stream.status !== "ACTIVE") throw noSuchStream(place);
  return stream;
}

/** A shard that is open or may still have records. @throws AwsError ResourceNotFoundException */
export function shardOf(stream: Stream, shardId: string, now: number): Shard {
  const shardNo = readShardId(shardId);
  const shard = livingShards(stream, now).find((one) => one.shardNo === shardNo);
  if (!shard) throw shardIsNotThere(shardId, stream);
  return shard;
}

export interface FoundConsumer {
  readonly stream: Stream;
  readonly consumer: ConsumerRow;
}

interface NamedConsumer {
  readonly StreamARN?: string | undefined;
  readonly StreamId?: string | undefined;
  readonly ConsumerName?: string | undefined;
  readonly ConsumerARN?: string | undefined;
}

/** The consumer that a request names by its ARN, or by its name and its stream's ARN. @throws AwsError */
export async function consumerNamed(
  kinesis: Kinesis,
  input: NamedConsumer,
  context: RequestContext,
): Promise<FoundConsumer> {
  const { StreamARN, StreamId, ConsumerName, ConsumerARN } = input;
  if (StreamId !== undefined)
    throw notImplemented("the parameter StreamId, which AWS reserves for future use");
  if (ConsumerARN === undefined && (StreamARN === undefined || ConsumerName === undefined))
    throw invalidArgument("Either ConsumerARN or both StreamARN and ConsumerName must be provided.");
  const named = ConsumerARN === undefined ? undefined : readConsumerArn(ConsumerARN);
  if (ConsumerARN !== undefined && !named)
    throw invalidArgument(`${ConsumerARN} is not the ARN of a consumer of a Kinesis data stream.`);
  const place = named?.stream ?? placeNamed({ StreamARN }, context);
  const name = named?.name ?? ConsumerName ?? "";
  const disagrees =
    (StreamARN !== undefined && streamArn(place) !== StreamARN) ||
    (ConsumerName !== undefined && ConsumerName !== name);
  if (disagrees)
    throw invalidArgument(
      `StreamARN, ConsumerName and ConsumerARN name different consumers; ConsumerARN ${ConsumerARN} suffices.`,
    );
  const stream = place.region === context.region ? await kinesis.streams.find(place) : undefined;
  if (!stream) throw noSuchStream(place);
  const consumer = await findConsumer(kinesis.database, stream.stream_id, name);
  if (!consumer || (named && Math.floor(consumer.created_at / 1_000) !== named.createdSeconds))
    throw notFound(
      `Consumer ${name}${named ? ` with creation timestamp ${named.createdSeconds}` : ""} under stream: ${place.name}, account ${place.account} not found.`,
    );
  await checkPolicy(kinesis, stream, consumerArn(stream, consumer), consumer.policy, context);
  return { stream, consumer };
}

/**
 * What a policy denies is denied, to whoever it is; and a caller of another account needs it to allow. That their own policies allow, or
 * this one names them, the front door has seen to.
 * @throws AwsError AccessDeniedException
 */
async function checkPolicy(
  kinesis: Kinesis,
  owner: StreamPlace,
  resource: string,
  policy: string | null,
  context: RequestContext,
): Promise<void> {
  const isOwn = owner.account === context.account;
  if (isOwn && (policy === null || MANAGES_POLICY.has(context.operation))) return;
  const action = `kinesis:${context.operation}`;
  const said = await whatPolicySays(kinesis, resource, policy, action, context);
  const why =
    said === "denied"
      ? "with an explicit deny in a resource-based policy"
      : !isOwn && said === "none"
        ? `because no resource-based policy allows the ${action} action`
        : undefined;
  if (why !== undefined)
    throw new AwsError(
      "AccessDeniedException",
      `User: ${context.principal.arn} is not authorized to perform: ${action} on resource: ${resource} ${why}`,
    );
}

/** What its own account may do whatever a policy says, or nobody could ever undo one that denies everyone everything. */
const MANAGES_POLICY: ReadonlySet<string> = new Set([
  "DeleteResourcePolicy",
  "GetResourcePolicy",
  "PutResourcePolicy",
]);

/** What the policy of a stream or consumer says of a caller and an action. */
export async function whatPolicySays(
  { policies }: Pick<Kinesis, "policies">,
  resource: string,
  policy: string | null,
  action: string,
  context: RequestContext,
  more: Requirement["conditions"] = {},
): ReturnType<Kinesis["policies"]["decide"]> {
  if (policy === null) return "none";
  return policies.decide(policy, {
    principal: context.principal,
    action,
    resource,
    conditions: { ...requestConditions(context), ...more },
  });
}
