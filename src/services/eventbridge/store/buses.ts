/** SQL of event buses. */
import { sql } from "../../../store/database.ts";
import type { Reader, Transaction } from "../../../store/database.ts";
import type { BusId, Place } from "../names.ts";

export interface BusRow extends BusId {
  readonly description: string;
  /** JSON, or "". */
  readonly log_config: string;
  /** The ARN of a queue, or "". */
  readonly dead_letter: string;
  /** JSON, or "". */
  readonly policy: string;
  /** JSON: `{ key: value }`. */
  readonly tags: string;
  readonly created_at: number;
  readonly modified_at: number;
  readonly version: number;
}

const COLUMNS =
  "account, region, name, description, log_config, dead_letter, policy, tags, created_at, modified_at, version";

const GET = sql(
  "events.bus",
  `SELECT ${COLUMNS} FROM events_bus WHERE account = ? AND region = ? AND name = ?`,
);
const LIST = sql(
  "events.buses",
  `SELECT ${COLUMNS} FROM events_bus WHERE account = ? AND region = ? AND name >= ? AND name > ? ORDER BY name LIMIT ?`,
);
const COUNT = sql(
  "events.bus-count",
  "SELECT COUNT(*) AS buses FROM events_bus WHERE account = ? AND region = ?",
);
const INSERT = sql(
  "events.insert-bus",
  `INSERT INTO events_bus (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (account, region, name) DO NOTHING`,
);
const UPDATE = sql(
  "events.update-bus",
  `UPDATE events_bus SET description = ?, log_config = ?, dead_letter = ?, policy = ?, tags = ?, modified_at = ?
   WHERE account = ? AND region = ? AND name = ?`,
);
const TOUCH = sql(
  "events.touch-bus",
  "UPDATE events_bus SET version = version + 1 WHERE account = ? AND region = ? AND name = ?",
);
const DELETE = sql(
  "events.delete-bus",
  "DELETE FROM events_bus WHERE account = ? AND region = ? AND name = ?",
);

export function getBus(reader: Reader, { account, region, name }: BusId): Promise<BusRow | undefined> {
  return reader.get<BusRow>(GET, account, region, name);
}

/** Those after `after`, in the order of their names; may go on with some that do not begin with the prefix. */
export function listBuses(
  reader: Reader,
  { account, region }: Place,
  prefix: string,
  after: string,
  count: number,
): Promise<BusRow[]> {
  return reader.all<BusRow>(LIST, account, region, prefix, after, count);
}

export async function countBuses(reader: Reader, { account, region }: Place): Promise<number> {
  return (await reader.get<{ buses: number }>(COUNT, account, region))?.buses ?? 0;
}

/** @returns whether there was none of that name */
export async function insertBus(tx: Transaction, row: BusRow): Promise<boolean> {
  const { account, region, name, description, log_config, dead_letter, policy, tags } = row;
  const values = [account, region, name, description, log_config, dead_letter, policy, tags];
  return (await tx.run(INSERT, ...values, row.created_at, row.modified_at, row.version)) > 0;
}

export async function updateBus(tx: Transaction, row: BusRow): Promise<void> {
  const { account, region, name, description, log_config, dead_letter, policy, tags, modified_at } = row;
  const settings = [description, log_config, dead_letter, policy, tags, modified_at];
  await tx.run(UPDATE, ...settings, account, region, name);
}

/** For what changes what an event on the bus meets. */
export async function touchBus(tx: Transaction, { account, region, name }: BusId): Promise<void> {
  await tx.run(TOUCH, account, region, name);
}

export async function deleteBusRow(tx: Transaction, { account, region, name }: BusId): Promise<void> {
  await tx.run(DELETE, account, region, name);
}
