/** CreateConnection, UpdateConnection, DeauthorizeConnection, DeleteConnection, DescribeConnection and ListConnections. */
import { notImplemented } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import { checkAuth, toldAuth } from "../connections/auth.ts";
import { requireReachableSignIn } from "../connections/reachable.ts";
import type { Auth, Kind } from "../connections/auth.ts";
import { TokenError } from "../connections/tokens.ts";
import type { Client, EventBridge } from "../deps.ts";
import { alreadyExists, limitExceeded, notFound } from "../errors.ts";
import { CONNECTIONS_MAX } from "../limits.ts";
import { connectionArn } from "../names.ts";
import type { NamedId } from "../names.ts";
import { pageOf } from "../paging.ts";
import {
  deleteConnectionRow,
  getConnection,
  listConnectionRows,
  putConnection,
} from "../store/connections.ts";
import type { ConnectionRow } from "../store/connections.ts";

const OAUTH: Kind = "OAUTH_CLIENT_CREDENTIALS";

export async function createConnection(
  eventBridge: EventBridge,
  input: Input<Client, "CreateConnection">,
  { account, region }: RequestContext,
): Promise<Output<Client, "CreateConnection">> {
  const { clock, ids, sealer, database } = eventBridge;
  refuseUnsupported(input);
  const kind = input.AuthorizationType as Kind;
  const now = clock.now();
  const row: ConnectionRow = {
    account,
    region,
    name: input.Name ?? "",
    connection_id: ids.uuid(),
    description: input.Description ?? "",
    kind,
    auth: sealer.seal(requireReachableSignIn(eventBridge, checkAuth(kind, input.AuthParameters))),
    ...authorizedOrNot(kind, now),
    created_at: now,
    modified_at: now,
  };
  await database.tx(async (tx) => {
    if (await getConnection(tx, row)) throw alreadyExists(`Connection ${row.name}`);
    if ((await listConnectionRows(tx, row, "", "", CONNECTIONS_MAX)).length >= CONNECTIONS_MAX)
      throw limitExceeded();
    await putConnection(tx, row);
  });
  authorizeSoon(eventBridge, row);
  return {
    ConnectionArn: connectionArn(row),
    ConnectionState: row.state,
    CreationTime: new Date(now),
    LastModifiedTime: new Date(now),
  };
}

export async function updateConnection(
  eventBridge: EventBridge,
  input: Input<Client, "UpdateConnection">,
  context: RequestContext,
): Promise<Output<Client, "UpdateConnection">> {
  refuseUnsupported(input);
  const { clock, sealer } = eventBridge;
  const row = await change(eventBridge, context, input.Name, (before) => {
    const kind: Kind = input.AuthorizationType ?? before.kind;
    const kept = kind === before.kind ? (sealer.unseal(before.auth) as Auth) : {};
    return {
      ...before,
      kind,
      ...(input.Description !== undefined && { description: input.Description }),
      auth: sealer.seal(requireReachableSignIn(eventBridge, checkAuth(kind, input.AuthParameters, kept))),
      ...authorizedOrNot(kind, clock.now()),
      modified_at: clock.now(),
    };
  });
  authorizeSoon(eventBridge, row);
  return changed(row);
}

export async function deauthorizeConnection(
  eventBridge: EventBridge,
  { Name }: Input<Client, "DeauthorizeConnection">,
  context: RequestContext,
): Promise<Output<Client, "DeauthorizeConnection">> {
  const { clock, sealer } = eventBridge;
  // What it signed in by is gone, as on AWS: an update gives it new.
  const row = await change(eventBridge, context, Name, (before) => ({
    ...before,
    auth: sealer.seal({}),
    state: "DEAUTHORIZED",
    state_reason: "",
    modified_at: clock.now(),
  }));
  return changed(row);
}

export async function deleteConnection(
  { database }: EventBridge,
  { Name = "" }: Input<Client, "DeleteConnection">,
  { account, region }: RequestContext,
): Promise<Output<Client, "DeleteConnection">> {
  const id = { account, region, name: Name };
  return database.tx(async (tx) => {
    const row = await getConnection(tx, id);
    if (!row) throw noSuchConnection(id);
    await deleteConnectionRow(tx, id);
    return { ...changed(row), ConnectionState: "DELETING" };
  });
}

