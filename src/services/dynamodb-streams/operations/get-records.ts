/** GetRecords: the records of a shard from an iterator on. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, DynamoDbStreamsDeps } from "../deps.ts";
import { checkLimit, notFound } from "../errors.ts";
import { readIterator, refuseExpired, writeIterator } from "../iterator.ts";
import { streamToRead } from "../lookup.ts";
import { refuseTrimmed } from "./get-shard-iterator.ts";

const RECORDS_MAX = 1000;
const BYTES_MAX = 1024 * 1024;

export async function getRecords(
  deps: DynamoDbStreamsDeps,
  input: Input<Client, "GetRecords">,
  context: RequestContext,
): Promise<Output<Client, "GetRecords">> {
  const iterator = readIterator(input.ShardIterator as string);
  const limit = checkLimit(input.Limit, RECORDS_MAX);
  const now = deps.clock.now();
  refuseExpired(iterator, now);
  const { arn, shardId, after } = iterator;
  await streamToRead(deps, arn, context);
  if ((await deps.streams.trimmedTo(arn, shardId)) === undefined)
    throw notFound(`Shard: ${shardId} in Stream: ${arn}`);
  await refuseTrimmed(deps, arn, shardId, after);
  const { records, next, ended } = await deps.streams.read(
    arn,
    shardId,
    { after },
    { records: limit, bytes: BYTES_MAX },
  );
  const { after: last } = next as { readonly after: string };
  return {
    Records: records.map(({ json }) => deps.streams.parse(json)),
    // A closed shard that has been read to its end has nowhere to go on.
    NextShardIterator: ended ? undefined : writeIterator({ arn, shardId, after: last, issuedAt: now }),
  };
}
