/**
 * Scheduled rules: when each runs next stands in the database, and what it hands over is written in the transaction that moves that time on. So
 * a rule runs once at a time, whatever the number of servers and whenever one dies.
 */
import { ScheduleExpressionError, nextTime, parseSchedule } from "../../../aws/schedule-expression/index.ts";
import type { Schedule } from "../../../aws/schedule-expression/index.ts";
import type { Transaction } from "../../../store/database.ts";
import type { DueWork } from "../../../store/due-runner.ts";
import type { EventBridge } from "../deps.ts";
import { invalidParameter } from "../errors.ts";
import { envelope } from "../events/event.ts";
import { handOver } from "../events/hand-over.ts";
import { loadRule } from "../rules/loaded-rule.ts";
import { getRuleById } from "../store/rules.ts";
import type { RuleRow } from "../store/rules.ts";
import { clearNextTime, dueRules, firstDue, setNextTime, takeDue } from "../store/schedules.ts";
import type { DueRule } from "../store/schedules.ts";
import { targetsOf } from "../store/targets.ts";

const TOPIC = "events-schedules";
/** How late a rule runs all the same; what was missed by more, while no server ran, is not made up. In milliseconds. */
const LATE_MS_MAX = 60_000;
/** Rules looked at together. */
const BATCH = 100;

/** @throws AwsError ValidationException */
export function readSchedule(text: string): Schedule {
  try {
    return parseSchedule(text, { kinds: ["rate", "cron"] });
  } catch (error) {
    if (!(error instanceof ScheduleExpressionError)) throw error;
    throw invalidParameter("ScheduleExpression", `${error.message}.`);
  }
}

/** To be called in every transaction that makes or changes a rule: it writes down when the rule runs first. */
export async function schedule(
  { clock, signals }: Pick<EventBridge, "clock" | "signals">,
  tx: Transaction,
  rule: Pick<RuleRow, "rule_id" | "schedule" | "state">,
): Promise<void> {
  const at =
    rule.schedule !== "" && rule.state === "ENABLED"
      ? nextTime(readSchedule(rule.schedule), clock.now())
      : undefined;
  if (at === undefined) return clearNextTime(tx, rule.rule_id);
  await setNextTime(tx, rule.rule_id, at);
  await signals.send(tx, TOPIC, at);
}

/** What the runner does. */
export function scheduledRules(eventBridge: EventBridge): DueWork {
  const { database } = eventBridge;
  return {
    topic: TOPIC,
    nextDue: () => firstDue(database),
    async runDue(now) {
      for (const due of await dueRules(database, now, BATCH))
        await database.tx((tx) => run(eventBridge, tx, due, now));
    },
  };
}

async function run(eventBridge: EventBridge, tx: Transaction, due: DueRule, now: number): Promise<void> {
  if (!(await takeDue(tx, due))) return;
  const row = await getRuleById(tx, due.rule_id);
  if (!row || row.state !== "ENABLED" || row.schedule === "") return;
  const isMissed = now - due.next_at > LATE_MS_MAX;
  const next = nextAfter(readSchedule(row.schedule), due.next_at, isMissed ? now : due.next_at);
  if (next !== undefined) await setNextTime(tx, row.rule_id, next);
  if (isMissed) {
    tx.afterCommit(() =>
      eventBridge.log.info("A scheduled rule was due while no server ran; it runs at its next time", {
        rule: row.name,
        due: new Date(due.next_at).toISOString(),
      }),
    );
    return;
  }
  await fire(eventBridge, tx, row, due.next_at, now);
}

/** A rate goes on in its steps. */
function nextAfter(schedule: Schedule, due: number, after: number): number | undefined {
  return nextTime(schedule, after, { anchor: due });
}

/** @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html */
async function fire(
  eventBridge: EventBridge,
  tx: Transaction,
  row: RuleRow,
  time: number,
  now: number,
): Promise<void> {
  const rule = loadRule(row, await targetsOf(tx, row.rule_id));
  const event = envelope({
    id: eventBridge.ids.uuid(),
    source: "aws.events",
    detailType: "Scheduled Event",
    detail: {},
    resources: [rule.arn],
    time,
    account: row.account,
    region: row.region,
  });
  tx.afterCommit(() => eventBridge.metrics.triggered(rule.bus, rule.name, rule.targets.length));
  for (const target of rule.targets)
    await handOver(eventBridge, tx, rule, target, { ...event, receivedAt: now });
}
