/** SQL of the devices of users. */
import { sql } from "../../../store/database.ts";
import type { Reader, Transaction } from "../../../store/database.ts";

export interface DeviceRow {
  readonly pool_id: string;
  readonly username_key: string;
  readonly device_key: string;
  readonly name: string;
  /** Hexadecimal, as the salt: what the device proves itself by. */
  readonly verifier: string;
  readonly salt: string;
  /** 1 or 0. */
  readonly remembered: number;
  /** "" for unknown. */
  readonly last_ip: string;
  readonly created_at: number;
  readonly modified_at: number;
  readonly authenticated_at: number;
}

const COLUMNS =
  "pool_id, username_key, device_key, name, verifier, salt, remembered, last_ip, created_at, modified_at, authenticated_at";
const OF_USER = "pool_id = ? AND username_key = ?";
const GET = sql(
  "cognito.device",
  `SELECT ${COLUMNS} FROM cognito_device WHERE ${OF_USER} AND device_key = ?`,
);
const LIST = sql(
  "cognito.devices",
  `SELECT ${COLUMNS} FROM cognito_device WHERE ${OF_USER} AND device_key > ? ORDER BY device_key LIMIT ?`,
);
const INSERT = sql(
  "cognito.insert-device",
  `INSERT INTO cognito_device (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
);
const UPDATE = sql(
  "cognito.update-device",
  `UPDATE cognito_device SET remembered = ?, last_ip = ?, modified_at = ?, authenticated_at = ?
   WHERE ${OF_USER} AND device_key = ?`,
);
const DELETE = sql("cognito.delete-device", `DELETE FROM cognito_device WHERE ${OF_USER} AND device_key = ?`);
/** The device that would be one too many: used longest ago of those that may stay. */
const STALE = sql(
  "cognito.stale-devices",
  `SELECT device_key FROM cognito_device WHERE ${OF_USER} ORDER BY authenticated_at DESC, device_key LIMIT 1 OFFSET ?`,
);

export function getDevice(
  reader: Reader,
  poolId: string,
  key: string,
  deviceKey: string,
): Promise<DeviceRow | undefined> {
  return reader.get<DeviceRow>(GET, poolId, key, deviceKey);
}

export function listDevices(
  reader: Reader,
  poolId: string,
  key: string,
  after: string,
  count: number,
): Promise<DeviceRow[]> {
  return reader.all<DeviceRow>(LIST, poolId, key, after, count);
}

/** Keeps a device; the one used longest ago goes where a user has more than `max`. */
export async function insertDevice(tx: Transaction, row: DeviceRow, max: number): Promise<void> {
  const { pool_id: poolId, username_key: key } = row;
  const stale = await tx.get<{ device_key: string }>(STALE, poolId, key, max - 1);
  if (stale) await tx.run(DELETE, poolId, key, stale.device_key);
  await tx.run(
    INSERT,
    poolId,
    key,
    row.device_key,
    row.name,
    row.verifier,
    row.salt,
    row.remembered,
    row.last_ip,
    row.created_at,
    row.modified_at,
    row.authenticated_at,
  );
}

export async function updateDevice(tx: Transaction, row: DeviceRow): Promise<void> {
  const { pool_id, username_key, device_key, remembered, last_ip, modified_at, authenticated_at } = row;
  await tx.run(UPDATE, remembered, last_ip, modified_at, authenticated_at, pool_id, username_key, device_key);
}

/** False where there was none. */
export async function deleteDevice(
  tx: Transaction,
  poolId: string,
  key: string,
  deviceKey: string,
): Promise<boolean> {
  return (await tx.run(DELETE, poolId, key, deviceKey)) === 1;
}
