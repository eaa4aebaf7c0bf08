/** CreateScheduleGroup, GetScheduleGroup, DeleteScheduleGroup and ListScheduleGroups. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, SchedulerDeps } from "../deps.ts";
import { conflict, invalid, noSuchGroup, overQuota } from "../errors.ts";
import { withDefaultGroup } from "../groups.ts";
import { GROUPS_MAX, PAGE_DEFAULT } from "../limits.ts";
import { DEFAULT_GROUP, groupArn } from "../names.ts";
import type { Place } from "../names.ts";
import { readPosition, writeToken } from "../paging.ts";
import { countGroups, deleteGroup, getGroup, insertGroup, listGroups } from "../store/groups.ts";
import type { GroupRow } from "../store/groups.ts";
import { deleteSchedulesOf } from "../store/schedules.ts";
import { tagsText } from "../tags.ts";
import { once } from "../tokens.ts";

export async function createScheduleGroup(
  deps: SchedulerDeps,
  { ClientToken: token, ...input }: Input<Client, "CreateScheduleGroup">,
  context: RequestContext,
): Promise<Output<Client, "CreateScheduleGroup">> {
  const { Name: name = "" } = input;
  const { account, region } = context;
  refuseDefault(name);
  const tags = tagsText({}, input.Tags ?? []);
  await withDefaultGroup(deps, context);
  const now = deps.clock.now();
  await deps.database.tx((tx) =>
    once(tx, { operation: "CreateScheduleGroup", token, input, account, region }, now, async () => {
      if ((await countGroups(tx, context)) >= GROUPS_MAX) throw overQuota("schedule groups", GROUPS_MAX);
      if (!(await insertGroup(tx, context, { name, created_at: now, modified_at: now, tags })))
        throw conflict(`Schedule group ${name} already exists.`);
    }),
  );
  return { ScheduleGroupArn: groupArn(context, name) };
}

export async function getScheduleGroup(
  deps: SchedulerDeps,
  { Name = "" }: Input<Client, "GetScheduleGroup">,
  context: RequestContext,
): Promise<Output<Client, "GetScheduleGroup">> {
  await withDefaultGroup(deps, context);
  const row = await getGroup(deps.database, context, Name);
  if (!row) throw noSuchGroup(Name);
  return describe(row, context);
}

/** Its schedules go with it, at once. */
export async function deleteScheduleGroup(
  { database, clock }: SchedulerDeps,
  { ClientToken: token, ...input }: Input<Client, "DeleteScheduleGroup">,
  context: RequestContext,
): Promise<object> {
  const { Name: name = "" } = input;
  const { account, region } = context;
  refuseDefault(name);
  await database.tx((tx) =>
    once(tx, { operation: "DeleteScheduleGroup", token, input, account, region }, clock.now(), async () => {
      if (!(await deleteGroup(tx, context, name))) throw noSuchGroup(name);
      await deleteSchedulesOf(tx, context, name);
    }),
  );
  return {};
}

export async function listScheduleGroups(
  deps: SchedulerDeps,
  { NamePrefix = "", NextToken, MaxResults: count = PAGE_DEFAULT }: Input<Client, "ListScheduleGroups">,
  context: RequestContext,
): Promise<Output<Client, "ListScheduleGroups">> {
  const [after = ""] = readPosition(NextToken, 1);
  await withDefaultGroup(deps, context);
  const rows = await listGroups(deps.database, context, after, NamePrefix, count + 1);
  const page = rows.slice(0, count);
  const last = page.at(-1);
  return {
    ScheduleGroups: page.map((row) => describe(row, context)),
    ...(rows.length > count && last && { NextToken: writeToken([last.name]) }),
  };
}

function describe({ name, created_at, modified_at }: GroupRow, place: Place) {
  return {
    Arn: groupArn(place, name),
    Name: name,
    State: "ACTIVE" as const,
    CreationDate: new Date(created_at),
    LastModificationDate: new Date(modified_at),
  };
}

function refuseDefault(name: string): void {
  if (name === DEFAULT_GROUP)
    throw invalid(`This operation cannot be performed on schedule group ${DEFAULT_GROUP}.`);
}
