/** Devices of users: Confirm, Get, List, UpdateDeviceStatus and ForgetDevice, and what administrators do of it. */
import { AwsError } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, UserPools } from "../deps.ts";
import { noDevice, requireDevice } from "../devices/device.ts";
import { invalidParameter } from "../errors.ts";
import { DEVICES_PER_USER_MAX, LIST_USERS_MAX } from "../limits.ts";
import { pageOf, readToken } from "../paging.ts";
import { requirePool } from "../pools/lookup.ts";
import { deleteDevice, getDevice, insertDevice, listDevices, updateDevice } from "../store/devices.ts";
import type { DeviceRow } from "../store/devices.ts";
import { requireAccess } from "../tokens/access.ts";
import type { User } from "../users/user.ts";
import { requireUser } from "../users/username.ts";

type Described = NonNullable<Output<Client, "GetDevice">["Device"]>;
interface Named {
  readonly UserPoolId?: string | undefined;
  readonly Username?: string | undefined;
}

/** @param isAdmin Who is told whether the device is remembered. */
function describe(row: DeviceRow, isAdmin: boolean): Described {
  const status = row.remembered === 1 ? "remembered" : "not_remembered";
  const attributes: readonly (readonly [string, string])[] = [
    ["device_status", "valid"],
    ["device_name", row.name],
    ...(isAdmin ? [["dev:device_remembered_status", status] as const] : []),
    ["last_ip_used", row.last_ip],
  ];
  return {
    DeviceKey: row.device_key,
    DeviceAttributes: attributes
      .filter(([, Value]) => Value !== "")
      .map(([Name, Value]) => ({ Name, Value })),
    DeviceCreateDate: new Date(row.created_at),
    DeviceLastModifiedDate: new Date(row.modified_at),
    DeviceLastAuthenticatedDate: new Date(row.authenticated_at),
  };
}

function hexOf(base64: string | undefined, name: string): string {
  const hex = Buffer.from(base64 ?? "", "base64").toString("hex");
  if (hex === "") throw invalidParameter(`DeviceSecretVerifierConfig.${name} is missing or no base64.`);
  return hex;
}

/** Keeps the device that the sign-in was given a key for. */
export async function confirmDevice(
  userPools: UserPools,
  input: Input<Client, "ConfirmDevice">,
  { sourceIp = "" }: Pick<RequestContext, "sourceIp">,
): Promise<Output<Client, "ConfirmDevice">> {
  const { pool, user, session } = await requireAccess(userPools, input.AccessToken);
  const { DeviceConfiguration: config } = pool.settings;
  if (!config) throw invalidParameter("User pool does not have device tracking enabled.");
  const { DeviceKey = "", DeviceName = "", DeviceSecretVerifierConfig: secret } = input;
  if (DeviceKey === "" || session.device_key !== DeviceKey) throw noDevice();
  const isAsked = config.DeviceOnlyRememberedOnUserPrompt === true;
  const now = userPools.clock.now();
  const row: DeviceRow = {
    pool_id: pool.poolId,
    username_key: user.key,
    device_key: DeviceKey,
    name: DeviceName,
    verifier: hexOf(secret?.PasswordVerifier, "PasswordVerifier"),
    salt: hexOf(secret?.Salt, "Salt"),
    remembered: isAsked ? 0 : 1,
    last_ip: sourceIp,
    created_at: now,
    modified_at: now,
    authenticated_at: now,
  };
  await userPools.database.tx(async (tx) => {
    if (await getDevice(tx, pool.poolId, user.key, DeviceKey))
      throw new AwsError("DeviceKeyExistsException", "Device key already exists.");
    await insertDevice(tx, row, DEVICES_PER_USER_MAX);
  });
  return { UserConfirmationNecessary: isAsked };
}

async function page(
  { database }: UserPools,
  { poolId, key }: User,
  isAdmin: boolean,
  {
    Limit = LIST_USERS_MAX,
    PaginationToken,
  }: { readonly Limit?: number | undefined; readonly PaginationToken?: string | undefined },
) {
  const rows = await listDevices(database, poolId, key, readToken(PaginationToken), Limit + 1);
  const { items, token } = pageOf(rows, Limit, ({ device_key }) => device_key);
  return { Devices: items.map((row) => describe(row, isAdmin)), PaginationToken: token };
}

async function setStatus(
  { clock, database }: UserPools,
  user: User,
  {
    DeviceKey,
    DeviceRememberedStatus: status,
  }: { readonly DeviceKey?: string | undefined; readonly DeviceRememberedStatus?: string | undefined },
): Promise<object> {
  await database.tx(async (tx) => {
    const row = await requireDevice(tx, user, DeviceKey);
    const remembered = status === undefined ? row.remembered : status === "remembered" ? 1 : 0;
    await updateDevice(tx, { ...row, remembered, modified_at: clock.now() });
  });
  return {};
}

async function forget({ database }: UserPools, { poolId, key }: User, deviceKey = ""): Promise<object> {
  const isGone = await database.tx((tx) => deleteDevice(tx, poolId, key, deviceKey));
  if (!isGone) throw noDevice();
  return {};
}

export async function getOwnDevice(
  userPools: UserPools,
  { AccessToken, DeviceKey }: Input<Client, "GetDevice">,
): Promise<Output<Client, "GetDevice">> {
  const { user } = await requireAccess(userPools, AccessToken);
  return { Device: describe(await requireDevice(userPools.database, user, DeviceKey), false) };
}

export async function listOwnDevices(
  userPools: UserPools,
  input: Input<Client, "ListDevices">,
): Promise<Output<Client, "ListDevices">> {
  const { user } = await requireAccess(userPools, input.AccessToken);
  return page(userPools, user, false, input);
}

export async function updateDeviceStatus(
  userPools: UserPools,
  input: Input<Client, "UpdateDeviceStatus">,
): Promise<object> {
  const { user } = await requireAccess(userPools, input.AccessToken);
  return setStatus(userPools, user, input);
}

export async function forgetDevice(
  userPools: UserPools,
  { AccessToken, DeviceKey }: Input<Client, "ForgetDevice">,
): Promise<object> {
  const { user } = await requireAccess(userPools, AccessToken);
  return forget(userPools, user, DeviceKey);
}

async function userOf({ database }: UserPools, input: Named, context: RequestContext): Promise<User> {
  const pool = await requirePool(database, context, input.UserPoolId);
  return requireUser(database, pool, input.Username);
}

export async function adminGetDevice(
  userPools: UserPools,
  input: Input<Client, "AdminGetDevice">,
  context: RequestContext,
): Promise<Output<Client, "AdminGetDevice">> {
  const user = await userOf(userPools, input, context);
  return { Device: describe(await requireDevice(userPools.database, user, input.DeviceKey), true) };
}

export async function adminListDevices(
  userPools: UserPools,
  input: Input<Client, "AdminListDevices">,
  context: RequestContext,
): Promise<Output<Client, "AdminListDevices">> {
  return page(userPools, await userOf(userPools, input, context), true, input);
}

export async function adminUpdateDeviceStatus(
  userPools: UserPools,
  input: Input<Client, "AdminUpdateDeviceStatus">,
  context: RequestContext,
): Promise<object> {
  return setStatus(userPools, await userOf(userPools, input, context), input);
}

export async function adminForgetDevice(
  userPools: UserPools,
  input: Input<Client, "AdminForgetDevice">,
  context: RequestContext,
): Promise<object> {
  return forget(userPools, await userOf(userPools, input, context), input.DeviceKey);
}
