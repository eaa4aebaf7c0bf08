/** SQL of log groups and log streams. */
import { sql } from "../../store/database.ts";
import type { Reader, Transaction } from "../../store/database.ts";
import { deleteFilters } from "./store-filters.ts";
import { insertGarbage } from "./store-garbage.ts";

export interface GroupRow {
  readonly group_id: number;
  readonly account: string;
  readonly region: string;
  readonly name: string;
  readonly retention_days: number | null;
  /** JSON: `{ key: value }`. */
  readonly tags: string;
  readonly created_at: number;
  readonly class: GroupClass;
  /** 0 where it has no filters; another number after each change of them. */
  readonly filters_revision: number;
}

export type GroupClass = "STANDARD" | "INFREQUENT_ACCESS";

export interface StreamRow {
  readonly stream_id: number;
  readonly group_id: number;
  readonly name: string;
  readonly created_at: number;
  /** 0 for none; the other two as well. */
  readonly first_event_at: number;
  readonly last_event_at: number;
  readonly last_ingested_at: number;
  readonly next_chunk: number;
  readonly bytes: number;
}

const FED_SINCE = sql(
  "logs.streamsFedSince",
  `SELECT stream_id, name, next_chunk FROM logs_stream WHERE group_id = ? AND last_ingested_at >= ?`,
);
const GROUP = `group_id, account, region, name, retention_days, tags, created_at, class, filters_revision`;
const STREAM = `stream_id, group_id, name, created_at, first_event_at, last_event_at, last_ingested_at, next_chunk, bytes`;

const LAST_CHARACTER = "\u{10FFFF}";

