/** DescribeRule, ListRules, ListRuleNamesByTarget, EnableRule, DisableRule and DeleteRule. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, EventBridge } from "../deps.ts";
import { noSuchRule, validation } from "../errors.ts";
import { busOf, ruleArn } from "../names.ts";
import type { BusId } from "../names.ts";
import { pageOf } from "../paging.ts";
import { deleteRuleRow, getRule, listRuleRows, ruleNamesByTarget, updateRule } from "../store/rules.ts";
import type { RuleRow } from "../store/rules.ts";
import { schedule } from "../schedules/scheduled-rules.ts";
import { clearNextTime } from "../store/schedules.ts";
import { targetsOf } from "../store/targets.ts";

export async function describeRule(
  eventBridge: EventBridge,
  input: Input<Client, "DescribeRule">,
  context: RequestContext,
): Promise<Output<Client, "DescribeRule">> {
  const bus = busOf(input.EventBusName, context);
  await eventBridge.buses.require(bus);
  const row = await getRule(eventBridge.database, { bus, name: input.Name ?? "" });
  if (!row) throw noSuchRule(input.Name ?? "", bus.name);
  return { ...described(row), CreatedBy: row.created_by };
}

export async function listRules(
  { database, buses }: EventBridge,
  input: Input<Client, "ListRules">,
  context: RequestContext,
): Promise<Output<Client, "ListRules">> {
  const { NamePrefix: prefix = "" } = input;
  const bus = busOf(input.EventBusName, context);
  await buses.require(bus);
  const { rows, next } = await pageOf(
    input,
    (after, count) => listRuleRows(database, bus, prefix, after, count),
    ({ name }) => name,
    ({ name }) => name.startsWith(prefix),
  );
  return { Rules: rows.map(described), ...next };
}

export async function listRuleNamesByTarget(
  { database, buses }: EventBridge,
  input: Input<Client, "ListRuleNamesByTarget">,
  context: RequestContext,
): Promise<Output<Client, "ListRuleNamesByTarget">> {
  const bus = busOf(input.EventBusName, context);
  await buses.require(bus);
  const { rows, next } = await pageOf(
    input,
    (after, count) => ruleNamesByTarget(database, bus, input.TargetArn ?? "", after, count),
    (name) => name,
  );
  return { RuleNames: [...rows], ...next };
}

export function enableRule(
  eventBridge: EventBridge,
  input: Input<Client, "EnableRule">,
  context: RequestContext,
): Promise<object> {
  return setState(eventBridge, busOf(input.EventBusName, context), input.Name, "ENABLED");
}

export function disableRule(
  eventBridge: EventBridge,
  input: Input<Client, "DisableRule">,
  context: RequestContext,
): Promise<object> {
  return setState(eventBridge, busOf(input.EventBusName, context), input.Name, "DISABLED");
}

async function setState(
  eventBridge: EventBridge,
  bus: BusId,
  name = "",
  state: RuleRow["state"],
): Promise<object> {
  const { database, buses } = eventBridge;
  await buses.require(bus);
  await database.tx(async (tx) => {
    const row = await getRule(tx, { bus, name });
    if (!row) throw noSuchRule(name, bus.name);
    if (row.state === state) return;
    await updateRule(tx, { ...row, state });
    await schedule(eventBridge, tx, { ...row, state });
    await buses.changed(tx, bus, { rule: row.rule_id });
  });
  return {};
}

/** A rule that is not there is deleted already; one that has targets is not deleted. */
export async function deleteRule(
  { database, buses }: EventBridge,
  input: Input<Client, "DeleteRule">,
  context: RequestContext,
): Promise<object> {
  const bus = busOf(input.EventBusName, context);
  await buses.require(bus);
  await database.tx(async (tx) => {
    const row = await getRule(tx, { bus, name: input.Name ?? "" });
    if (!row) return;
    if ((await targetsOf(tx, row.rule_id, "", 1)).length > 0)
      throw validation("Rule can't be deleted since it has targets.");
    await deleteRuleRow(tx, row.rule_id);
    await clearNextTime(tx, row.rule_id);
    await buses.changed(tx, bus, { rule: row.rule_id });
  });
  return {};
}

function described(row: RuleRow) {
  const bus = { account: row.account, region: row.region, name: row.bus };
  return {
    Name: row.name,
    Arn: ruleArn(bus, row.name),
    EventBusName: row.bus,
    State: row.state,
    ...(row.pattern !== "" && { EventPattern: row.pattern }),
    ...(row.schedule !== "" && { ScheduleExpression: row.schedule }),
    ...(row.description !== "" && { Description: row.description }),
    ...(row.role_arn !== "" && { RoleArn: row.role_arn }),
  };
}
