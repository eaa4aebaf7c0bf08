/** Clients of pools: Create, Describe, Update, Delete and ListUserPoolClients. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { checkSecret, readSettings } from "../clients/settings.ts";
import type { Client, UserPools } from "../deps.ts";
import { invalidParameter, limitExceeded } from "../errors.ts";
import { CLIENTS_PER_POOL_MAX } from "../limits.ts";
import { newClientId, newClientSecret } from "../names.ts";
import { pageOf, readToken } from "../paging.ts";
import { requireClient, requirePool } from "../pools/lookup.ts";
import { countClients, deleteClient, insertClient, listClients, updateClient } from "../store/clients.ts";
import type { PoolClient } from "../store/clients.ts";
import { checkScopes } from "../oauth/scopes.ts";

type Described = NonNullable<Output<Client, "DescribeUserPoolClient">["UserPoolClient"]>;
const LIST_MAX = 60;

export function describeClient(client: PoolClient): Described {
  const secret = client.secrets[0]?.value;
  return {
    ...client.settings,
    UserPoolId: client.poolId,
    ClientName: client.name,
    ClientId: client.clientId,
    ...(secret !== undefined && { ClientSecret: secret }),
    CreationDate: new Date(client.createdAt),
    LastModifiedDate: new Date(client.modifiedAt),
  };
}

export async function createUserPoolClient(
  { clock, database, ids }: UserPools,
  input: Input<Client, "CreateUserPoolClient">,
  context: RequestContext,
): Promise<Output<Client, "CreateUserPoolClient">> {
  if (input.GenerateSecret === true && input.ClientSecret !== undefined)
    throw invalidParameter("GenerateSecret and ClientSecret cannot be used together.");
  const now = clock.now();
  const secret = input.ClientSecret ?? (input.GenerateSecret === true ? newClientSecret() : undefined);
  const created = await database.tx(async (tx) => {
    const pool = await requirePool(tx, context, input.UserPoolId);
    if ((await countClients(tx, pool.poolId)) >= CLIENTS_PER_POOL_MAX)
      throw limitExceeded(`A user pool can have at most ${CLIENTS_PER_POOL_MAX} clients.`);
    const settings = readSettings(input, pool.settings);
    checkSecret(settings, secret !== undefined);
    await checkScopes(tx, pool, settings);
    const client: PoolClient = {
      clientId: newClientId(),
      poolId: pool.poolId,
      name: input.ClientName ?? "",
      createdAt: now,
      modifiedAt: now,
      settings,
      secrets: secret === undefined ? [] : [{ id: ids.uuid(), value: secret, createdAt: now }],
    };
    await insertClient(tx, client);
    return client;
  });
  return { UserPoolClient: describeClient(created) };
}

export async function describeUserPoolClient(
  { database }: UserPools,
  { UserPoolId, ClientId }: Input<Client, "DescribeUserPoolClient">,
  context: RequestContext,
): Promise<Output<Client, "DescribeUserPoolClient">> {
  const pool = await requirePool(database, context, UserPoolId);
  return { UserPoolClient: describeClient(await requireClient(database, pool, ClientId)) };
}

/** What an update does not name falls back to its default. */
export async function updateUserPoolClient(
  { clock, database }: UserPools,
  input: Input<Client, "UpdateUserPoolClient">,
  context: RequestContext,
): Promise<Output<Client, "UpdateUserPoolClient">> {
  const updated = await database.tx(async (tx) => {
    const pool = await requirePool(tx, context, input.UserPoolId);
    const client = await requireClient(tx, pool, input.ClientId);
    const settings = readSettings(input, pool.settings);
    checkSecret(settings, client.secrets.length > 0);
    await checkScopes(tx, pool, settings);
    const changed = {
      ...client,
      name: input.ClientName ?? client.name,
      modifiedAt: clock.now(),
      settings,
    };
    await updateClient(tx, changed);
    return changed;
  });
  return { UserPoolClient: describeClient(updated) };
}

export async function deleteUserPoolClient(
  { database }: UserPools,
  { UserPoolId, ClientId }: Input<Client, "DeleteUserPoolClient">,
  context: RequestContext,
): Promise<object> {
  await database.tx(async (tx) => {
    const pool = await requirePool(tx, context, UserPoolId);
    await deleteClient(tx, await requireClient(tx, pool, ClientId));
  });
  return {};
}

export async function listUserPoolClients(
  { database }: UserPools,
  { UserPoolId, MaxResults = LIST_MAX, NextToken }: Input<Client, "ListUserPoolClients">,
  context: RequestContext,
): Promise<Output<Client, "ListUserPoolClients">> {
  const pool = await requirePool(database, context, UserPoolId);
  const clients = await listClients(database, pool.poolId, readToken(NextToken), MaxResults + 1);
  const { items, token } = pageOf(clients, MaxResults, ({ clientId }) => clientId);
  return {
    UserPoolClients: items.map(({ clientId, poolId, name }) => ({
      ClientId: clientId,
      UserPoolId: poolId,
      ClientName: name,
    })),
    NextToken: token,
  };
}
