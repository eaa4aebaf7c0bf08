/** SQL of groups and their members. */
import { sql } from "../../../store/database.ts";
import type { Reader, Transaction } from "../../../store/database.ts";

export interface GroupRow {
  readonly pool_id: string;
  readonly name: string;
  readonly description: string | null;
  readonly role_arn: string | null;
  /** The lower, the more it counts. */
  readonly precedence: number | null;
  readonly created_at: number;
  readonly modified_at: number;
}

const COLUMNS = "pool_id, name, description, role_arn, precedence, created_at, modified_at";
const GET = sql("cognito.group", `SELECT ${COLUMNS} FROM cognito_group WHERE pool_id = ? AND name = ?`);
const LIST = sql(
  "cognito.groups",
  `SELECT ${COLUMNS} FROM cognito_group WHERE pool_id = ? AND name > ? ORDER BY name LIMIT ?`,
);
const COUNT = sql("cognito.count-groups", "SELECT count(*) AS n FROM cognito_group WHERE pool_id = ?");
const INSERT = sql(
  "cognito.insert-group",
  `INSERT INTO cognito_group (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)`,
);
const UPDATE = sql(
  "cognito.update-group",
  `UPDATE cognito_group SET description = ?, role_arn = ?, precedence = ?, modified_at = ?
   WHERE pool_id = ? AND name = ?`,
);
const DELETE = sql("cognito.delete-group", "DELETE FROM cognito_group WHERE pool_id = ? AND name = ?");
const DELETE_MEMBERS = sql(
  "cognito.delete-members",
  "DELETE FROM cognito_member WHERE pool_id = ? AND group_name = ?",
);
const ADD = sql(
  "cognito.add-member",
  `INSERT INTO cognito_member (pool_id, group_name, username_key) VALUES (?, ?, ?)
   ON CONFLICT (pool_id, group_name, username_key) DO NOTHING`,
);
const REMOVE = sql(
  "cognito.remove-member",
  "DELETE FROM cognito_member WHERE pool_id = ? AND group_name = ? AND username_key = ?",
);
const MEMBERS = sql(
  "cognito.members",
  `SELECT username_key FROM cognito_member WHERE pool_id = ? AND group_name = ? AND username_key > ?
   ORDER BY username_key LIMIT ?`,
);
const OF_USER = sql(
  "cognito.groups-of-user",
  `SELECT g.pool_id, g.name, g.description, g.role_arn, g.precedence, g.created_at, g.modified_at
   FROM cognito_member m JOIN cognito_group g ON g.pool_id = m.pool_id AND g.name = m.group_name
   WHERE m.pool_id = ? AND m.username_key = ? ORDER BY g.name`,
);

export function getGroup(reader: Reader, poolId: string, name: string): Promise<GroupRow | undefined> {
  return reader.get<GroupRow>(GET, poolId, name);
}

export function listGroupRows(
  reader: Reader,
  poolId: string,
  after: string,
  count: number,
): Promise<GroupRow[]> {
  return reader.all<GroupRow>(LIST, poolId, after, count);
}

export async function countGroups(reader: Reader, poolId: string): Promise<number> {
  return (await reader.get<{ n: number }>(COUNT, poolId))?.n ?? 0;
}

export async function insertGroup(tx: Transaction, row: GroupRow): Promise<void> {
  await tx.run(
    INSERT,
    row.pool_id,
    row.name,
    row.description,
    row.role_arn,
    row.precedence,
    row.created_at,
    row.modified_at,
  );
}

export async function updateGroupRow(tx: Transaction, row: GroupRow): Promise<void> {
  await tx.run(UPDATE, row.description, row.role_arn, row.precedence, row.modified_at, row.pool_id, row.name);
}

export async function deleteGroupRow(tx: Transaction, poolId: string, name: string): Promise<void> {
  await tx.run(DELETE_MEMBERS, poolId, name);
  await tx.run(DELETE, poolId, name);
}

export async function addMember(tx: Transaction, poolId: string, name: string, key: string): Promise<void> {
  await tx.run(ADD, poolId, name, key);
}

export async function removeMember(
  tx: Transaction,
  poolId: string,
  name: string,
  key: string,
): Promise<void> {
  await tx.run(REMOVE, poolId, name, key);
}

/** The keys of a group's users, in order. */
export async function listMembers(
  reader: Reader,
  poolId: string,
  name: string,
  after: string,
  count: number,
): Promise<string[]> {
  const rows = await reader.all<{ username_key: string }>(MEMBERS, poolId, name, after, count);
  return rows.map(({ username_key }) => username_key);
}

/** The groups that a user is in, by name. */
export function groupsOfUser(reader: Reader, poolId: string, key: string): Promise<GroupRow[]> {
  return reader.all<GroupRow>(OF_USER, poolId, key);
}
