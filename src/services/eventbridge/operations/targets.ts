/** PutTargets, RemoveTargets and ListTargetsByRule. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Transaction } from "../../../store/database.ts";
import type { Client, EventBridge } from "../deps.ts";
import { limitExceeded, noSuchRule } from "../errors.ts";
import { TARGETS_PER_RULE_MAX } from "../limits.ts";
import { busOf } from "../names.ts";
import type { RuleId } from "../names.ts";
import { pageOf } from "../paging.ts";
import { checkTarget } from "../rules/check-target.ts";
import { getRule } from "../store/rules.ts";
import type { RuleRow } from "../store/rules.ts";
import { deleteTarget, putTarget, targetsOf } from "../store/targets.ts";

/** All of them, or none. */
export async function putTargets(
  { database, buses }: EventBridge,
  input: Input<Client, "PutTargets">,
  context: RequestContext,
): Promise<Output<Client, "PutTargets">> {
  const bus = busOf(input.EventBusName, context);
  await buses.require(bus);
  const targets = (input.Targets ?? []).map((target) => checkTarget(target, bus));
  await database.tx(async (tx) => {
    const rule = await requireRule(tx, { bus, name: input.Rule ?? "" });
    const known = await targetsOf(tx, rule.rule_id);
    const names = new Set([...known, ...targets].map(({ Id }) => Id));
    if (names.size > TARGETS_PER_RULE_MAX) throw limitExceeded();
    for (const target of targets) await putTarget(tx, rule.rule_id, target);
    await buses.changed(tx, bus, { rule: rule.rule_id });
  });
  return { FailedEntryCount: 0, FailedEntries: [] };
}

export async function removeTargets(
  { database, buses }: EventBridge,
  input: Input<Client, "RemoveTargets">,
  context: RequestContext,
): Promise<Output<Client, "RemoveTargets">> {
  const bus = busOf(input.EventBusName, context);
  await buses.require(bus);
  const failed = await database.tx(async (tx) => {
    const rule = await requireRule(tx, { bus, name: input.Rule ?? "" });
    const missing: string[] = [];
    for (const id of input.Ids ?? []) if (!(await deleteTarget(tx, rule.rule_id, id))) missing.push(id);
    await buses.changed(tx, bus, { rule: rule.rule_id });
    return missing;
  });
  const FailedEntries = failed.map((TargetId) => ({
    TargetId,
    ErrorCode: "ResourceNotFoundException",
    ErrorMessage: `Target ${TargetId} does not exist on rule ${input.Rule}.`,
  }));
  return { FailedEntryCount: failed.length, FailedEntries };
}

export async function listTargetsByRule(
  { database, buses }: EventBridge,
  input: Input<Client, "ListTargetsByRule">,
  context: RequestContext,
): Promise<Output<Client, "ListTargetsByRule">> {
  const bus = busOf(input.EventBusName, context);
  await buses.require(bus);
  const rule = await requireRule(database, { bus, name: input.Rule ?? "" });
  const { rows, next } = await pageOf(
    input,
    (after, count) => targetsOf(database, rule.rule_id, after, count),
    ({ Id }) => Id,
  );
  return { Targets: rows as Output<Client, "ListTargetsByRule">["Targets"], ...next };
}

async function requireRule(reader: Pick<Transaction, "get" | "all">, id: RuleId): Promise<RuleRow> {
  const rule = await getRule(reader, id);
  if (!rule) throw noSuchRule(id.name, id.bus.name);
  return rule;
}
