/** What the requests of streams' readers need of their policies: the actions are DynamoDB's. */
import { authorizationFrom } from "../../aws/service.ts";
import type { RequestContext, Requirement } from "../../aws/service.ts";
import type { Client } from "./deps.ts";
import { readIterator } from "./iterator.ts";

const onStream = (arn: string | undefined, { operation }: RequestContext): Requirement[] => [
  { action: `dynamodb:${operation}`, resource: arn ?? "" },
];

/** @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html */
export const authorization = authorizationFrom<Client>({
  DescribeStream: ({ StreamArn }, context) => onStream(StreamArn, context),
  GetRecords: ({ ShardIterator }, context) => onStream(readIterator(ShardIterator ?? "").arn, context),
  GetShardIterator: ({ StreamArn }, context) => onStream(StreamArn, context),
  ListStreams: ({ TableName = "*" }, context) => {
    const { region, account } = context;
    return onStream(`arn:aws:dynamodb:${region}:${account}:table/${TableName}/stream/*`, context);
  },
});
