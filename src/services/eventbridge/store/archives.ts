/** SQL of archives and the events in them. */
import { sql } from "../../../store/database.ts";
import type { Reader, Transaction } from "../../../store/database.ts";
import type { BusId, Place } from "../names.ts";

export interface ArchiveRow extends Place {
  readonly archive_id: string;
  readonly name: string;
  readonly bus: string;
  readonly description: string;
  /** "" for all events. */
  readonly pattern: string;
  /** 0 for ever. */
  readonly retention_days: number;
  readonly created_at: number;
  readonly events: number;
  readonly bytes: number;
}

/** An event in an archive. */
export interface ArchivedEvent {
  /** Epoch milliseconds. */
  readonly received_at: number;
  readonly entry_id: string;
  /** JSON. */
  readonly event: string;
}

const COLUMNS =
  "archive_id, account, region, name, bus, description, pattern, retention_days, created_at, events, bytes";

const GET = sql(
  "events.archive",
  `SELECT ${COLUMNS} FROM events_archive WHERE account = ? AND region = ? AND name = ?`,
);
const LIST = sql(
  "events.archives",
  `SELECT ${COLUMNS} FROM events_archive WHERE account = ? AND region = ? AND name >= ? AND name > ? ORDER BY name LIMIT ?`,
);
const OF_BUS = sql(
  "events.archives-of-bus",
  `SELECT ${COLUMNS} FROM events_archive WHERE account = ? AND region = ? AND bus = ? ORDER BY name`,
);
const KEEPING = sql(
  "events.archives-with-retention",
  `SELECT ${COLUMNS} FROM events_archive WHERE retention_days > 0`,
);
const INSERT = sql(
  "events.insert-archive",
  `INSERT INTO events_archive (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0) ON CONFLICT (account, region, name) DO NOTHING`,
);
const UPDATE = sql(
  "events.update-archive",
  "UPDATE events_archive SET description = ?, pattern = ?, retention_days = ? WHERE archive_id = ?",
);
const DELETE = sql("events.delete-archive", "DELETE FROM events_archive WHERE archive_id = ?");
const ADD_GARBAGE = sql(
  "events.add-archive-garbage",
  "INSERT INTO events_archive_garbage (archive_id) VALUES (?)",
);
const GARBAGE = sql("events.archive-garbage", "SELECT archive_id FROM events_archive_garbage");
const DROP_GARBAGE = sql(
  "events.drop-archive-garbage",
  "DELETE FROM events_archive_garbage WHERE archive_id = ?",
);
const ADD = sql(
  "events.archive-event",
  "INSERT INTO events_archived (archive_id, received_at, entry_id, event) VALUES (?, ?, ?, ?)",
);
const COUNT = sql(
  "events.count-archived",
  "UPDATE events_archive SET events = events + ?, bytes = bytes + ? WHERE archive_id = ?",
);
const READ = sql(
  "events.archived",
  `SELECT received_at, entry_id, event FROM events_archived
   WHERE archive_id = ? AND received_at >= ? AND received_at <= ? AND (received_at > ? OR entry_id > ?)
   ORDER BY received_at, entry_id LIMIT ?`,
);
const REMOVE = sql(
  "events.remove-archived",
  "DELETE FROM events_archived WHERE archive_id = ? AND received_at = ? AND entry_id = ?",
);

export function getArchive(
  reader: Reader,
  { account, region }: Place,
  name: string,
): Promise<ArchiveRow | undefined> {
  return reader.get<ArchiveRow>(GET, account, region, name);
}

/** Those after `after`, in the order of their names; may go on with some that do not begin with the prefix. */
export function listArchiveRows(
  reader: Reader,
  { account, region }: Place,
  prefix: string,
  after: string,
  count: number,
): Promise<ArchiveRow[]> {
  return reader.all<ArchiveRow>(LIST, account, region, prefix, after, count);
}

export function archivesOf(reader: Reader, { account, region, name }: BusId): Promise<ArchiveRow[]> {
  return reader.all<ArchiveRow>(OF_BUS, account, region, name);
}

/** Those whose events go some day. */
export function expiringArchives(reader: Reader): Promise<ArchiveRow[]> {
  return reader.all<ArchiveRow>(KEEPING);
}

/** @returns whether there was none of that name */
export async function insertArchive(tx: Transaction, row: ArchiveRow): Promise<boolean> {
  const { archive_id, account, region, name, bus, description, pattern, retention_days, created_at } = row;
  const values = [archive_id, account, region, name, bus, description, pattern, retention_days, created_at];
  return (await tx.run(INSERT, ...values)) > 0;
}

export async function updateArchiveRow(tx: Transaction, row: ArchiveRow): Promise<void> {
  await tx.run(UPDATE, row.description, row.pattern, row.retention_days, row.archive_id);
}

/** The archive alone; its events are garbage from then on. */
export async function deleteArchiveRow(tx: Transaction, id: string): Promise<void> {
  await tx.run(DELETE, id);
  await tx.run(ADD_GARBAGE, id);
}

export async function garbageArchives(reader: Reader): Promise<string[]> {
  return (await reader.all<{ archive_id: string }>(GARBAGE)).map((row) => row.archive_id);
}

export async function dropGarbage(tx: Transaction, id: string): Promise<void> {
  await tx.run(DROP_GARBAGE, id);
}

export async function addArchived(
  tx: Transaction,
  archiveId: string,
  { received_at, entry_id, event }: ArchivedEvent,
): Promise<void> {
  await tx.run(ADD, archiveId, received_at, entry_id, event);
  await tx.run(COUNT, 1, Buffer.byteLength(event), archiveId);
}

/** Events of a time, both ends included, after a position; in their order. */
export function readArchived(
  reader: Reader,
  archiveId: string,
  time: { readonly from: number; readonly to: number },
  after: { readonly at: number; readonly id: string },
  count: number,
): Promise<ArchivedEvent[]> {
  const from = Math.max(time.from, after.at);
  return reader.all<ArchivedEvent>(READ, archiveId, from, time.to, after.at, after.id, count);
}

export async function removeArchived(
  tx: Transaction,
  archiveId: string,
  events: readonly ArchivedEvent[],
): Promise<void> {
  let bytes = 0;
  for (const { received_at, entry_id, event } of events) {
    await tx.run(REMOVE, archiveId, received_at, entry_id);
    bytes += Buffer.byteLength(event);
  }
  await tx.run(COUNT, -events.length, -bytes, archiveId);
}
