/** CreateSchedule, UpdateSchedule, GetSchedule, DeleteSchedule and ListSchedules. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, SchedulerDeps } from "../deps.ts";
import { conflict, noSuchGroup, noSuchSchedule, overQuota } from "../errors.ts";
import { PAGE_DEFAULT, SCHEDULES_MAX } from "../limits.ts";
import { DEFAULT_GROUP, scheduleArn } from "../names.ts";
import { readPosition, writeToken } from "../paging.ts";
import { readDefinition, showDefinition } from "../schedules/definition.ts";
import type { Definition } from "../schedules/definition.ts";
import { TOPIC } from "../schedules/firing.ts";
import { NEVER, firstFire } from "../schedules/next-fire.ts";
import { getGroup } from "../store/groups.ts";
import {
  countSchedules,
  deleteSchedule as removeSchedule,
  getSchedule as findSchedule,
  insertSchedule,
  listSchedules as readSchedules,
  updateSchedule as changeSchedule,
} from "../store/schedules.ts";
import type { ScheduleRow } from "../store/schedules.ts";
import { checkTarget } from "../targets/delivery.ts";
import { once } from "../tokens.ts";

const ENABLED = "ENABLED";

export async function createSchedule(
  deps: SchedulerDeps,
  { ClientToken: token, ...input }: Input<Client, "CreateSchedule">,
  context: RequestContext,
): Promise<Output<Client, "CreateSchedule">> {
  const { database, clock, ids, signals } = deps;
  const { Name: name = "", GroupName: group = DEFAULT_GROUP, State: state = ENABLED } = input;
  const { account, region } = context;
  const now = clock.now();
  const definition = readDefinition(input, now);
  await checkTarget(deps, { group, name, definition }, context);
  const anchor_at = definition.startAt ?? now;
  const next = state === ENABLED ? firstFire(definition, anchor_at, now, ids.random()) : NEVER;
  const key = { account, region, group_name: group, name };
  await database.tx(async (tx) => {
    await once(tx, { operation: "CreateSchedule", token, input, account, region }, now, async () => {
      if (group !== DEFAULT_GROUP && !(await getGroup(tx, context, group))) throw noSuchGroup(group);
      if ((await countSchedules(tx, context)) >= SCHEDULES_MAX) throw overQuota("schedules", SCHEDULES_MAX);
      const times = { created_at: now, modified_at: now, anchor_at, ...next };
      const row = { ...key, state, definition: JSON.stringify(definition), ...times };
      if (!(await insertSchedule(tx, row))) throw conflict(`Schedule ${name} already exists.`);
      await signals.send(tx, TOPIC);
    });
  });
  return { ScheduleArn: scheduleArn(context, group, name) };
}

/** What is not given becomes its default, as on AWS. */
export async function updateSchedule(
  deps: SchedulerDeps,
  { ClientToken: token, ...input }: Input<Client, "UpdateSchedule">,
  context: RequestContext,
): Promise<Output<Client, "UpdateSchedule">> {
  const { database, clock, ids, signals } = deps;
  const { Name: name = "", GroupName: group = DEFAULT_GROUP, State: state = ENABLED } = input;
  const { account, region } = context;
  const now = clock.now();
  const key = { account, region, group_name: group, name };
  await rowOf(deps, context, group, name);
  const definition = readDefinition(input, now);
  await checkTarget(deps, { group, name, definition }, context);
  await database.tx(async (tx) => {
    await once(tx, { operation: "UpdateSchedule", token, input, account, region }, now, async () => {
      const row = await findSchedule(tx, key);
      if (!row) throw noSuchSchedule(name);
      const anchor_at = anchorOf(row, definition, now);
      const next = state === ENABLED ? firstFire(definition, anchor_at, now, ids.random()) : NEVER;
      const changed = { state, definition: JSON.stringify(definition), modified_at: now, anchor_at };
      await changeSchedule(tx, { ...key, ...changed, ...next });
      await signals.send(tx, TOPIC);
    });
  });
  return { ScheduleArn: scheduleArn(context, group, name) };
}

/** A rate goes on counting as it did unless it, or its beginning, is another now. */
function anchorOf(row: ScheduleRow, { expression, startAt }: Definition, now: number): number {
  const before = JSON.parse(row.definition) as Definition;
  return before.expression === expression && before.startAt === startAt ? row.anchor_at : (startAt ?? now);
}

export async function getSchedule(
  deps: SchedulerDeps,
  { Name = "", GroupName = DEFAULT_GROUP }: Input<Client, "GetSchedule">,
  context: RequestContext,
): Promise<Output<Client, "GetSchedule">> {
  const row = await rowOf(deps, context, GroupName, Name);
  return {
    Arn: scheduleArn(row, GroupName, Name),
    GroupName,
    Name,
    State: row.state as "ENABLED",
    CreationDate: new Date(row.created_at),
    LastModificationDate: new Date(row.modified_at),
    ...showDefinition(JSON.parse(row.definition) as Definition),
  };
}

export async function deleteSchedule(
  { database, clock }: SchedulerDeps,
  { ClientToken: token, ...input }: Input<Client, "DeleteSchedule">,
  { account, region }: RequestContext,
): Promise<object> {
  const { Name: name = "", GroupName: group_name = DEFAULT_GROUP } = input;
  await database.tx((tx) =>
    once(tx, { operation: "DeleteSchedule", token, input, account, region }, clock.now(), async () => {
      if (!(await removeSchedule(tx, { account, region, group_name, name }))) throw noSuchSchedule(name);
    }),
  );
  return {};
}

export async function listSchedules(
  { database }: SchedulerDeps,
  input: Input<Client, "ListSchedules">,
  context: RequestContext,
): Promise<Output<Client, "ListSchedules">> {
  const { GroupName: group, NamePrefix: prefix, State: state, MaxResults: count = PAGE_DEFAULT } = input;
  const after = readPosition(input.NextToken, 2);
  if (group !== undefined && group !== DEFAULT_GROUP && !(await getGroup(database, context, group)))
    throw noSuchGroup(group);
  const rows = await readSchedules(database, context, after, { group, prefix, state }, count + 1);
  const page = rows.slice(0, count);
  const last = page.at(-1);
  return {
    Schedules: page.map((row) => ({
      Arn: scheduleArn(row, row.group_name, row.name),
      GroupName: row.group_name,
      Name: row.name,
      State: row.state as "ENABLED",
      CreationDate: new Date(row.created_at),
      LastModificationDate: new Date(row.modified_at),
      Target: { Arn: (JSON.parse(row.definition) as Definition).target.Arn },
    })),
    ...(rows.length > count && last && { NextToken: writeToken([last.group_name, last.name]) }),
  };
}

/** @throws AwsError ResourceNotFoundException */
async function rowOf(
  { database }: SchedulerDeps,
  context: RequestContext,
  group_name: string,
  name: string,
): Promise<ScheduleRow> {
  const { account, region } = context;
  const row = await findSchedule(database, { account, region, group_name, name });
  if (row) return row;
  if (group_name !== DEFAULT_GROUP && !(await getGroup(database, context, group_name)))
    throw noSuchGroup(group_name);
  throw noSuchSchedule(name);
}
