/** SQL of roles and users. */
import { sql } from "../../store/database.ts";
import type { Reader, Transaction } from "../../store/database.ts";

export interface RoleRow {
  readonly account: string;
  readonly name_key: string;
  readonly name: string;
  readonly path: string;
  readonly role_id: string;
  readonly trust_policy: string;
  readonly description: string | null;
  readonly max_session_seconds: number;
  readonly boundary_arn: string | null;
  /** JSON: `{ key: value }`. */
  readonly tags: string;
  /** Epoch milliseconds. */
  readonly created_at: number;
}

export interface UserRow {
  readonly account: string;
  readonly name_key: string;
  readonly name: string;
  readonly path: string;
  readonly user_id: string;
  readonly boundary_arn: string | null;
  readonly tags: string;
  readonly created_at: number;
}

const ROLE = `account, name_key, name, path, role_id, trust_policy, description, max_session_seconds, boundary_arn, tags, created_at`;
const USER = `account, name_key, name, path, user_id, boundary_arn, tags, created_at`;

const GET_ROLE = sql("iam.getRole", `SELECT ${ROLE} FROM iam_role WHERE account = ? AND name_key = ?`);
const GET_ROLE_BY_ID = sql("iam.getRoleById", `SELECT ${ROLE} FROM iam_role WHERE role_id = ?`);
const LIST_ROLES = sql("iam.listRoles", `SELECT ${ROLE} FROM iam_role WHERE account = ? ORDER BY name_key`);
const COUNT_ROLES = sql("iam.countRoles", `SELECT count(*) AS n FROM iam_role WHERE account = ?`);
const INSERT_ROLE = sql(
  "iam.insertRole",
  `INSERT INTO iam_role (${ROLE}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
);
const UPDATE_ROLE = sql(
  "iam.updateRole",
  `UPDATE iam_role SET trust_policy = ?, description = ?, max_session_seconds = ?, boundary_arn = ?, tags = ?
   WHERE role_id = ?`,
);
const DELETE_ROLE = sql("iam.deleteRole", `DELETE FROM iam_role WHERE role_id = ?`);

const GET_USER = sql("iam.getUser", `SELECT ${USER} FROM iam_user WHERE account = ? AND name_key = ?`);
const GET_USER_BY_ID = sql("iam.getUserById", `SELECT ${USER} FROM iam_user WHERE user_id = ?`);
const LIST_USERS = sql("iam.listUsers", `SELECT ${USER} FROM iam_user WHERE account = ? ORDER BY name_key`);
const COUNT_USERS = sql("iam.countUsers", `SELECT count(*) AS n FROM iam_user WHERE account = ?`);
const INSERT_USER = sql("iam.insertUser", `INSERT INTO iam_user (${USER}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`);
const UPDATE_USER = sql(
  "iam.updateUser",
  `UPDATE iam_user SET name_key = ?, name = ?, path = ?, boundary_arn = ?, tags = ? WHERE user_id = ?`,
);
const DELETE_USER = sql("iam.deleteUser", `DELETE FROM iam_user WHERE user_id = ?`);

const COUNT_BOUNDARIES = sql(
  "iam.countBoundaries",
  `SELECT boundary_arn, count(*) AS n FROM (
     SELECT boundary_arn FROM iam_role WHERE account = ? AND boundary_arn IS NOT NULL
     UNION ALL SELECT boundary_arn FROM iam_user WHERE account = ? AND boundary_arn IS NOT NULL
   ) AS bounded GROUP BY boundary_arn`,
);

export function getRole(reader: Reader, account: string, name: string): Promise<RoleRow | undefined> {
  return reader.get<RoleRow>(GET_ROLE, account, name.toLowerCase());
}

export function getRoleById(reader: Reader, roleId: string): Promise<RoleRow | undefined> {
  return reader.get<RoleRow>(GET_ROLE_BY_ID, roleId);
}

export function listRoles(reader: Reader, account: string): Promise<RoleRow[]> {
  return reader.all<RoleRow>(LIST_ROLES, account);
}

export async function countRoles(reader: Reader, account: string): Promise<number> {
  return (await reader.get<{ n: number }>(COUNT_ROLES, account))?.n ?? 0;
}

export async function insertRole(tx: Transaction, role: RoleRow): Promise<void> {
  await tx.run(
    INSERT_ROLE,
    role.account,
    role.name_key,
    role.name,
    role.path,
    role.role_id,
    role.trust_policy,
    role.description,
    role.max_session_seconds,
    role.boundary_arn,
    role.tags,
    role.created_at,
  );
}

/** Writes what may change of a role. */
export async function updateRole(tx: Transaction, role: RoleRow): Promise<void> {
  await tx.run(
    UPDATE_ROLE,
    role.trust_policy,
    role.description,
    role.max_session_seconds,
    role.boundary_arn,
    role.tags,
    role.role_id,
  );
}

export async function deleteRole(tx: Transaction, roleId: string): Promise<void> {
  await tx.run(DELETE_ROLE, roleId);
}

export function getUser(reader: Reader, account: string, name: string): Promise<UserRow | undefined> {
  return reader.get<UserRow>(GET_USER, account, name.toLowerCase());
}

export function getUserById(reader: Reader, userId: string): Promise<UserRow | undefined> {
  return reader.get<UserRow>(GET_USER_BY_ID, userId);
}

export function listUsers(reader: Reader, account: string): Promise<UserRow[]> {
  return reader.all<UserRow>(LIST_USERS, account);
}

export async function countUsers(reader: Reader, account: string): Promise<number> {
  return (await reader.get<{ n: number }>(COUNT_USERS, account))?.n ?? 0;
}

export async function insertUser(tx: Transaction, user: UserRow): Promise<void> {
  await tx.run(
    INSERT_USER,
    user.account,
    user.name_key,
    user.name,
    user.path,
    user.user_id,
    user.boundary_arn,
    user.tags,
    user.created_at,
  );
}

/** Writes what may change of a user, its name included. */
export async function updateUser(tx: Transaction, user: UserRow): Promise<void> {
  await tx.run(UPDATE_USER, user.name_key, user.name, user.path, user.boundary_arn, user.tags, user.user_id);
}

export async function deleteUser(tx: Transaction, userId: string): Promise<void> {
  await tx.run(DELETE_USER, userId);
}

/** How many roles and users of the account each policy bounds, by ARN. */
export async function boundaryCounts(reader: Reader, account: string): Promise<Map<string, number>> {
  const rows = await reader.all<{ boundary_arn: string; n: number }>(COUNT_BOUNDARIES, account, account);
  return new Map(rows.map((row) => [row.boundary_arn, row.n]));
}
