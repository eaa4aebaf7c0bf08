/** ListStreams: the streams of an account's tables, those that ended in the last 24 hours too. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, DynamoDbStreamsDeps } from "../deps.ts";
import { checkLimit } from "../errors.ts";

const LISTED_MAX = 100;

export async function listStreams(
  { streams }: DynamoDbStreamsDeps,
  input: Input<Client, "ListStreams">,
  context: RequestContext,
): Promise<Output<Client, "ListStreams">> {
  const limit = checkLimit(input.Limit, LISTED_MAX);
  const { TableName: table, ExclusiveStartStreamArn: after } = input;
  const found = await streams.list(context, { table, after, limit: limit + 1 });
  const listed = found.slice(0, limit);
  return {
    Streams: listed.map((stream) => ({
      StreamArn: stream.arn,
      TableName: stream.table,
      StreamLabel: stream.label,
    })),
    LastEvaluatedStreamArn: found.length > limit ? listed.at(-1)?.arn : undefined,
  };
}
