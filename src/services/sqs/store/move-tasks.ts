/** SQL of tasks that move messages. */
import { sql } from "../../../store/database.ts";
import type { Reader, Transaction } from "../../../store/database.ts";

export type MoveStatus = "RUNNING" | "COMPLETED" | "CANCELLING" | "CANCELLED" | "FAILED";

export interface MoveTaskRow {
  readonly task_id: string;
  readonly source_arn: string;
  /** Null: each message goes back where it came from. */
  readonly destination_arn: string | null;
  /** Messages a second; null for as fast as it goes. */
  readonly rate: number | null;
  readonly status: MoveStatus;
  readonly failure: string | null;
  readonly moved: number;
  readonly to_move: number;
  readonly started_at: number;
  /** 0 while it runs. */
  readonly ended_at: number;
}

const COLUMNS =
  "task_id, source_arn, destination_arn, rate, status, failure, moved, to_move, started_at, ended_at";

const INSERT = sql(
  "sqs.insert-move-task",
  `INSERT INTO sqs_move_task (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
);
const GET = sql("sqs.move-task", `SELECT ${COLUMNS} FROM sqs_move_task WHERE task_id = ?`);
const RUNNING = sql(
  "sqs.running-move-tasks",
  `SELECT ${COLUMNS} FROM sqs_move_task WHERE ended_at = 0 ORDER BY started_at`,
);
const OF_SOURCE = sql(
  "sqs.move-tasks-of-source",
  `SELECT ${COLUMNS} FROM sqs_move_task WHERE source_arn = ? ORDER BY started_at DESC, task_id LIMIT ?`,
);
const CANCEL = sql(
  "sqs.cancel-move-task",
  "UPDATE sqs_move_task SET status = 'CANCELLING' WHERE task_id = ? AND status = 'RUNNING'",
);
const MOVED = sql("sqs.count-moved", "UPDATE sqs_move_task SET moved = moved + ? WHERE task_id = ?");
const END = sql(
  "sqs.end-move-task",
  "UPDATE sqs_move_task SET status = ?, failure = ?, ended_at = ? WHERE task_id = ?",
);
const OLD = sql(
  "sqs.drop-old-move-tasks",
  "DELETE FROM sqs_move_task WHERE source_arn = ? AND ended_at > 0 AND ended_at < ?",
);

export async function insertMoveTask(tx: Transaction, row: MoveTaskRow): Promise<void> {
  const { task_id, source_arn, destination_arn, rate, status } = row;
  const { failure, moved, to_move, started_at, ended_at } = row;
  await tx.run(
    INSERT,
    task_id,
    source_arn,
    destination_arn,
    rate,
    status,
    failure,
    moved,
    to_move,
    started_at,
    ended_at,
  );
}

export function getMoveTask(reader: Reader, id: string): Promise<MoveTaskRow | undefined> {
  return reader.get<MoveTaskRow>(GET, id);
}

export function runningMoveTasks(reader: Reader): Promise<MoveTaskRow[]> {
  return reader.all<MoveTaskRow>(RUNNING);
}

/** The latest first. */
export function moveTasksOf(reader: Reader, sourceArn: string, count: number): Promise<MoveTaskRow[]> {
  return reader.all<MoveTaskRow>(OF_SOURCE, sourceArn, count);
}

/** @returns whether it was running */
export async function cancelMoveTask(tx: Transaction, id: string): Promise<boolean> {
  return (await tx.run(CANCEL, id)) > 0;
}

export async function countMoved(tx: Transaction, id: string, count: number): Promise<void> {
  await tx.run(MOVED, count, id);
}

export async function endMoveTask(
  tx: Transaction,
  id: string,
  status: MoveStatus,
  failure: string | null,
  now: number,
): Promise<void> {
  await tx.run(END, status, failure, now, id);
}

export async function dropOldMoveTasks(tx: Transaction, sourceArn: string, before: number): Promise<void> {
  await tx.run(OLD, sourceArn, before);
}
