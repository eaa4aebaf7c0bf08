/** SQL of replays. */
import { sql } from "../../../store/database.ts";
import type { Reader, Transaction } from "../../../store/database.ts";
import type { Place } from "../names.ts";

export type ReplayState = "STARTING" | "RUNNING" | "CANCELLING" | "COMPLETED" | "CANCELLED" | "FAILED";

export interface ReplayRow extends Place {
  readonly name: string;
  readonly archive_id: string;
  readonly archive_name: string;
  readonly bus: string;
  readonly description: string;
  /** JSON: of the rules that get the events; all of the bus's where it is empty. */
  readonly rule_arns: string;
  /** Of the events, both included. */
  readonly start_at: number;
  readonly end_at: number;
  readonly state: ReplayState;
  readonly state_reason: string;
  readonly started_at: number;
  /** 0 while it runs. */
  readonly ended_at: number;
  /** Of the last event that was put; 0 where there was none. */
  readonly position_at: number;
  readonly position_id: string;
}

const COLUMNS =
  "account, region, name, archive_id, archive_name, bus, description, rule_arns, start_at, end_at, state, state_reason, started_at, " +
  "ended_at, position_at, position_id";
const OF = "account = ? AND region = ? AND name = ?";

const GET = sql("events.replay", `SELECT ${COLUMNS} FROM events_replay WHERE ${OF}`);
const LIST = sql(
  "events.replays",
  `SELECT ${COLUMNS} FROM events_replay WHERE account = ? AND region = ? AND name >= ? AND name > ? ORDER BY name LIMIT ?`,
);
const ACTIVE = sql(
  "events.active-replays",
  `SELECT ${COLUMNS} FROM events_replay WHERE state IN ('STARTING', 'RUNNING', 'CANCELLING') ORDER BY started_at LIMIT ?`,
);
const INSERT = sql(
  "events.insert-replay",
  `INSERT INTO events_replay (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
   ON CONFLICT (account, region, name) DO NOTHING`,
);
const UPDATE = sql(
  "events.update-replay",
  `UPDATE events_replay SET state = ?, state_reason = ?, ended_at = ?, position_at = ?, position_id = ? WHERE ${OF}`,
);
const FORGET = sql("events.forget-replays", "DELETE FROM events_replay WHERE ended_at > 0 AND ended_at < ?");

export function getReplay(
  reader: Reader,
  { account, region }: Place,
  name: string,
): Promise<ReplayRow | undefined> {
  return reader.get<ReplayRow>(GET, account, region, name);
}

/** Those after `after`, in the order of their names; may go on with some that do not begin with the prefix. */
export function listReplayRows(
  reader: Reader,
  { account, region }: Place,
  prefix: string,
  after: string,
  count: number,
): Promise<ReplayRow[]> {
  return reader.all<ReplayRow>(LIST, account, region, prefix, after, count);
}

export function activeReplays(reader: Reader, count: number): Promise<ReplayRow[]> {
  return reader.all<ReplayRow>(ACTIVE, count);
}

/** @returns whether there was none of that name */
export async function insertReplay(tx: Transaction, row: ReplayRow): Promise<boolean> {
  const { account, region, name, archive_id, archive_name, bus, description, rule_arns, start_at, end_at } =
    row;
  const facts = [
    account,
    region,
    name,
    archive_id,
    archive_name,
    bus,
    description,
    rule_arns,
    start_at,
    end_at,
  ];
  const { state, state_reason, started_at, ended_at, position_at, position_id } = row;
  return (
    (await tx.run(INSERT, ...facts, state, state_reason, started_at, ended_at, position_at, position_id)) > 0
  );
}

export async function updateReplay(tx: Transaction, row: ReplayRow): Promise<void> {
  const { state, state_reason, ended_at, position_at, position_id, account, region, name } = row;
  await tx.run(UPDATE, state, state_reason, ended_at, position_at, position_id, account, region, name);
}

/** Those that ended before a time. */
export async function forgetReplays(tx: Transaction, before: number): Promise<void> {
  await tx.run(FORGET, before);
}