const GET_GROUP = sql(
  "logs.getGroup",
  `SELECT ${GROUP} FROM logs_group WHERE account = ? AND region = ? AND name = ?`,
);
const GET_GROUP_BY_ID = sql("logs.getGroupById", `SELECT ${GROUP} FROM logs_group WHERE group_id = ?`);
const LIST_GROUPS = sql(
  "logs.listGroups",
  `SELECT ${GROUP} FROM logs_group WHERE account = ? AND region = ? ORDER BY name`,
);
const LIST_RETAINED = sql(
  "logs.listRetainedGroups",
  `SELECT ${GROUP} FROM logs_group WHERE retention_days IS NOT NULL`,
);
const INSERT_GROUP = sql(
  "logs.insertGroup",
  `INSERT INTO logs_group (${GROUP}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
);
const SET_RETENTION = sql("logs.setRetention", `UPDATE logs_group SET retention_days = ? WHERE group_id = ?`);
const SET_TAGS = sql("logs.setTags", `UPDATE logs_group SET tags = ? WHERE group_id = ?`);
const DELETE_GROUP = sql("logs.deleteGroup", `DELETE FROM logs_group WHERE group_id = ?`);
const GROUP_BYTES = sql(
  "logs.groupBytes",
  `SELECT coalesce(sum(bytes), 0) AS bytes FROM logs_stream WHERE group_id = ?`,
);

const GET_STREAM = sql("logs.getStream", `SELECT ${STREAM} FROM logs_stream WHERE group_id = ? AND name = ?`);
const GET_STREAM_BY_ID = sql("logs.getStreamById", `SELECT ${STREAM} FROM logs_stream WHERE stream_id = ?`);
const INSERT_STREAM = sql(
  "logs.insertStream",
  `INSERT INTO logs_stream (${STREAM}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
);
const DELETE_STREAM = sql("logs.deleteStream", `DELETE FROM logs_stream WHERE stream_id = ?`);
const BY_NAME = sql(
  "logs.streamsByName",
  `SELECT ${STREAM} FROM logs_stream WHERE group_id = ? AND name > ? AND name >= ? AND name < ?
   ORDER BY name LIMIT ?`,
);
const BY_NAME_DOWN = sql(
  "logs.streamsByNameDown",
  `SELECT ${STREAM} FROM logs_stream WHERE group_id = ? AND name < ? AND name >= ? AND name < ?
   ORDER BY name DESC LIMIT ?`,
);
const BY_EVENT = sql(
  "logs.streamsByEvent",
  `SELECT ${STREAM} FROM logs_stream WHERE group_id = ? AND (last_event_at, name) > (?, ?)
   ORDER BY last_event_at, name LIMIT ?`,
);
const BY_EVENT_DOWN = sql(
  "logs.streamsByEventDown",
  `SELECT ${STREAM} FROM logs_stream WHERE group_id = ? AND (last_event_at, name) < (?, ?)
   ORDER BY last_event_at DESC, name DESC LIMIT ?`,
);

export function getGroup(
  reader: Reader,
  account: string,
  region: string,
  name: string,
): Promise<GroupRow | undefined> {
  return reader.get<GroupRow>(GET_GROUP, account, region, name);
}

export function getGroupById(reader: Reader, groupId: number): Promise<GroupRow | undefined> {
  return reader.get<GroupRow>(GET_GROUP_BY_ID, groupId);
}

/** All groups of an account in a region, by name. */
export function listGroups(reader: Reader, account: string, region: string): Promise<GroupRow[]> {
  return reader.all<GroupRow>(LIST_GROUPS, account, region);
}

/** The groups of every account and region whose events expire. */
export function listRetainedGroups(reader: Reader): Promise<GroupRow[]> {
  return reader.all<GroupRow>(LIST_RETAINED);
}

export async function insertGroup(tx: Transaction, group: GroupRow): Promise<void> {
  await tx.run(
    INSERT_GROUP,
    group.group_id,
    group.account,
    group.region,
    group.name,
    group.retention_days,
    group.tags,
    group.created_at,
    group.class,
    group.filters_revision,
  );
}

export async function setRetention(tx: Transaction, groupId: number, days: number | null): Promise<void> {
  await tx.run(SET_RETENTION, days, groupId);
}

export async function setTags(tx: Transaction, groupId: number, tags: Record<string, string>): Promise<void> {
  await tx.run(SET_TAGS, JSON.stringify(tags), groupId);
}

/** Deletes a group; its streams and events can no longer be found, and are left to the sweeper. */
export async function deleteGroup(tx: Transaction, groupId: number): Promise<void> {
  await tx.run(DELETE_GROUP, groupId);
  await deleteFilters(tx, groupId);
  await insertGarbage(tx, groupId, 0);
}

export async function groupBytes(reader: Reader, groupId: number): Promise<number> {
  return Number((await reader.get<{ bytes: number | string }>(GROUP_BYTES, groupId))?.bytes ?? 0);
}

export function getStream(reader: Reader, groupId: number, name: string): Promise<StreamRow | undefined> {
  return reader.get<StreamRow>(GET_STREAM, groupId, name);
}

export function getStreamById(reader: Reader, streamId: number): Promise<StreamRow | undefined> {
  return reader.get<StreamRow>(GET_STREAM_BY_ID, streamId);
}

export async function insertStream(tx: Transaction, stream: StreamRow): Promise<void> {
  await tx.run(
    INSERT_STREAM,
    stream.stream_id,
    stream.group_id,
    stream.name,
    stream.created_at,
    stream.first_event_at,
    stream.last_event_at,
    stream.last_ingested_at,
    stream.next_chunk,
    stream.bytes,
  );
}

/** Deletes a stream; its events are left to the sweeper. */
export async function deleteStream(tx: Transaction, stream: StreamRow): Promise<void> {
  await tx.run(DELETE_STREAM, stream.stream_id);
  await insertGarbage(tx, stream.group_id, stream.stream_id);
}

/** Streams whose name begins with `prefix`, in order of their names, after (or, descending, before) `from`. */
export function streamsByName(
  reader: Reader,
  groupId: number,
  options: { prefix: string; descending: boolean; from: string | undefined; count: number },
): Promise<StreamRow[]> {
  const { prefix, from, count, descending } = options;
  // Both engines order text by its UTF-8 bytes; nothing that begins with the prefix comes after this.
  const end = `${prefix}${LAST_CHARACTER}`;
  return reader.all<StreamRow>(
    descending ? BY_NAME_DOWN : BY_NAME,
    groupId,
    from ?? (descending ? end : ""),
    prefix,
    end,
    count,
  );
}

/** Streams in order of their last event, after (or, descending, before) `from`; those without events are earliest. */
export function streamsByLastEvent(
  reader: Reader,
  groupId: number,
  options: { descending: boolean; from: { at: number; name: string } | undefined; count: number },
): Promise<StreamRow[]> {
  const { from, count } = options;
  return options.descending
    ? reader.all<StreamRow>(
        BY_EVENT_DOWN,
        groupId,
        from?.at ?? Number.MAX_SAFE_INTEGER,
        from?.name ?? "",
        count,
      )
    : reader.all<StreamRow>(BY_EVENT, groupId, from?.at ?? -1, from?.name ?? "", count);
}

export interface FedStream {
  readonly stream_id: number;
  readonly name: string;
  readonly next_chunk: number;
}

/** Streams of a group that took events in at a time (epoch ms) or after. */
export function streamsFedSince(reader: Reader, groupId: number, since: number): Promise<FedStream[]> {
  return reader.all<FedStream>(FED_SINCE, groupId, since);
}
