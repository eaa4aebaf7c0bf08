/** CreateLogGroup, DeleteLogGroup and DescribeLogGroups. */
import type { LogGroup } from "@aws-sdk/client-cloudwatch-logs";
import { AwsError, notImplemented } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { readGroupClass } from "../group-class.ts";
import { newRowId } from "../ingest.ts";
import { groupArn, groupNameOf, invalidParameter, readToken, requireGroup, writeToken } from "../lookup.ts";
import type { LogsState } from "../state.ts";
import { deleteGroup, getGroup, groupBytes, insertGroup, listGroups } from "../store.ts";
import type { GroupRow } from "../store.ts";
import { pageOf } from "./paging.ts";
import { metricFilterCount } from "./metric-filters.ts";
import { checkTags } from "./tags.ts";

type Client = typeof import("@aws-sdk/client-cloudwatch-logs");

const GROUPS_PER_PAGE = 50;

export async function createLogGroup(
  state: LogsState,
  input: Input<Client, "CreateLogGroup">,
  { account, region }: RequestContext,
): Promise<object> {
  const name = input.logGroupName ?? "";
  if (input.kmsKeyId !== undefined) throw notImplemented("kmsKeyId of CreateLogGroup");
  const groupClass = readGroupClass(input.logGroupClass);
  if (input.deletionProtectionEnabled === true)
    throw notImplemented("deletionProtectionEnabled of CreateLogGroup");
  if (name.startsWith("aws/")) throw invalidParameter("Log group names cannot start with aws/");
  const tags = checkTags(input.tags ?? {});
  await state.database.tx(async (tx) => {
    if (await getGroup(tx, account, region, name))
      throw new AwsError("ResourceAlreadyExistsException", "The specified log group already exists");
    await insertGroup(tx, {
      group_id: newRowId(state),
      account,
      region,
      name,
      retention_days: null,
      tags: JSON.stringify(tags),
      created_at: state.clock.now(),
      class: groupClass,
      filters_revision: 0,
    });
  });
  return {};
}

/** Its streams and events go with it. */
export async function deleteLogGroup(
  state: LogsState,
  input: Input<Client, "DeleteLogGroup">,
  context: RequestContext,
): Promise<object> {
  await state.database.tx(async (tx) => {
    const group = await requireGroup(tx, context, { logGroupName: input.logGroupName });
    await deleteGroup(tx, group.group_id);
    tx.afterCommit(state.sweepSoon);
  });
  return {};
}

export async function describeLogGroups(
  state: LogsState,
  input: Input<Client, "DescribeLogGroups">,
  context: RequestContext,
): Promise<Output<Client, "DescribeLogGroups">> {
  if (input.includeLinkedAccounts === true)
    throw notImplemented("includeLinkedAccounts of DescribeLogGroups");
  if (input.accountIdentifiers?.length) throw notImplemented("accountIdentifiers of DescribeLogGroups");
  if (input.logGroupNamePrefix !== undefined && input.logGroupNamePattern !== undefined)
    throw invalidParameter(
      "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.",
    );
  const names = input.logGroupIdentifiers?.map((one) => groupNameOf(one, context));
  const { logGroupNamePrefix: prefix = "", logGroupNamePattern: pattern = "" } = input;
  const from = input.nextToken === undefined ? undefined : readToken(input.nextToken, isText);
  const groups = (await listGroups(state.database, context.account, context.region))
    .filter((group) => names === undefined || names.includes(group.name))
    .filter((group) => group.name.startsWith(prefix) && group.name.includes(pattern))
    .filter((group) => input.logGroupClass === undefined || input.logGroupClass === group.class)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .filter((group) => from === undefined || group.name > from);
  const page = groups.slice(0, input.limit ?? GROUPS_PER_PAGE);
  const last = page.at(-1);
  const describe = async (group: GroupRow) =>
    input.logGroupNamePattern === undefined ? describeGroup(state, group) : describeBriefly(group);
  return {
    logGroups: await Promise.all(page.map(describe)),
    ...(last && page.length < groups.length && { nextToken: writeToken(last.name) }),
  };
}

/** A pattern is texts that a name may hold, or with `^` begin with: `^/aws|orders`. */
export async function listLogGroups(
  state: LogsState,
  input: Input<Client, "ListLogGroups">,
  context: RequestContext,
): Promise<Output<Client, "ListLogGroups">> {
  if (input.includeLinkedAccounts === true) throw notImplemented("includeLinkedAccounts of ListLogGroups");
  for (const name of ["accountIdentifiers", "dataSources", "fieldIndexNames", "logGroupTags"] as const)
    if (input[name]?.length) throw notImplemented(`${name} of ListLogGroups`);
  const wanted = input.logGroupNamePattern?.split("|");
  const matches = (name: string) =>
    wanted === undefined ||
    wanted.some((one) => (one.startsWith("^") ? name.startsWith(one.slice(1)) : name.includes(one)));
  const groups = (await listGroups(state.database, context.account, context.region))
    .filter(({ name, class: its }) => matches(name) && (input.logGroupClass ?? its) === its)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const { page, ...more } = pageOf(groups, input, ({ name }) => name);
  return {
    logGroups: page.map((group) => ({
      logGroupName: group.name,
      logGroupArn: groupArn(group.account, group.region, group.name),
      logGroupClass: group.class,
    })),
    ...more,
  };
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

async function describeGroup(state: LogsState, group: GroupRow): Promise<LogGroup> {
  return {
    ...describeBriefly(group),
    ...(group.retention_days !== null && { retentionInDays: group.retention_days }),
    metricFilterCount: await metricFilterCount(state, group.group_id),
    storedBytes: await groupBytes(state.database, group.group_id),
    logGroupClass: group.class,
    logGroupArn: groupArn(group.account, group.region, group.name),
    deletionProtectionEnabled: false,
  };
}

/** All that a search by pattern answers. */
function describeBriefly(group: GroupRow): LogGroup {
  return {
    logGroupName: group.name,
    creationTime: group.created_at,
    arn: `${groupArn(group.account, group.region, group.name)}:*`,
  };
}
