/** Finds pools and clients, as requests name them. */
import type { RequestContext } from "../../../aws/service.ts";
import type { Reader } from "../../../store/database.ts";
import type { UserPools } from "../deps.ts";
import { notFound } from "../errors.ts";
import { getClient } from "../store/clients.ts";
import type { PoolClient } from "../store/clients.ts";
import { getPool } from "../store/pools.ts";
import type { Pool } from "../store/pools.ts";

export function noPool(poolId: string) {
  return notFound(`User pool ${poolId} does not exist.`);
}

export function noClient(clientId: string) {
  return notFound(`User pool client ${clientId} does not exist.`);
}

/** A pool of the caller's account and region. @throws AwsError ResourceNotFoundException */
export async function requirePool(
  reader: Reader,
  { account, region }: Pick<RequestContext, "account" | "region">,
  poolId = "",
): Promise<Pool> {
  const pool = await getPool(reader, poolId);
  if (!pool || pool.account !== account || pool.region !== region) throw noPool(poolId);
  return pool;
}

/** A client of a pool. @throws AwsError ResourceNotFoundException */
export async function requireClient(reader: Reader, pool: Pool, clientId = ""): Promise<PoolClient> {
  const client = await getClient(reader, clientId);
  if (client?.poolId !== pool.poolId) throw noClient(clientId);
  return client;
}

/**
 * A client by its id alone, with its pool: who calls for a client need not be known, and so names neither account nor region.
 * @throws AwsError ResourceNotFoundException
 */
export async function clientWithPool(
  { database }: Pick<UserPools, "database">,
  clientId = "",
): Promise<{ readonly pool: Pool; readonly client: PoolClient }> {
  const client = await getClient(database, clientId);
  const pool = client && (await getPool(database, client.poolId));
  if (!client || !pool) throw noClient(clientId);
  return { pool, client };
}
