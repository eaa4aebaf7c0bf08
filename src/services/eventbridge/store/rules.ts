/** SQL of rules. */
import { sql } from "../../../store/database.ts";
import type { Reader, Transaction } from "../../../store/database.ts";
import type { BusId, Place, RuleId } from "../names.ts";

export interface RuleRow extends Place {
  readonly rule_id: string;
  readonly bus: string;
  readonly name: string;
  /** "" for none. */
  readonly pattern: string;
  readonly schedule: string;
  readonly state: "ENABLED" | "DISABLED";
  readonly description: string;
  readonly role_arn: string;
  /** The account of who made it. */
  readonly created_by: string;
  readonly created_at: number;
  /** JSON: `{ key: value }`. */
  readonly tags: string;
}

const COLUMNS =
  "rule_id, account, region, bus, name, pattern, schedule, state, description, role_arn, created_by, created_at, tags";
const OF_BUS = "account = ? AND region = ? AND bus = ?";

const GET = sql("events.rule", `SELECT ${COLUMNS} FROM events_rule WHERE ${OF_BUS} AND name = ?`);
const BY_ID = sql("events.rule-by-id", `SELECT ${COLUMNS} FROM events_rule WHERE rule_id = ?`);
const LIST = sql(
  "events.rules",
  `SELECT ${COLUMNS} FROM events_rule WHERE ${OF_BUS} AND name >= ? AND name > ? ORDER BY name LIMIT ?`,
);
const MATCHING = sql(
  "events.rules-with-pattern",
  `SELECT ${COLUMNS} FROM events_rule WHERE ${OF_BUS} AND state = 'ENABLED' AND pattern <> '' ORDER BY name`,
);
const COUNT = sql("events.rule-count", `SELECT COUNT(*) AS rules FROM events_rule WHERE ${OF_BUS}`);
const BY_TARGET = sql(
  "events.rules-by-target",
  `SELECT DISTINCT r.name FROM events_target t JOIN events_rule r ON r.rule_id = t.rule_id
   WHERE t.arn = ? AND r.account = ? AND r.region = ? AND r.bus = ? AND r.name > ? ORDER BY r.name LIMIT ?`,
);
const INSERT = sql(
  "events.insert-rule",
  `INSERT INTO events_rule (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
);
const UPDATE = sql(
  "events.update-rule",
  "UPDATE events_rule SET pattern = ?, schedule = ?, state = ?, description = ?, role_arn = ?, tags = ? WHERE rule_id = ?",
);
const DELETE = sql("events.delete-rule", "DELETE FROM events_rule WHERE rule_id = ?");

export function getRule(
  reader: Reader,
  { bus: { account, region, name: bus }, name }: RuleId,
): Promise<RuleRow | undefined> {
  return reader.get<RuleRow>(GET, account, region, bus, name);
}

export function getRuleById(reader: Reader, id: string): Promise<RuleRow | undefined> {
  return reader.get<RuleRow>(BY_ID, id);
}

/** Those after `after`, in the order of their names; may go on with some that do not begin with the prefix. */
export function listRuleRows(
  reader: Reader,
  { account, region, name }: BusId,
  prefix: string,
  after: string,
  count: number,
): Promise<RuleRow[]> {
  return reader.all<RuleRow>(LIST, account, region, name, prefix, after, count);
}

/** The enabled rules that events can match. */
export function matchingRules(reader: Reader, { account, region, name }: BusId): Promise<RuleRow[]> {
  return reader.all<RuleRow>(MATCHING, account, region, name);
}

export async function countRules(reader: Reader, { account, region, name }: BusId): Promise<number> {
  return (await reader.get<{ rules: number }>(COUNT, account, region, name))?.rules ?? 0;
}

export async function ruleNamesByTarget(
  reader: Reader,
  { account, region, name }: BusId,
  targetArn: string,
  after: string,
  count: number,
): Promise<string[]> {
  const rows = await reader.all<{ name: string }>(BY_TARGET, targetArn, account, region, name, after, count);
  return rows.map((row) => row.name);
}

export async function insertRule(tx: Transaction, row: RuleRow): Promise<void> {
  const { rule_id, account, region, bus, name, pattern, schedule, state, description, role_arn } = row;
  const values = [rule_id, account, region, bus, name, pattern, schedule, state, description, role_arn];
  await tx.run(INSERT, ...values, row.created_by, row.created_at, row.tags);
}

export async function updateRule(tx: Transaction, row: RuleRow): Promise<void> {
  const { pattern, schedule, state, description, role_arn, tags, rule_id } = row;
  await tx.run(UPDATE, pattern, schedule, state, description, role_arn, tags, rule_id);
}

export async function deleteRuleRow(tx: Transaction, id: string): Promise<void> {
  await tx.run(DELETE, id);
}
