/** CreateApiDestination, UpdateApiDestination, DeleteApiDestination, DescribeApiDestination and ListApiDestinations. */
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Reader } from "../../../store/database.ts";
import { requireReachable } from "../connections/reachable.ts";
import type { Client, EventBridge } from "../deps.ts";
import { alreadyExists, invalidParameter, limitExceeded, notFound } from "../errors.ts";
import { API_DESTINATIONS_MAX, INVOCATIONS_PER_SECOND_DEFAULT } from "../limits.ts";
import { connectionArn, destinationArn, readConnectionArn } from "../names.ts";
import type { Place } from "../names.ts";
import { pageOf } from "../paging.ts";
import {
  deleteDestinationRow,
  getConnection,
  getDestination,
  listDestinationRows,
  putDestination,
} from "../store/connections.ts";
import type { DestinationRow } from "../store/connections.ts";

type Method = NonNullable<Output<Client, "DescribeApiDestination">["HttpMethod"]>;

export async function createApiDestination(
  eventBridge: EventBridge,
  input: Input<Client, "CreateApiDestination">,
  { account, region }: RequestContext,
): Promise<Output<Client, "CreateApiDestination">> {
  const { database, clock, ids } = eventBridge;
  const now = clock.now();
  return database.tx(async (tx) => {
    const row: DestinationRow = {
      account,
      region,
      name: input.Name ?? "",
      destination_id: ids.uuid(),
      description: input.Description ?? "",
      connection: await connectionAt(tx, input.ConnectionArn, { account, region }),
      endpoint: checkEndpoint(eventBridge, input.InvocationEndpoint),
      method: input.HttpMethod ?? "",
      per_second: input.InvocationRateLimitPerSecond ?? INVOCATIONS_PER_SECOND_DEFAULT,
      created_at: now,
      modified_at: now,
    };
    if (await getDestination(tx, row)) throw alreadyExists(`An api-destination '${row.name}'`);
    const all = await listDestinationRows(tx, row, "", "", API_DESTINATIONS_MAX);
    if (all.length >= API_DESTINATIONS_MAX) throw limitExceeded();
    await putDestination(tx, row);
    return changed(tx, row);
  });
}

export async function updateApiDestination(
  eventBridge: EventBridge,
  input: Input<Client, "UpdateApiDestination">,
  { account, region }: RequestContext,
): Promise<Output<Client, "UpdateApiDestination">> {
  const { Name = "", Description, ConnectionArn, InvocationEndpoint, HttpMethod } = input;
  const { InvocationRateLimitPerSecond: perSecond } = input;
  const { database, clock } = eventBridge;
  return database.tx(async (tx) => {
    const before = await getDestination(tx, { account, region, name: Name });
    if (!before) throw noSuchDestination(Name);
    const row: DestinationRow = {
      ...before,
      ...(Description !== undefined && { description: Description }),
      ...(ConnectionArn !== undefined && { connection: await connectionAt(tx, ConnectionArn, before) }),
      ...(InvocationEndpoint !== undefined && { endpoint: checkEndpoint(eventBridge, InvocationEndpoint) }),
      ...(HttpMethod !== undefined && { method: HttpMethod }),
      ...(perSecond !== undefined && { per_second: perSecond }),
      modified_at: clock.now(),
    };
    await putDestination(tx, row);
    return changed(tx, row);
  });
}

export async function deleteApiDestination(
  { database }: EventBridge,
  { Name = "" }: Input<Client, "DeleteApiDestination">,
  { account, region }: RequestContext,
): Promise<object> {
  const id = { account, region, name: Name };
  await database.tx(async (tx) => {
    if (!(await getDestination(tx, id))) throw noSuchDestination(Name);
    await deleteDestinationRow(tx, id);
  });
  return {};
}

export async function describeApiDestination(
  { database }: EventBridge,
  { Name = "" }: Input<Client, "DescribeApiDestination">,
  { account, region }: RequestContext,
): Promise<Output<Client, "DescribeApiDestination">> {
  const row = await getDestination(database, { account, region, name: Name });
  if (!row) throw notFound(`Failed to describe the api-destination(s). An api-destination '${Name}'`);
  return {
    ...(await listed(database, row)),
    ...(row.description !== "" && { Description: row.description }),
  };
}

export async function listApiDestinations(
  { database }: EventBridge,
  input: Input<Client, "ListApiDestinations">,
  context: RequestContext,
): Promise<Output<Client, "ListApiDestinations">> {
  const { NamePrefix: prefix = "", ConnectionArn } = input;
  const connection = ConnectionArn === undefined ? undefined : readConnectionArn(ConnectionArn)?.name;
  const { rows, next } = await pageOf(
    input,
    (after, count) => listDestinationRows(database, context, prefix, after, count),
    ({ name }) => name,
    (row) => row.name.startsWith(prefix) && (ConnectionArn === undefined || row.connection === connection),
  );
  return { ApiDestinations: await Promise.all(rows.map((row) => listed(database, row))), ...next };
}

/** The name of a connection of the same account and region. @throws AwsError ResourceNotFoundException */
async function connectionAt(reader: Reader, arn = "", place: Place): Promise<string> {
  const id = readConnectionArn(arn);
  if (!id) throw invalidParameter("ConnectionArn", "Provided Arn is not in correct format.");
  const isHere = id.account === place.account && id.region === place.region;
  const row = isHere ? await getConnection(reader, id) : undefined;
  if (row?.connection_id !== id.id) throw notFound(`Connection '${id.name}'`);
  return id.name;
}

/** AWS takes https alone; here http is for servers of one's own. */
function checkEndpoint(eventBridge: EventBridge, endpoint = ""): string {
  if (!/^https?:\/\//.test(endpoint) || !URL.canParse(endpoint))
    throw invalidParameter("InvocationEndpoint", "It must be an http or https URL.");
  requireReachable(eventBridge, "InvocationEndpoint", endpoint);
  return endpoint;
}

function noSuchDestination(name: string) {
  return notFound(`An api-destination '${name}'`);
}

async function changed(reader: Reader, row: DestinationRow) {
  const connection = await getConnection(reader, { ...row, name: row.connection });
  return {
    ApiDestinationArn: destinationArn(row),
    ApiDestinationState: connection?.state === "AUTHORIZED" ? ("ACTIVE" as const) : ("INACTIVE" as const),
    CreationTime: new Date(row.created_at),
    LastModifiedTime: new Date(row.modified_at),
  };
}

async function listed(reader: Reader, row: DestinationRow) {
  const connection = await getConnection(reader, { ...row, name: row.connection });
  return {
    ...(await changed(reader, row)),
    Name: row.name,
    ...(connection && { ConnectionArn: connectionArn(connection) }),
    InvocationEndpoint: row.endpoint,
    HttpMethod: row.method as Method,
    InvocationRateLimitPerSecond: row.per_second,
  };
}
