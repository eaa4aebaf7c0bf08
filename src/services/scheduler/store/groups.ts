/** SQL of schedule groups, and of requests by their ClientTokens. */
import { sql } from "../../../store/database.ts";
import type { Reader, Transaction } from "../../../store/database.ts";
import type { Place } from "../names.ts";

export interface GroupRow {
  readonly name: string;
  readonly created_at: number;
  readonly modified_at: number;
  /** JSON: `{ key: value }`. */
  readonly tags: string;
}

const OWN = "account = ? AND region = ?";
const GET = sql(
  "scheduler.group",
  `SELECT name, created_at, modified_at, tags FROM scheduler_group WHERE ${OWN} AND name = ?`,
);
const LIST = sql(
  "scheduler.groups",
  `SELECT name, created_at, modified_at, tags FROM scheduler_group
   WHERE ${OWN} AND name > ? AND name LIKE ? ESCAPE '!' ORDER BY name LIMIT ?`,
);
const COUNT = sql("scheduler.count-groups", `SELECT count(*) AS count FROM scheduler_group WHERE ${OWN}`);
const INSERT = sql(
  "scheduler.insert-group",
  `INSERT INTO scheduler_group (account, region, name, created_at, modified_at, tags) VALUES (?, ?, ?, ?, ?, ?)
   ON CONFLICT DO NOTHING`,
);
const SET_TAGS = sql(
  "scheduler.set-tags",
  `UPDATE scheduler_group SET tags = ?, modified_at = ? WHERE ${OWN} AND name = ?`,
);
const DELETE = sql("scheduler.delete-group", `DELETE FROM scheduler_group WHERE ${OWN} AND name = ?`);
const TOKEN = sql(
  "scheduler.token",
  `SELECT request FROM scheduler_token WHERE ${OWN} AND token = ? AND made_at > ?`,
);
const FORGET_TOKENS = sql("scheduler.forget-tokens", "DELETE FROM scheduler_token WHERE made_at <= ?");
const ADD_TOKEN = sql(
  "scheduler.add-token",
  "INSERT INTO scheduler_token (account, region, token, request, made_at) VALUES (?, ?, ?, ?, ?)",
);

export function getGroup(
  reader: Reader,
  { account, region }: Place,
  name: string,
): Promise<GroupRow | undefined> {
  return reader.get<GroupRow>(GET, account, region, name);
}

export function listGroups(
  reader: Reader,
  { account, region }: Place,
  after: string,
  prefix: string,
  count: number,
): Promise<GroupRow[]> {
  return reader.all<GroupRow>(LIST, account, region, after, startsWith(prefix), count);
}

export async function countGroups(reader: Reader, { account, region }: Place): Promise<number> {
  return (await reader.get<{ count: number }>(COUNT, account, region))?.count ?? 0;
}

/** False when there is one of the name. */
export async function insertGroup(
  tx: Transaction,
  { account, region }: Place,
  row: GroupRow,
): Promise<boolean> {
  return (await tx.run(INSERT, account, region, row.name, row.created_at, row.modified_at, row.tags)) === 1;
}

export async function setTags(
  tx: Transaction,
  { account, region }: Place,
  name: string,
  tags: string,
  now: number,
): Promise<void> {
  await tx.run(SET_TAGS, tags, now, account, region, name);
}

export async function deleteGroup(
  tx: Transaction,
  { account, region }: Place,
  name: string,
): Promise<boolean> {
  return (await tx.run(DELETE, account, region, name)) === 1;
}

/** The request that a token stands for, if it was made after `since`. */
export async function requestOfToken(
  tx: Transaction,
  { account, region }: Place,
  token: string,
  since: number,
): Promise<string | undefined> {
  return (await tx.get<{ request: string }>(TOKEN, account, region, token, since))?.request;
}

/** Remembers a request, and forgets those that were made at `since` or before. */
export async function rememberToken(
  tx: Transaction,
  { account, region }: Place,
  token: string,
  request: string,
  { now, since }: { readonly now: number; readonly since: number },
): Promise<void> {
  await tx.run(FORGET_TOKENS, since);
  await tx.run(ADD_TOKEN, account, region, token, request, now);
}

/** A pattern of LIKE, with `!` as its escape. */
export function startsWith(prefix: string): string {
  return `${prefix.replaceAll(/[!%_]/g, "!$&")}%`;
}
