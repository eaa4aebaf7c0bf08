/** PutRule. */
import { notImplemented } from "../../../aws/errors.ts";
import { ALL_OPERATORS, PatternError, compilePattern } from "../../../aws/event-pattern/index.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, EventBridge } from "../deps.ts";
import { invalidPattern, limitExceeded, validation } from "../errors.ts";
import { DEFAULT_BUS, busOf, ruleArn } from "../names.ts";
import { requireBus } from "../rules/buses.ts";
import { countRules, getRule, insertRule, updateRule } from "../store/rules.ts";
import type { RuleRow } from "../store/rules.ts";
import { readSchedule, schedule as writeSchedule } from "../schedules/scheduled-rules.ts";
import { withTags } from "../tags.ts";

/** Makes a rule, or replaces all of one but its targets and tags. */
export async function putRule(
  eventBridge: EventBridge,
  input: Input<Client, "PutRule">,
  context: RequestContext,
): Promise<Output<Client, "PutRule">> {
  const { clock, database, ids, buses, rulesMax } = eventBridge;
  const { Name: name = "", EventPattern: pattern = "", ScheduleExpression: schedule = "" } = input;
  const bus = busOf(input.EventBusName, context);
  if (pattern === "" && schedule === "")
    throw validation("Parameter(s) EventPattern or ScheduleExpression must be specified.");
  if (pattern !== "") checkPattern(pattern);
  if (schedule !== "" && bus.name !== DEFAULT_BUS)
    throw validation("ScheduleExpression is supported only on the default event bus.");
  if (schedule !== "") readSchedule(schedule);
  await checkRole(eventBridge, input.RoleArn, ruleArn(bus, name));
  const settings = {
    pattern,
    schedule,
    state: stateOf(input.State),
    description: input.Description ?? "",
    role_arn: input.RoleArn ?? "",
  };
  await database.tx(async (tx) => {
    await requireBus(tx, bus, clock.now());
    const existing = await getRule(tx, { bus, name });
    const rule: RuleRow = existing
      ? { ...existing, ...settings }
      : {
          ...settings,
          ...bus,
          rule_id: ids.uuid(),
          bus: bus.name,
          name,
          created_by: context.account,
          created_at: clock.now(),
          tags: JSON.stringify(withTags({}, input.Tags)),
        };
    if (existing) await updateRule(tx, rule);
    else {
      if ((await countRules(tx, bus)) >= rulesMax) throw limitExceeded();
      await insertRule(tx, rule);
    }
    // A rate that stays as it is goes on in its steps.
    if (existing?.schedule !== schedule || existing.state !== rule.state)
      await writeSchedule(eventBridge, tx, rule);
    await buses.changed(tx, bus, { rule: rule.rule_id });
  });
  return { RuleArn: ruleArn(bus, name) };
}

/** @throws AwsError ValidationException for a role that EventBridge cannot act as */
async function checkRole(
  { roles }: Pick<EventBridge, "roles">,
  role: string | undefined,
  rule: string,
): Promise<void> {
  if (role === undefined || (await roles.canBeAssumedBy(role, "events.amazonaws.com", rule))) return;
  throw validation(`Provided role '${role}' cannot be assumed by principal 'events.amazonaws.com'.`);
}

/** @throws AwsError InvalidEventPatternException */
export function checkPattern(text: string): (event: unknown) => boolean {
  try {
    return compilePattern(text, { operators: ALL_OPERATORS });
  } catch (error) {
    if (error instanceof PatternError) throw invalidPattern(error.message);
    throw error;
  }
}

function stateOf(state: string | undefined): RuleRow["state"] {
  if (state === "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")
    throw notImplemented(`the rule state ${state}: this server has no AWS CloudTrail`);
  return state === "DISABLED" ? "DISABLED" : "ENABLED";
}
