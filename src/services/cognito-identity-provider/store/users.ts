/** SQL of users, and of what they also sign in by. */
import { sql } from "../../../store/database.ts";
import type { Reader, Transaction } from "../../../store/database.ts";
import type { Credentials, User, UserStatus } from "../users/user.ts";

interface UserRow {
  readonly pool_id: string;
  readonly username_key: string;
  readonly username: string;
  readonly sub: string;
  readonly status: string;
  /** 1 or 0. */
  readonly enabled: number;
  readonly created_at: number;
  readonly modified_at: number;
  readonly attributes: string;
  readonly credentials: string;
}

const COLUMNS =
  "pool_id, username_key, username, sub, status, enabled, created_at, modified_at, attributes, credentials";
const GET = sql("cognito.user", `SELECT ${COLUMNS} FROM cognito_user WHERE pool_id = ? AND username_key = ?`);
const GET_BY_SUB = sql(
  "cognito.user-by-sub",
  `SELECT ${COLUMNS} FROM cognito_user WHERE pool_id = ? AND sub = ?`,
);
const LIST = sql(
  "cognito.users",
  `SELECT ${COLUMNS} FROM cognito_user WHERE pool_id = ? AND username_key > ? ORDER BY username_key LIMIT ?`,
);
const COUNT = sql("cognito.count-users", "SELECT count(*) AS n FROM cognito_user WHERE pool_id = ?");
const INSERT = sql(
  "cognito.insert-user",
  `INSERT INTO cognito_user (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
);
const UPDATE = sql(
  "cognito.update-user",
  `UPDATE cognito_user SET status = ?, enabled = ?, modified_at = ?, attributes = ?, credentials = ?
   WHERE pool_id = ? AND username_key = ?`,
);
const DELETES = ["alias", "member", "code", "attempts", "ticket", "session", "message", "device", "user"].map(
  (table) =>
    sql(
      `cognito.delete-user-${table}`,
      `DELETE FROM cognito_${table} WHERE pool_id = ? AND username_key = ?`,
    ),
);
const GET_ALIAS = sql(
  "cognito.alias",
  "SELECT username_key FROM cognito_alias WHERE pool_id = ? AND kind = ? AND value = ?",
);
const DELETE_ALIAS = sql(
  "cognito.delete-alias",
  "DELETE FROM cognito_alias WHERE pool_id = ? AND kind = ? AND username_key = ?",
);
const SET_ALIAS = sql(
  "cognito.set-alias",
  `INSERT INTO cognito_alias (pool_id, kind, value, username_key) VALUES (?, ?, ?, ?)
   ON CONFLICT (pool_id, kind, value) DO UPDATE SET username_key = excluded.username_key`,
);

function userOf(row: UserRow): User {
  return {
    poolId: row.pool_id,
    key: row.username_key,
    username: row.username,
    sub: row.sub,
    status: row.status as UserStatus,
    enabled: row.enabled === 1,
    createdAt: row.created_at,
    modifiedAt: row.modified_at,
    attributes: JSON.parse(row.attributes) as Record<string, string>,
    credentials: JSON.parse(row.credentials) as Credentials,
  };
}

export async function getUser(reader: Reader, poolId: string, key: string): Promise<User | undefined> {
  const row = await reader.get<UserRow>(GET, poolId, key);
  return row && userOf(row);
}

export async function getUserBySub(reader: Reader, poolId: string, sub: string): Promise<User | undefined> {
  const row = await reader.get<UserRow>(GET_BY_SUB, poolId, sub);
  return row && userOf(row);
}

export async function listUserRows(
  reader: Reader,
  poolId: string,
  after: string,
  count: number,
): Promise<User[]> {
  return (await reader.all<UserRow>(LIST, poolId, after, count)).map(userOf);
}

export async function countUsers(reader: Reader, poolId: string): Promise<number> {
  return (await reader.get<{ n: number }>(COUNT, poolId))?.n ?? 0;
}

export async function insertUser(tx: Transaction, user: User): Promise<void> {
  await tx.run(
    INSERT,
    user.poolId,
    user.key,
    user.username,
    user.sub,
    user.status,
    user.enabled ? 1 : 0,
    user.createdAt,
    user.modifiedAt,
    JSON.stringify(user.attributes),
    JSON.stringify(user.credentials),
  );
}

export async function updateUser(tx: Transaction, user: User): Promise<void> {
  const { status, enabled, modifiedAt, attributes, credentials, poolId, key } = user;
  const [json, credentialsJson] = [JSON.stringify(attributes), JSON.stringify(credentials)];
  await tx.run(UPDATE, status, enabled ? 1 : 0, modifiedAt, json, credentialsJson, poolId, key);
}

/** Deletes a user with everything of theirs. */
export async function deleteUserRows(tx: Transaction, { poolId, key }: User): Promise<void> {
  for (const statement of DELETES) await tx.run(statement, poolId, key);
}

/** The key of the user who signs in by that value. */
export async function aliasOwner(
  reader: Reader,
  poolId: string,
  kind: string,
  value: string,
): Promise<string | undefined> {
  return (await reader.get<{ username_key: string }>(GET_ALIAS, poolId, kind, value))?.username_key;
}

/** Gives a user the one value of a kind, also where another has it; undefined takes theirs away. */
export async function setAlias(
  tx: Transaction,
  { poolId, key }: User,
  kind: string,
  value: string | undefined,
): Promise<void> {
  await tx.run(DELETE_ALIAS, poolId, kind, key);
  if (value !== undefined) await tx.run(SET_ALIAS, poolId, kind, value, key);
}
