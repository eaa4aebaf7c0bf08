/** What CloudWatch Logs' requests need of the caller's policies. */
import { authorizationFrom } from "../../aws/service.ts";
import type { ConditionValues, RequestContext, Requirement } from "../../aws/service.ts";
import { tagConditions, tagKeyConditions } from "../../aws/tag-conditions.ts";
import { groupArn, groupNameOf } from "./lookup.ts";

type Client = typeof import("@aws-sdk/client-cloudwatch-logs");

interface Named {
  readonly logGroupName?: string | undefined;
  readonly logGroupIdentifier?: string | undefined;
  readonly logStreamName?: string | undefined;
}

/**
 * A group's streams, or one of them. AWS asks for `log-group:NAME:log-stream:` where an operation works on the group, so
 * that policies name groups as `log-group:NAME:*`.
 */
function onStreams(input: Named, context: RequestContext, conditions?: ConditionValues): Requirement[] {
  const { account, region, operation } = context;
  const identifier = input.logGroupName ?? input.logGroupIdentifier ?? "";
  const group = groupArn(account, region, groupNameOf(identifier, context) ?? identifier);
  const resource = `${group}:log-stream:${input.logStreamName ?? ""}`;
  return [{ action: `logs:${operation}`, resource, ...(conditions && { conditions }) }];
}

const onStream = (input: Named, context: RequestContext) => onStreams(input, context);
const onGroup = ({ logGroupName, logGroupIdentifier }: Named, context: RequestContext) =>
  onStreams({ logGroupName, logGroupIdentifier }, context);

/** Tags belong to the group itself, whose ARN has no `:*`. */
function onTagged(
  arn: string | undefined,
  context: RequestContext,
  conditions: ConditionValues,
): Requirement[] {
  const { account, region, operation } = context;
  const resource = groupArn(account, region, groupNameOf(arn ?? "", context) ?? "");
  return [{ action: `logs:${operation}`, resource, conditions }];
}

/** @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html */
export const authorization = authorizationFrom<Client>({
  CreateLogGroup: (input, context) => [
    ...onStreams({ logGroupName: input.logGroupName }, context, tagConditions(input.tags)),
    ...(input.tags && Object.keys(input.tags).length > 0 ? [taggedCreation(input, context)] : []),
  ],
  CreateLogStream: onStream,
  DeleteLogGroup: onGroup,
  DeleteLogStream: onStream,
  DeleteRetentionPolicy: onGroup,
  // Whatever prefix is asked for.
  DescribeLogGroups: (_input, context) => onStreams({}, context),
  DescribeLogStreams: onGroup,
  FilterLogEvents: onGroup,
  GetLogEvents: onStream,
  ListTagsForResource: (input, context) => onTagged(input.resourceArn, context, {}),
  ListTagsLogGroup: onGroup,
  PutLogEvents: onStream,
  PutRetentionPolicy: onGroup,
  StartLiveTail: (input, context) =>
    (input.logGroupIdentifiers ?? []).flatMap((logGroupIdentifier) =>
      onGroup({ logGroupIdentifier }, context),
    ),
  TagLogGroup: (input, context) => onStreams(input, context, tagConditions(input.tags)),
  TagResource: (input, context) => onTagged(input.resourceArn, context, tagConditions(input.tags)),
  UntagLogGroup: (input, context) => onStreams(input, context, tagKeyConditions(input.tags)),
  UntagResource: (input, context) => onTagged(input.resourceArn, context, tagKeyConditions(input.tagKeys)),
});

function taggedCreation(
  input: { logGroupName?: string | undefined; tags?: Record<string, string> | undefined },
  { account, region }: RequestContext,
): Requirement {
  return {
    action: "logs:TagResource",
    alternative: "logs:TagLogGroup",
    resource: groupArn(account, region, input.logGroupName ?? ""),
    conditions: tagConditions(input.tags),
    refusal: `User with accountId: ${account} is not authorized to perform CreateLogGroup with Tags`,
  };
}
