/** Devices by which users sign in: how they are called, and which one a request is from. */
import { createHmac } from "node:crypto";
import type { Ids } from "../../../kit/id.ts";
import type { Reader } from "../../../store/database.ts";
import type { Door } from "../auth/door.ts";
import { notFound } from "../errors.ts";
import type { Pool } from "../store/pools.ts";
import { getDevice } from "../store/devices.ts";
import type { DeviceRow } from "../store/devices.ts";
import type { User } from "../users/user.ts";

const GROUP_CHARS = 9;

export const noDevice = () => notFound("Device does not exist.");

export function newDeviceKey(ids: Pick<Ids, "uuid">, { region }: Pool): string {
  return `${region}_${ids.uuid()}`;
}

/** What a device's proof is made over beside its key: the same for a device each time, and of no use to another. */
export function deviceGroupKey({ secret }: Pool, deviceKey: string): string {
  const digest = createHmac("sha256", secret).update(`device:${deviceKey}`).digest("hex");
  return `-${digest.slice(0, GROUP_CHARS)}`;
}

/** @throws AwsError ResourceNotFoundException */
export async function requireDevice(
  reader: Reader,
  { poolId, key }: Pick<User, "poolId" | "key">,
  deviceKey = "",
): Promise<DeviceRow> {
  const found = await getDevice(reader, poolId, key, deviceKey);
  if (!found) throw noDevice();
  return found;
}

/**
 * The device that a sign-in says it is from; undefined where it says none, or the pool remembers none.
 * @throws AwsError ResourceNotFoundException, upon which clients forget the device's key and go on without
 */
export async function deviceOf(
  { userPools, pool, device }: Pick<Door, "userPools" | "pool" | "device">,
  user: User | undefined,
): Promise<DeviceRow | undefined> {
  if (!pool.settings.DeviceConfiguration || !device || !user) return undefined;
  return requireDevice(userPools.database, user, device);
}
