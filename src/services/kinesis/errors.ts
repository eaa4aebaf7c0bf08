/** The errors that Kinesis raises, in its words. */
import { AwsError } from "../../aws/errors.ts";
import type { StreamPlace } from "./store.ts";

export function invalidArgument(message: string): AwsError {
  return new AwsError("InvalidArgumentException", message);
}

export function limitExceeded(message: string): AwsError {
  return new AwsError("LimitExceededException", message);
}

export function resourceInUse(message: string): AwsError {
  return new AwsError("ResourceInUseException", message);
}

export function notFound(message: string): AwsError {
  return new AwsError("ResourceNotFoundException", message);
}

export function noSuchStream({ name, account }: StreamPlace): AwsError {
  return notFound(`Stream ${name} under account ${account} not found.`);
}

/** As operations on records and iterators word it. */
export function shardIsNotThere(shardId: string, { name, account }: StreamPlace): AwsError {
  return notFound(`Shard ${shardId} in stream ${name} under account ${account} does not exist`);
}

/** As operations on shards word it. */
export function noSuchShard(shardId: string, { name, account }: StreamPlace): AwsError {
  return notFound(`Could not find shard ${shardId} in stream ${name} under account ${account}.`);
}

/** Of operations that only streams with provisioned capacity have. */
export function isOnDemand({ name, account }: StreamPlace): AwsError {
  return new AwsError(
    "ValidationException",
    `Request is invalid. Stream ${name} under account ${account} is in On-Demand mode.`,
  );
}

/** What a shard that is asked for too much answers, to readers and writers alike. */
export const THROUGHPUT_EXCEEDED = "ProvisionedThroughputExceededException";

export function rateExceededText(shardId: string, { name, account }: StreamPlace): string {
  return `Rate exceeded for shard ${shardId} in stream ${name} under account ${account}.`;
}

export function rateExceeded(shardId: string, stream: StreamPlace): AwsError {
  return new AwsError(THROUGHPUT_EXCEEDED, rateExceededText(shardId, stream));
}

/** The answer to a request that was only to be checked. */
export function dryRun(): AwsError {
  return new AwsError(
    "DryRunOperationException",
    "The request would have succeeded, but the DryRun parameter was set.",
  );
}

/** What keeps a stream's account from having more shards. */
export function tooManyShards(
  { account, region }: Pick<StreamPlace, "account" | "region">,
  current: number,
  limit: number,
  added: number,
): AwsError {
  return limitExceeded(
    `This request would exceed the shard limit for the account ${account} in ${region}. Current shard count for the account: ` +
      `${current}. Limit: ${limit}. Number of additional shards that would have resulted from this request: ${added}.`,
  );
}
