/** SQL of pools. */
import { sql } from "../../../store/database.ts";
import type { Reader, Transaction } from "../../../store/database.ts";
import type { PoolSettings } from "../pools/settings.ts";

export interface Pool {
  readonly poolId: string;
  readonly account: string;
  readonly region: string;
  readonly name: string;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly modifiedAt: number;
  readonly settings: PoolSettings;
  readonly tags: Readonly<Record<string, string>>;
  /** Random; for what must look real and be the same each time, of users that are not there. */
  readonly secret: string;
}

interface PoolRow {
  readonly pool_id: string;
  readonly account: string;
  readonly region: string;
  readonly name: string;
  readonly created_at: number;
  readonly modified_at: number;
  readonly settings: string;
  readonly tags: string;
  readonly secret: string;
}

const COLUMNS = "pool_id, account, region, name, created_at, modified_at, settings, tags, secret";
const GET = sql("cognito.pool", `SELECT ${COLUMNS} FROM cognito_pool WHERE pool_id = ?`);
const LIST = sql(
  "cognito.pools",
  `SELECT ${COLUMNS} FROM cognito_pool WHERE account = ? AND region = ? AND pool_id > ? ORDER BY pool_id LIMIT ?`,
);
const COUNT = sql(
  "cognito.count-pools",
  "SELECT count(*) AS n FROM cognito_pool WHERE account = ? AND region = ?",
);
const INSERT = sql(
  "cognito.insert-pool",
  `INSERT INTO cognito_pool (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
);
const UPDATE = sql(
  "cognito.update-pool",
  "UPDATE cognito_pool SET name = ?, modified_at = ?, settings = ?, tags = ? WHERE pool_id = ?",
);
/** Everything of a pool, what belongs to it before itself. */
const DELETES = [
  "client",
  "user",
  "alias",
  "group",
  "member",
  "code",
  "attempts",
  "ticket",
  "device",
  "session",
  "key",
  "message",
  "resource_server",
  "domain",
  "pool",
].map((table) => sql(`cognito.delete-pool-${table}`, `DELETE FROM cognito_${table} WHERE pool_id = ?`));

function poolOf(row: PoolRow): Pool {
  const { pool_id: poolId, created_at: createdAt, modified_at: modifiedAt, settings, tags, ...rest } = row;
  return {
    ...rest,
    poolId,
    createdAt,
    modifiedAt,
    settings: JSON.parse(settings) as PoolSettings,
    tags: JSON.parse(tags) as Record<string, string>,
  };
}

export async function getPool(reader: Reader, poolId: string): Promise<Pool | undefined> {
  const row = await reader.get<PoolRow>(GET, poolId);
  return row && poolOf(row);
}

export async function listPools(
  reader: Reader,
  { account, region }: Pick<Pool, "account" | "region">,
  after: string,
  count: number,
): Promise<Pool[]> {
  return (await reader.all<PoolRow>(LIST, account, region, after, count)).map(poolOf);
}

export async function countPools(
  reader: Reader,
  { account, region }: Pick<Pool, "account" | "region">,
): Promise<number> {
  return (await reader.get<{ n: number }>(COUNT, account, region))?.n ?? 0;
}

export async function insertPool(tx: Transaction, pool: Pool): Promise<void> {
  const { settings, tags } = pool;
  await tx.run(
    INSERT,
    pool.poolId,
    pool.account,
    pool.region,
    pool.name,
    pool.createdAt,
    pool.modifiedAt,
    JSON.stringify(settings),
    JSON.stringify(tags),
    pool.secret,
  );
}

export async function updatePool(tx: Transaction, pool: Pool): Promise<void> {
  const { name, modifiedAt, settings, tags, poolId } = pool;
  await tx.run(UPDATE, name, modifiedAt, JSON.stringify(settings), JSON.stringify(tags), poolId);
}

/** Deletes a pool with everything in it. */
export async function deletePool(tx: Transaction, poolId: string): Promise<void> {
  for (const statement of DELETES) await tx.run(statement, poolId);
}
