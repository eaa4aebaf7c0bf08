/** SQL of schedules. */
import { sql } from "../../../store/database.ts";
import type { Reader, Transaction } from "../../../store/database.ts";
import type { Place } from "../names.ts";
import { startsWith } from "./groups.ts";

export interface ScheduleKey extends Place {
  readonly group_name: string;
  readonly name: string;
}

/** When it comes next; see the migration. */
export interface NextRow {
  readonly scheduled_at: number | null;
  readonly fire_at: number | null;
}

export interface ScheduleRow extends ScheduleKey, NextRow {
  readonly state: string;
  /** JSON of a Definition. */
  readonly definition: string;
  readonly created_at: number;
  readonly modified_at: number;
  readonly anchor_at: number;
  readonly version: number;
}

const KEY = "account = ? AND region = ? AND group_name = ? AND name = ?";
const COLUMNS =
  "account, region, group_name, name, state, definition, created_at, modified_at, anchor_at, scheduled_at, fire_at, version";

const GET = sql("scheduler.schedule", `SELECT ${COLUMNS} FROM scheduler_schedule WHERE ${KEY}`);
const COUNT = sql(
  "scheduler.count-schedules",
  "SELECT count(*) AS count FROM scheduler_schedule WHERE account = ? AND region = ?",
);
const INSERT = sql(
  "scheduler.insert-schedule",
  `INSERT INTO scheduler_schedule (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT DO NOTHING`,
);
const UPDATE = sql(
  "scheduler.update-schedule",
  `UPDATE scheduler_schedule SET state = ?, definition = ?, modified_at = ?, anchor_at = ?, scheduled_at = ?, fire_at = ?,
   version = version + 1 WHERE ${KEY}`,
);
const MOVE_ON = sql(
  "scheduler.move-on",
  `UPDATE scheduler_schedule SET scheduled_at = ?, fire_at = ?, version = version + 1 WHERE ${KEY} AND version = ?`,
);
const DELETE = sql("scheduler.delete-schedule", `DELETE FROM scheduler_schedule WHERE ${KEY}`);
const DELETE_LAST = sql(
  "scheduler.delete-completed",
  `DELETE FROM scheduler_schedule WHERE ${KEY} AND version = ?`,
);
const DELETE_ALL = sql(
  "scheduler.delete-group-schedules",
  "DELETE FROM scheduler_schedule WHERE account = ? AND region = ? AND group_name = ?",
);
const LIST = sql(
  "scheduler.schedules",
  `SELECT ${COLUMNS} FROM scheduler_schedule
   WHERE account = ? AND region = ? AND (group_name > ? OR (group_name = ? AND name > ?))
   AND group_name LIKE ? ESCAPE '!' AND name LIKE ? ESCAPE '!' AND state LIKE ? ESCAPE '!'
   ORDER BY group_name, name LIMIT ?`,
);
const FIRST_DUE = sql(
  "scheduler.first-due",
  "SELECT fire_at FROM scheduler_schedule WHERE fire_at IS NOT NULL ORDER BY fire_at LIMIT 1",
);
const DUE = sql(
  "scheduler.due",
  `SELECT ${COLUMNS} FROM scheduler_schedule WHERE fire_at IS NOT NULL AND fire_at <= ? ORDER BY fire_at LIMIT ?`,
);

const keyOf = ({ account, region, group_name, name }: ScheduleKey) =>
  [account, region, group_name, name] as const;

export function getSchedule(reader: Reader, key: ScheduleKey): Promise<ScheduleRow | undefined> {
  return reader.get<ScheduleRow>(GET, ...keyOf(key));
}

export async function countSchedules(reader: Reader, { account, region }: Place): Promise<number> {
  return (await reader.get<{ count: number }>(COUNT, account, region))?.count ?? 0;
}

/** False when there is one of the name. */
export async function insertSchedule(tx: Transaction, row: Omit<ScheduleRow, "version">): Promise<boolean> {
  const { state, definition, created_at, modified_at, anchor_at, scheduled_at, fire_at } = row;
  const values = [state, definition, created_at, modified_at, anchor_at, scheduled_at, fire_at];
  return (await tx.run(INSERT, ...keyOf(row), ...values)) === 1;
}

export async function updateSchedule(
  tx: Transaction,
  row: Omit<ScheduleRow, "version" | "created_at">,
): Promise<void> {
  const { state, definition, modified_at, anchor_at, scheduled_at, fire_at } = row;
  await tx.run(UPDATE, state, definition, modified_at, anchor_at, scheduled_at, fire_at, ...keyOf(row));
}

/** False when somebody else has changed it since it was read. */
export async function moveOn(tx: Transaction, row: ScheduleRow, next: NextRow): Promise<boolean> {
  return (await tx.run(MOVE_ON, next.scheduled_at, next.fire_at, ...keyOf(row), row.version)) === 1;
}

/** False when somebody else has changed it since it was read. */
export async function deleteCompleted(tx: Transaction, row: ScheduleRow): Promise<boolean> {
  return (await tx.run(DELETE_LAST, ...keyOf(row), row.version)) === 1;
}

export async function deleteSchedule(tx: Transaction, key: ScheduleKey): Promise<boolean> {
  return (await tx.run(DELETE, ...keyOf(key))) === 1;
}

export async function deleteSchedulesOf(
  tx: Transaction,
  { account, region }: Place,
  group: string,
): Promise<void> {
  await tx.run(DELETE_ALL, account, region, group);
}

export interface ListFilter {
  readonly group?: string | undefined;
  readonly prefix?: string | undefined;
  readonly state?: string | undefined;
}

export function listSchedules(
  reader: Reader,
  { account, region }: Place,
  [group = "", name = ""]: readonly string[],
  filter: ListFilter,
  count: number,
): Promise<ScheduleRow[]> {
  return reader.all<ScheduleRow>(
    LIST,
    account,
    region,
    group,
    group,
    name,
    exactly(filter.group),
    startsWith(filter.prefix ?? ""),
    exactly(filter.state),
    count,
  );
}

/** A pattern of LIKE for one text, or for all. */
function exactly(text: string | undefined): string {
  return text === undefined ? "%" : startsWith(text).slice(0, -1);
}

/** Epoch milliseconds. */
export async function firstDue(reader: Reader): Promise<number | undefined> {
  return (await reader.get<{ fire_at: number }>(FIRST_DUE))?.fire_at;
}

export function dueSchedules(reader: Reader, now: number, count: number): Promise<ScheduleRow[]> {
  return reader.all<ScheduleRow>(DUE, now, count);
}
