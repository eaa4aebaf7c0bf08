/** SQL of resource servers and domains. */
import { sql } from "../../../store/database.ts";
import type { Reader, Transaction } from "../../../store/database.ts";

export interface ResourceServer {
  readonly identifier: string;
  readonly name: string;
  readonly scopes: readonly { readonly name: string; readonly description: string }[];
}

interface ServerRow {
  readonly identifier: string;
  readonly name: string;
  readonly scopes: string;
}

const GET = sql(
  "cognito.resource-server",
  "SELECT identifier, name, scopes FROM cognito_resource_server WHERE pool_id = ? AND identifier = ?",
);
const LIST = sql(
  "cognito.resource-servers",
  `SELECT identifier, name, scopes FROM cognito_resource_server WHERE pool_id = ? AND identifier > ?
   ORDER BY identifier LIMIT ?`,
);
const PUT = sql(
  "cognito.put-resource-server",
  `INSERT INTO cognito_resource_server (pool_id, identifier, name, scopes) VALUES (?, ?, ?, ?)
   ON CONFLICT (pool_id, identifier) DO UPDATE SET name = excluded.name, scopes = excluded.scopes`,
);
const DELETE = sql(
  "cognito.delete-resource-server",
  "DELETE FROM cognito_resource_server WHERE pool_id = ? AND identifier = ?",
);
const DOMAIN = sql("cognito.domain", "SELECT pool_id FROM cognito_domain WHERE domain = ? AND region = ?");
const DOMAIN_OF_POOL = sql("cognito.domain-of-pool", "SELECT domain FROM cognito_domain WHERE pool_id = ?");
const ADD_DOMAIN = sql(
  "cognito.add-domain",
  "INSERT INTO cognito_domain (domain, region, pool_id) VALUES (?, ?, ?)",
);
const DELETE_DOMAIN = sql(
  "cognito.delete-domain",
  "DELETE FROM cognito_domain WHERE domain = ? AND region = ?",
);

function serverOf({ identifier, name, scopes }: ServerRow): ResourceServer {
  return { identifier, name, scopes: JSON.parse(scopes) as ResourceServer["scopes"] };
}

export async function getResourceServer(
  reader: Reader,
  poolId: string,
  identifier: string,
): Promise<ResourceServer | undefined> {
  const row = await reader.get<ServerRow>(GET, poolId, identifier);
  return row && serverOf(row);
}

export async function listResourceServerRows(
  reader: Reader,
  poolId: string,
  after: string,
  count: number,
): Promise<ResourceServer[]> {
  return (await reader.all<ServerRow>(LIST, poolId, after, count)).map(serverOf);
}

export async function putResourceServer(
  tx: Transaction,
  poolId: string,
  { identifier, name, scopes }: ResourceServer,
): Promise<void> {
  await tx.run(PUT, poolId, identifier, name, JSON.stringify(scopes));
}

export async function deleteResourceServerRow(
  tx: Transaction,
  poolId: string,
  identifier: string,
): Promise<void> {
  await tx.run(DELETE, poolId, identifier);
}

/** The pool that a domain of a region is of. */
export async function poolOfDomain(
  reader: Reader,
  domain: string,
  region: string,
): Promise<string | undefined> {
  return (await reader.get<{ pool_id: string }>(DOMAIN, domain, region))?.pool_id;
}

export async function domainOfPool(reader: Reader, poolId: string): Promise<string | undefined> {
  return (await reader.get<{ domain: string }>(DOMAIN_OF_POOL, poolId))?.domain;
}

export async function addDomain(
  tx: Transaction,
  domain: string,
  region: string,
  poolId: string,
): Promise<void> {
  await tx.run(ADD_DOMAIN, domain, region, poolId);
}

export async function deleteDomain(tx: Transaction, domain: string, region: string): Promise<void> {
  await tx.run(DELETE_DOMAIN, domain, region);
}
