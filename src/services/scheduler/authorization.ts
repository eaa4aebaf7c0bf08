/** What EventBridge Scheduler's requests need of the caller's policies. */
import { authorizationFrom } from "../../aws/service.ts";
import type { RequestContext, Requirement } from "../../aws/service.ts";
import { tagConditions, tagKeyConditions } from "../../aws/tag-conditions.ts";
import type { Client } from "./deps.ts";
import { DEFAULT_GROUP, groupArn, scheduleArn } from "./names.ts";

interface Named {
  readonly Name?: string | undefined;
  readonly GroupName?: string | undefined;
}

const onSchedule =
  (action: string) =>
  ({ Name = "", GroupName = DEFAULT_GROUP }: Named, context: RequestContext): Requirement[] => [
    { action: `scheduler:${action}`, resource: scheduleArn(context, GroupName, Name) },
  ];

const onGroup =
  (action: string) =>
  ({ Name = "" }: Named, context: RequestContext): Requirement[] => [
    { action: `scheduler:${action}`, resource: groupArn(context, Name) },
  ];

/** Whoever gives a schedule a role must be allowed to hand that role on. */
function passRole({ Target }: { readonly Target?: { readonly RoleArn?: string | undefined } | undefined }) {
  const conditions = { "iam:passedtoservice": "scheduler.amazonaws.com" };
  return Target?.RoleArn === undefined
    ? []
    : [{ action: "iam:PassRole", resource: Target.RoleArn, conditions }];
}

/** @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridgescheduler.html */
export const authorization = authorizationFrom<Client>({
  CreateSchedule: (input, context) => [...onSchedule("CreateSchedule")(input, context), ...passRole(input)],
  CreateScheduleGroup: (input, context) =>
    onGroup("CreateScheduleGroup")(input, context).map((one) => ({
      ...one,
      conditions: tagConditions(input.Tags as never),
    })),
  DeleteSchedule: onSchedule("DeleteSchedule"),
  DeleteScheduleGroup: onGroup("DeleteScheduleGroup"),
  GetSchedule: onSchedule("GetSchedule"),
  GetScheduleGroup: onGroup("GetScheduleGroup"),
  ListScheduleGroups: () => [{ action: "scheduler:ListScheduleGroups", resource: "*" }],
  ListSchedules: () => [{ action: "scheduler:ListSchedules", resource: "*" }],
  ListTagsForResource: ({ ResourceArn = "" }) => [
    { action: "scheduler:ListTagsForResource", resource: ResourceArn },
  ],
  TagResource: ({ ResourceArn = "", Tags }) => [
    { action: "scheduler:TagResource", resource: ResourceArn, conditions: tagConditions(Tags) },
  ],
  UntagResource: ({ ResourceArn = "", TagKeys }) => [
    { action: "scheduler:UntagResource", resource: ResourceArn, conditions: tagKeyConditions(TagKeys) },
  ],
  UpdateSchedule: (input, context) => [...onSchedule("UpdateSchedule")(input, context), ...passRole(input)],
});
