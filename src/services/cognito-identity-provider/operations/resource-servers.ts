/** Resource servers, which give a pool scopes of its own: Create, Describe, Update, Delete and ListResourceServers. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Reader } from "../../../store/database.ts";
import type { Client, UserPools } from "../deps.ts";
import { invalidParameter, limitExceeded, notFound } from "../errors.ts";
import { RESOURCE_SERVERS_PER_POOL_MAX } from "../limits.ts";
import { pageOf, readToken } from "../paging.ts";
import { requirePool } from "../pools/lookup.ts";
import {
  deleteResourceServerRow,
  getResourceServer,
  listResourceServerRows,
  putResourceServer,
} from "../store/oauth.ts";
import type { ResourceServer } from "../store/oauth.ts";

const LIST_MAX = 50;

interface Asked {
  readonly Identifier?: string | undefined;
  readonly Name?: string | undefined;
  readonly Scopes?:
    | readonly {
        readonly ScopeName?: string | undefined;
        readonly ScopeDescription?: string | undefined;
      }[]
    | undefined;
}

function serverOf({ Identifier = "", Name = "", Scopes = [] }: Asked): ResourceServer {
  return {
    identifier: Identifier,
    name: Name,
    scopes: Scopes.map(({ ScopeName = "", ScopeDescription = "" }) => ({
      name: ScopeName,
      description: ScopeDescription,
    })),
  };
}

function describe(poolId: string, { identifier, name, scopes }: ResourceServer) {
  return {
    UserPoolId: poolId,
    Identifier: identifier,
    Name: name,
    Scopes: scopes.map((scope) => ({ ScopeName: scope.name, ScopeDescription: scope.description })),
  };
}

async function requireServer(reader: Reader, poolId: string, identifier = ""): Promise<ResourceServer> {
  const server = await getResourceServer(reader, poolId, identifier);
  if (!server) throw notFound(`Resource server ${identifier} does not exist.`);
  return server;
}

export async function createResourceServer(
  { database }: UserPools,
  input: Input<Client, "CreateResourceServer">,
  context: RequestContext,
): Promise<Output<Client, "CreateResourceServer">> {
  const server = serverOf(input);
  return database.tx(async (tx) => {
    const { poolId } = await requirePool(tx, context, input.UserPoolId);
    if (await getResourceServer(tx, poolId, server.identifier))
      throw invalidParameter(`${server.identifier} already exists in user pool ${poolId}.`);
    const all = await listResourceServerRows(tx, poolId, "", RESOURCE_SERVERS_PER_POOL_MAX);
    if (all.length >= RESOURCE_SERVERS_PER_POOL_MAX)
      throw limitExceeded(`A user pool can have at most ${RESOURCE_SERVERS_PER_POOL_MAX} resource servers.`);
    await putResourceServer(tx, poolId, server);
    return { ResourceServer: describe(poolId, server) };
  });
}

export async function describeResourceServer(
  { database }: UserPools,
  { UserPoolId, Identifier }: Input<Client, "DescribeResourceServer">,
  context: RequestContext,
): Promise<Output<Client, "DescribeResourceServer">> {
  const { poolId } = await requirePool(database, context, UserPoolId);
  return { ResourceServer: describe(poolId, await requireServer(database, poolId, Identifier)) };
}

export async function updateResourceServer(
  { database }: UserPools,
  input: Input<Client, "UpdateResourceServer">,
  context: RequestContext,
): Promise<Output<Client, "UpdateResourceServer">> {
  return database.tx(async (tx) => {
    const { poolId } = await requirePool(tx, context, input.UserPoolId);
    await requireServer(tx, poolId, input.Identifier);
    const server = serverOf(input);
    await putResourceServer(tx, poolId, server);
    return { ResourceServer: describe(poolId, server) };
  });
}

export async function deleteResourceServer(
  { database }: UserPools,
  { UserPoolId, Identifier }: Input<Client, "DeleteResourceServer">,
  context: RequestContext,
): Promise<object> {
  await database.tx(async (tx) => {
    const { poolId } = await requirePool(tx, context, UserPoolId);
    const { identifier } = await requireServer(tx, poolId, Identifier);
    await deleteResourceServerRow(tx, poolId, identifier);
  });
  return {};
}

export async function listResourceServers(
  { database }: UserPools,
  { UserPoolId, MaxResults = LIST_MAX, NextToken }: Input<Client, "ListResourceServers">,
  context: RequestContext,
): Promise<Output<Client, "ListResourceServers">> {
  const { poolId } = await requirePool(database, context, UserPoolId);
  const rows = await listResourceServerRows(database, poolId, readToken(NextToken), MaxResults + 1);
  const { items, token } = pageOf(rows, MaxResults, ({ identifier }) => identifier);
  return { ResourceServers: items.map((server) => describe(poolId, server)), NextToken: token };
}
