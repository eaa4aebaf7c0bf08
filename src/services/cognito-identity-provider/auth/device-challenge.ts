/** A device proves by SRP that it is the one it says: it has a secret of its own, of which only the verifier is kept. */
import { deviceGroupKey, deviceOf, noDevice, requireDevice } from "../devices/device.ts";
import { invalidParameter, wrongCredentials } from "../errors.ts";
import { updateDevice } from "../store/devices.ts";
import type { DeviceRow } from "../store/devices.ts";
import type { User } from "../users/user.ts";
import { askProof, challenge } from "./door.ts";
import type { ChallengeState, Door, Outcome } from "./door.ts";
import { beginExchange, expectedSignature, sameText } from "./srp.ts";

type Responses = Readonly<Record<string, string>>;
type DeviceProof = Extract<ChallengeState, { name: "DEVICE_PASSWORD_VERIFIER" }>;

/**
 * Asks a device for its public value.
 * @param again The session of the second factor: amazon-cognito-identity-js answers by that one, not by the challenge's own.
 */
export function askDevice(
  door: Door,
  user: User,
  { device_key: deviceKey }: DeviceRow,
  again?: string,
): Promise<Outcome> {
  const parameters = { USERNAME: user.username, DEVICE_KEY: deviceKey };
  return challenge(door, user, { name: "DEVICE_SRP_AUTH", deviceKey }, parameters, { again });
}

/** Takes the device's public value, and asks for its proof. */
export async function deviceSrp(
  door: Door,
  user: User,
  deviceKey: string,
  { SRP_A: a = "", DEVICE_KEY }: Responses,
): Promise<Outcome> {
  if (DEVICE_KEY !== deviceKey) throw noDevice();
  const device = await deviceOf({ ...door, device: deviceKey }, user);
  if (!device) throw noDevice();
  const exchange = beginExchange(a, device);
  if (!exchange) throw invalidParameter("Invalid SRP_A value.");
  const state = { name: "DEVICE_PASSWORD_VERIFIER", deviceKey, exchange } as const;
  return askProof(door, user, state, device.salt, { DEVICE_KEY: deviceKey, USERNAME: user.username });
}

/** @throws AwsError NotAuthorizedException for a wrong proof */
export async function verifyDevice(
  { userPools, pool }: Door,
  user: User,
  { deviceKey, exchange }: DeviceProof,
  responses: Responses,
): Promise<void> {
  const { TIMESTAMP = "", PASSWORD_CLAIM_SIGNATURE = "", PASSWORD_CLAIM_SECRET_BLOCK = "" } = responses;
  const now = userPools.clock.now();
  await userPools.database.tx(async (tx) => {
    const device = await requireDevice(tx, user, deviceKey);
    const expected = expectedSignature(exchange, device, {
      poolName: deviceGroupKey(pool, deviceKey),
      username: deviceKey,
      secretBlock: Buffer.from(PASSWORD_CLAIM_SECRET_BLOCK, "base64"),
      timestamp: TIMESTAMP,
    });
    if (!sameText(expected, PASSWORD_CLAIM_SIGNATURE)) throw wrongCredentials();
    await updateDevice(tx, { ...device, authenticated_at: now });
  });
}
