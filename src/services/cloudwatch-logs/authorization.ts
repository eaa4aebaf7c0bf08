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

/** Where the action names no resource. */
const onEverything = (_input: object, { operation }: RequestContext): Requirement[] => [
  { action: `logs:${operation}`, resource: "*" },
];

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
  DeleteMetricFilter: onGroup,
  DeleteQueryDefinition: onEverything,
  DeleteResourcePolicy: onEverything,
  DeleteRetentionPolicy: onGroup,
  DeleteSubscriptionFilter: onGroup,
  // Whatever prefix is asked for.
  DescribeLogGroups: (_input, context) => onStreams({}, context),
  DescribeLogStreams: onGroup,
  DescribeMetricFilters: onGroup,
  DescribeQueries: onEverything,
  DescribeQueryDefinitions: onEverything,
  DescribeResourcePolicies: onEverything,
  DescribeSubscriptionFilters: onGroup,
  FilterLogEvents: onGroup,
  GetLogEvents: onStream,
  GetLogGroupFields: onGroup,
  GetLogRecord: onEverything,
  GetQueryResults: onEverything,
  ListLogGroups: (_input, context) => onStreams({}, context),
  ListLogGroupsForQuery: onEverything,
  ListTagsForResource: (input, context) => onTagged(input.resourceArn, context, {}),
  ListTagsLogGroup: onGroup,
  PutLogEvents: onStream,
  PutMetricFilter: onGroup,
  PutQueryDefinition: onEverything,
  PutResourcePolicy: onEverything,
  PutRetentionPolicy: onGroup,
  PutSubscriptionFilter: (input, context) => [...onGroup(input, context), ...passing(input.roleArn)],
  StartLiveTail: (input, context) =>
    (input.logGroupIdentifiers ?? []).flatMap((logGroupIdentifier) =>
      onGroup({ logGroupIdentifier }, context),
    ),
  StartQuery: ({ logGroupName, logGroupNames = [], logGroupIdentifiers = [] }, context) =>
    [...(logGroupName === undefined ? [] : [logGroupName]), ...logGroupNames, ...logGroupIdentifiers].flatMap(
      (logGroupIdentifier) => onGroup({ logGroupIdentifier }, context),
    ),
  StopQuery: onEverything,
  TagLogGroup: (input, context) => onStreams(input, context, tagConditions(input.tags)),
  TagResource: (input, context) => onTagged(input.resourceArn, context, tagConditions(input.tags)),
  TestMetricFilter: onEverything,
  UntagLogGroup: (input, context) => onStreams(input, context, tagKeyConditions(input.tags)),
  UntagResource: (input, context) => onTagged(input.resourceArn, context, tagKeyConditions(input.tagKeys)),
});

/** Who names a role has to be allowed to hand it to CloudWatch Logs. */
function passing(roleArn: string | undefined): Requirement[] {
  if (roleArn === undefined) return [];
  const conditions = { "iam:passedtoservice": "logs.amazonaws.com" };
  return [{ action: "iam:PassRole", resource: roleArn, conditions }];
}

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
