/** SQL of clients. */
import { sql } from "../../../store/database.ts";
import type { Reader, Transaction } from "../../../store/database.ts";
import type { ClientSettings } from "../clients/settings.ts";

export interface ClientSecret {
  readonly id: string;
  readonly value: string;
  readonly createdAt: number;
}

/** A pool's client: an application. */
export interface PoolClient {
  readonly clientId: string;
  readonly poolId: string;
  readonly name: string;
  readonly createdAt: number;
  readonly modifiedAt: number;
  readonly settings: ClientSettings;
  readonly secrets: readonly ClientSecret[];
}

interface ClientRow {
  readonly client_id: string;
  readonly pool_id: string;
  readonly name: string;
  readonly created_at: number;
  readonly modified_at: number;
  readonly settings: string;
  readonly secrets: string;
}

const COLUMNS = "client_id, pool_id, name, created_at, modified_at, settings, secrets";
const GET = sql("cognito.client", `SELECT ${COLUMNS} FROM cognito_client WHERE client_id = ?`);
const LIST = sql(
  "cognito.clients",
  `SELECT ${COLUMNS} FROM cognito_client WHERE pool_id = ? AND client_id > ? ORDER BY client_id LIMIT ?`,
);
const COUNT = sql("cognito.count-clients", "SELECT count(*) AS n FROM cognito_client WHERE pool_id = ?");
const INSERT = sql(
  "cognito.insert-client",
  `INSERT INTO cognito_client (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)`,
);
const UPDATE = sql(
  "cognito.update-client",
  "UPDATE cognito_client SET name = ?, modified_at = ?, settings = ?, secrets = ? WHERE client_id = ?",
);
const DELETE = sql("cognito.delete-client", "DELETE FROM cognito_client WHERE client_id = ?");
const DELETE_SESSIONS = sql(
  "cognito.delete-client-sessions",
  "DELETE FROM cognito_session WHERE pool_id = ? AND client_id = ?",
);

function clientOf(row: ClientRow): PoolClient {
  return {
    clientId: row.client_id,
    poolId: row.pool_id,
    name: row.name,
    createdAt: row.created_at,
    modifiedAt: row.modified_at,
    settings: JSON.parse(row.settings) as ClientSettings,
    secrets: JSON.parse(row.secrets) as ClientSecret[],
  };
}

export async function getClient(reader: Reader, clientId: string): Promise<PoolClient | undefined> {
  const row = await reader.get<ClientRow>(GET, clientId);
  return row && clientOf(row);
}

export async function listClients(
  reader: Reader,
  poolId: string,
  after: string,
  count: number,
): Promise<PoolClient[]> {
  return (await reader.all<ClientRow>(LIST, poolId, after, count)).map(clientOf);
}

export async function countClients(reader: Reader, poolId: string): Promise<number> {
  return (await reader.get<{ n: number }>(COUNT, poolId))?.n ?? 0;
}

export async function insertClient(tx: Transaction, client: PoolClient): Promise<void> {
  const { clientId, poolId, name, createdAt, modifiedAt, settings, secrets } = client;
  const [json, secretsJson] = [JSON.stringify(settings), JSON.stringify(secrets)];
  await tx.run(INSERT, clientId, poolId, name, createdAt, modifiedAt, json, secretsJson);
}

export async function updateClient(tx: Transaction, client: PoolClient): Promise<void> {
  const { clientId, name, modifiedAt, settings, secrets } = client;
  await tx.run(UPDATE, name, modifiedAt, JSON.stringify(settings), JSON.stringify(secrets), clientId);
}

/** Deletes a client, and ends what was signed in by it. */
export async function deleteClient(tx: Transaction, { poolId, clientId }: PoolClient): Promise<void> {
  await tx.run(DELETE_SESSIONS, poolId, clientId);
  await tx.run(DELETE, clientId);
}
