/** SQL of rules' targets. */
import { sql } from "../../../store/database.ts";
import type { Reader, Transaction } from "../../../store/database.ts";
import type { BusId } from "../names.ts";
import type { Target } from "../rules/target.ts";

interface TargetRow {
  readonly rule_id: string;
  readonly target_id: string;
  readonly arn: string;
  readonly content: string;
}

const COLUMNS = "rule_id, target_id, arn, content";
const LIST = sql(
  "events.targets",
  `SELECT ${COLUMNS} FROM events_target WHERE rule_id = ? AND target_id > ? ORDER BY target_id LIMIT ?`,
);
const OF_BUS = sql(
  "events.targets-of-bus",
  `SELECT t.rule_id, t.target_id, t.arn, t.content FROM events_target t JOIN events_rule r ON r.rule_id = t.rule_id
   WHERE r.account = ? AND r.region = ? AND r.bus = ? ORDER BY t.rule_id, t.target_id`,
);
const PUT = sql(
  "events.put-target",
  `INSERT INTO events_target (${COLUMNS}) VALUES (?, ?, ?, ?)
   ON CONFLICT (rule_id, target_id) DO UPDATE SET arn = excluded.arn, content = excluded.content`,
);
const DELETE = sql("events.delete-target", "DELETE FROM events_target WHERE rule_id = ? AND target_id = ?");

/** More targets than a rule has. */
const ALL = 1_000;

export async function targetsOf(
  reader: Reader,
  ruleId: string,
  after = "",
  count: number = ALL,
): Promise<Target[]> {
  return (await reader.all<TargetRow>(LIST, ruleId, after, count)).map(read);
}

/** The targets of all rules of a bus, by the rule. */
export async function targetsOfBus(
  reader: Reader,
  { account, region, name }: BusId,
): Promise<Map<string, Target[]>> {
  const byRule = new Map<string, Target[]>();
  for (const row of await reader.all<TargetRow>(OF_BUS, account, region, name)) {
    const known = byRule.get(row.rule_id);
    if (known) known.push(read(row));
    else byRule.set(row.rule_id, [read(row)]);
  }
  return byRule;
}

export async function putTarget(tx: Transaction, ruleId: string, target: Target): Promise<void> {
  await tx.run(PUT, ruleId, target.Id, target.Arn, JSON.stringify(target));
}

/** @returns whether there was one */
export async function deleteTarget(tx: Transaction, ruleId: string, targetId: string): Promise<boolean> {
  return (await tx.run(DELETE, ruleId, targetId)) > 0;
}

function read({ content }: TargetRow): Target {
  return JSON.parse(content) as Target;
}