export async function describeConnection(
  { database, sealer }: EventBridge,
  { Name = "" }: Input<Client, "DescribeConnection">,
  { account, region }: RequestContext,
): Promise<Output<Client, "DescribeConnection">> {
  const row = await getConnection(database, { account, region, name: Name });
  if (!row) throw notFound(`Failed to describe the connection(s). Connection '${Name}'`);
  return {
    ...listed(row),
    ...(row.description !== "" && { Description: row.description }),
    AuthParameters: toldAuth(sealer.unseal(row.auth) as Auth),
  };
}

export async function listConnections(
  { database }: EventBridge,
  input: Input<Client, "ListConnections">,
  context: RequestContext,
): Promise<Output<Client, "ListConnections">> {
  const { NamePrefix: prefix = "", ConnectionState } = input;
  const { rows, next } = await pageOf(
    input,
    (after, count) => listConnectionRows(database, context, prefix, after, count),
    ({ name }) => name,
    ({ name, state }) =>
      name.startsWith(prefix) && (ConnectionState === undefined || state === ConnectionState),
  );
  return { Connections: rows.map(listed), ...next };
}

function refuseUnsupported(
  input: Pick<Input<Client, "UpdateConnection">, "KmsKeyIdentifier" | "InvocationConnectivityParameters">,
): void {
  if (input.KmsKeyIdentifier)
    throw notImplemented(`keys of KMS (KmsKeyIdentifier ${input.KmsKeyIdentifier})`);
  if (input.InvocationConnectivityParameters)
    throw notImplemented("connections to private APIs (InvocationConnectivityParameters)");
}

/** By OAuth a connection has to sign in first. */
function authorizedOrNot(kind: Kind, now: number) {
  return kind === OAUTH
    ? ({ state: "AUTHORIZING", state_reason: "", authorized_at: 0 } as const)
    : ({ state: "AUTHORIZED", state_reason: "", authorized_at: now } as const);
}

/** Signs in after the answer. Where the server ends before it has, the first use does it. */
function authorizeSoon(eventBridge: EventBridge, row: ConnectionRow): void {
  if (row.kind !== OAUTH) return;
  authorize(eventBridge, row).catch((error: unknown) =>
    eventBridge.log.error("A connection could not be authorized", { connection: row.name, error }),
  );
}

async function authorize(eventBridge: EventBridge, row: ConnectionRow): Promise<void> {
  const { database, clock, sealer, tokens } = eventBridge;
  const key = `${row.connection_id}/${row.modified_at}`;
  const failure = await tokens.get(key, sealer.unseal(row.auth) as Auth).then(
    () => undefined,
    (error: unknown) => {
      if (error instanceof TokenError) return error.message;
      throw error;
    },
  );
  await database.tx(async (tx) => {
    const now = await getConnection(tx, row);
    if (now?.connection_id !== row.connection_id || now.modified_at !== row.modified_at) return;
    const state: Partial<ConnectionRow> =
      failure === undefined
        ? { state: "AUTHORIZED", authorized_at: clock.now() }
        : { state: "DEAUTHORIZED", state_reason: `${failure}.` };
    await putConnection(tx, { ...now, ...state });
  });
}

async function change(
  { database }: EventBridge,
  { account, region }: RequestContext,
  name = "",
  to: (row: ConnectionRow) => ConnectionRow,
): Promise<ConnectionRow> {
  const id = { account, region, name };
  return database.tx(async (tx) => {
    const row = await getConnection(tx, id);
    if (!row) throw noSuchConnection(id);
    const changed = to(row);
    await putConnection(tx, changed);
    return changed;
  });
}

function noSuchConnection({ name }: NamedId) {
  return notFound(`Connection ${name}`);
}

function changed(row: ConnectionRow) {
  return {
    ConnectionArn: connectionArn(row),
    ConnectionState: row.state,
    CreationTime: new Date(row.created_at),
    LastModifiedTime: new Date(row.modified_at),
    ...(row.authorized_at > 0 && { LastAuthorizedTime: new Date(row.authorized_at) }),
  };
}

function listed(row: ConnectionRow) {
  return {
    ...changed(row),
    Name: row.name,
    AuthorizationType: row.kind,
    ...(row.state_reason !== "" && { StateReason: row.state_reason }),
  };
}
