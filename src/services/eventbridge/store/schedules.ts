/** SQL of when scheduled rules run next. */
import { sql } from "../../../store/database.ts";
import type { Reader, Transaction } from "../../../store/database.ts";

export interface DueRule {
  readonly rule_id: string;
  /** Epoch milliseconds. */
  readonly next_at: number;
}

const FIRST = sql("events.schedule-first", "SELECT MIN(next_at) AS next_at FROM events_schedule");
const DUE = sql(
  "events.schedule-due",
  "SELECT rule_id, next_at FROM events_schedule WHERE next_at <= ? ORDER BY next_at, rule_id LIMIT ?",
);
const SET = sql(
  "events.schedule-set",
  `INSERT INTO events_schedule (rule_id, next_at) VALUES (?, ?)
   ON CONFLICT (rule_id) DO UPDATE SET next_at = excluded.next_at`,
);
const CLEAR = sql("events.schedule-clear", "DELETE FROM events_schedule WHERE rule_id = ?");
const TAKE = sql("events.schedule-take", "DELETE FROM events_schedule WHERE rule_id = ? AND next_at = ?");

export async function firstDue(reader: Reader): Promise<number | undefined> {
  return (await reader.get<{ next_at: number | null }>(FIRST))?.next_at ?? undefined;
}

export function dueRules(reader: Reader, now: number, count: number): Promise<DueRule[]> {
  return reader.all<DueRule>(DUE, now, count);
}

export async function setNextTime(tx: Transaction, ruleId: string, at: number): Promise<void> {
  await tx.run(SET, ruleId, at);
}

export async function clearNextTime(tx: Transaction, ruleId: string): Promise<void> {
  await tx.run(CLEAR, ruleId);
}

/** @returns whether it was still due then: another server may have been first */
export async function takeDue(tx: Transaction, { rule_id, next_at }: DueRule): Promise<boolean> {
  return (await tx.run(TAKE, rule_id, next_at)) > 0;
}
