/** What the requests of streams' readers need of their policies: the actions are DynamoDB's. */
import { authorizationFrom } from "../../aws/service.ts";
import type { RequestContext, Requirement, ServiceAuthorization } from "../../aws/service.ts";
import type { Client, DynamoDbStreamsDeps } from "./deps.ts";
import { readIterator } from "./iterator.ts";
import { whatPolicySays } from "./lookup.ts";

const onStream = (arn: string | undefined, { operation }: RequestContext): Requirement[] => [
  { action: `dynamodb:${operation}`, resource: arn ?? "" },
];

/** @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html */
const byOperation = authorizationFrom<Client>({
  DescribeStream: ({ StreamArn }, context) => onStream(StreamArn, context),
  GetRecords: ({ ShardIterator }, context) => onStream(readIterator(ShardIterator ?? "").arn, context),
  GetShardIterator: ({ StreamArn }, context) => onStream(StreamArn, context),
  ListStreams: ({ TableName = "*" }, context) => {
    const { region, account } = context;
    return onStream(`arn:aws:dynamodb:${region}:${account}:table/${TableName}/stream/*`, context);
  },
});

export function authorization({
  streams,
  policies,
}: Pick<DynamoDbStreamsDeps, "streams" | "policies">): ServiceAuthorization {
  return {
    ...byOperation,
    async resourceGrant(requirement, context) {
      const stream = await streams.facts(requirement.resource);
      const said = stream && (await whatPolicySays(policies, stream, requirement, context));
      return said === undefined || said === "account" ? "none" : said;
    },
  };
}
