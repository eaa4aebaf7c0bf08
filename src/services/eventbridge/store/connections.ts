/** SQL of connections and API destinations. */
import { sql } from "../../../store/database.ts";
import type { Reader, Transaction } from "../../../store/database.ts";
import type { NamedId, Place } from "../names.ts";

export interface ConnectionRow extends NamedId {
  readonly connection_id: string;
  readonly description: string;
  readonly kind: "API_KEY" | "BASIC" | "OAUTH_CLIENT_CREDENTIALS";
  /** Sealed JSON. */
  readonly auth: Uint8Array;
  readonly state: "AUTHORIZED" | "AUTHORIZING" | "DEAUTHORIZED";
  readonly state_reason: string;
  readonly created_at: number;
  readonly modified_at: number;
  readonly authorized_at: number;
}

export interface DestinationRow extends NamedId {
  readonly destination_id: string;
  readonly description: string;
  /** The connection's name, in the same account and region. */
  readonly connection: string;
  readonly endpoint: string;
  readonly method: string;
  readonly per_second: number;
  readonly created_at: number;
  readonly modified_at: number;
}

const OF = "account = ? AND region = ? AND name = ?";
const AFTER = "account = ? AND region = ? AND name >= ? AND name > ? ORDER BY name LIMIT ?";
const CONNECTION =
  "account, region, name, connection_id, description, kind, auth, state, state_reason, created_at, modified_at, authorized_at";
const DESTINATION =
  "account, region, name, destination_id, description, connection, endpoint, method, per_second, created_at, modified_at";

const GET = sql("events.connection", `SELECT ${CONNECTION} FROM events_connection WHERE ${OF}`);
const LIST = sql("events.connections", `SELECT ${CONNECTION} FROM events_connection WHERE ${AFTER}`);
const PUT = sql(
  "events.put-connection",
  `INSERT INTO events_connection (${CONNECTION}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
   ON CONFLICT (account, region, name) DO UPDATE SET description = excluded.description, kind = excluded.kind, auth = excluded.auth,
   state = excluded.state, state_reason = excluded.state_reason, modified_at = excluded.modified_at, authorized_at = excluded.authorized_at`,
);
const DELETE = sql("events.delete-connection", `DELETE FROM events_connection WHERE ${OF}`);
const GET_DESTINATION = sql(
  "events.api-destination",
  `SELECT ${DESTINATION} FROM events_api_destination WHERE ${OF}`,
);
const LIST_DESTINATIONS = sql(
  "events.api-destinations",
  `SELECT ${DESTINATION} FROM events_api_destination WHERE ${AFTER}`,
);
const PUT_DESTINATION = sql(
  "events.put-api-destination",
  `INSERT INTO events_api_destination (${DESTINATION}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
   ON CONFLICT (account, region, name) DO UPDATE SET description = excluded.description, connection = excluded.connection,
   endpoint = excluded.endpoint, method = excluded.method, per_second = excluded.per_second, modified_at = excluded.modified_at`,
);
const DELETE_DESTINATION = sql(
  "events.delete-api-destination",
  `DELETE FROM events_api_destination WHERE ${OF}`,
);
export function getConnection(reader: Reader, { account, region, name }: NamedId) {
  return reader.get<ConnectionRow>(GET, account, region, name);
}

/** Those after `after`, in the order of their names; may go on with some that do not begin with the prefix. */
export function listConnectionRows(
  reader: Reader,
  { account, region }: Place,
  prefix: string,
  after: string,
  count: number,
): Promise<ConnectionRow[]> {
  return reader.all<ConnectionRow>(LIST, account, region, prefix, after, count);
}

export async function putConnection(tx: Transaction, row: ConnectionRow): Promise<void> {
  const { account, region, name, connection_id, description, kind, auth, state, state_reason } = row;
  const facts = [account, region, name, connection_id, description, kind, auth, state, state_reason];
  await tx.run(PUT, ...facts, row.created_at, row.modified_at, row.authorized_at);
}

export async function deleteConnectionRow(
  tx: Transaction,
  { account, region, name }: NamedId,
): Promise<void> {
  await tx.run(DELETE, account, region, name);
}

export function getDestination(reader: Reader, { account, region, name }: NamedId) {
  return reader.get<DestinationRow>(GET_DESTINATION, account, region, name);
}

/** As of connections. */
export function listDestinationRows(
  reader: Reader,
  { account, region }: Place,
  prefix: string,
  after: string,
  count: number,
): Promise<DestinationRow[]> {
  return reader.all<DestinationRow>(LIST_DESTINATIONS, account, region, prefix, after, count);
}

export async function putDestination(tx: Transaction, row: DestinationRow): Promise<void> {
  const { account, region, name, destination_id, description, connection, endpoint, method, per_second } =
    row;
  const facts = [
    account,
    region,
    name,
    destination_id,
    description,
    connection,
    endpoint,
    method,
    per_second,
  ];
  await tx.run(PUT_DESTINATION, ...facts, row.created_at, row.modified_at);
}

export async function deleteDestinationRow(
  tx: Transaction,
  { account, region, name }: NamedId,
): Promise<void> {
  await tx.run(DELETE_DESTINATION, account, region, name);
}
