/** What follows once a user has proved their first factor: another password, a second factor, or the end. */
import { invalidParameter, notAuthorized, resetRequired } from "../errors.ts";
import { callTrigger, eventAttributes } from "../triggers/call.ts";
import type { TokenSource } from "../triggers/pre-token.ts";
import { missingRequired } from "../users/attributes.ts";
import { factorsAsked, factorsOf } from "../users/factors.ts";
import type { Factor } from "../users/factors.ts";
import type { User } from "../users/user.ts";
import { deviceOf } from "../devices/device.ts";
import { askDevice } from "./device-challenge.ts";
import { challenge } from "./door.ts";
import type { Door, Outcome } from "./door.ts";
import { askSms } from "./sms-challenge.ts";

/** @throws AwsError for a temporary password that has ended */
export async function afterPassword(door: Door, user: User): Promise<Outcome> {
  if (user.status !== "FORCE_CHANGE_PASSWORD")
    return afterFirstFactor(door, user, "TokenGeneration_Authentication");
  const { temporaryUntil } = user.credentials;
  if (temporaryUntil !== undefined && temporaryUntil <= door.userPools.clock.now())
    throw notAuthorized("Temporary password has expired and must be reset by an administrator.");
  const missing = missingRequired(door.pool.settings.schema, user.attributes);
  return challenge(
    door,
    user,
    { name: "NEW_PASSWORD_REQUIRED" },
    {
      USER_ID_FOR_SRP: user.username,
      requiredAttributes: JSON.stringify(missing.map((name) => `userAttributes.${name}`)),
      userAttributes: JSON.stringify(user.attributes),
    },
  );
}

export async function afterFirstFactor(door: Door, user: User, source: TokenSource): Promise<Outcome> {
  const common = { USER_ID_FOR_SRP: user.username };
  const device = await deviceOf(door, user);
  // A remembered device is a second factor where the pool takes it for one.
  const isFactor = door.pool.settings.DeviceConfiguration?.ChallengeRequiredOnNewDevice === true;
  if (device?.remembered === 1 && isFactor) return askDevice(door, user, device);
  const factors = factorsAsked(door.pool, user);
  const [factor, another] = factors;
  if (another !== undefined)
    return challenge(
      door,
      user,
      { name: "SELECT_MFA_TYPE", source },
      { ...common, MFAS_CAN_CHOOSE: JSON.stringify(factors) },
    );
  if (factor !== undefined) return askFactor(door, user, factor, source);
  if (door.pool.settings.mfa === "ON")
    return challenge(
      door,
      user,
      { name: "MFA_SETUP", source },
      { ...common, MFAS_CAN_SETUP: JSON.stringify(factorsOf(door.pool)) },
    );
  return afterFactors(door, user, source);
}

function askFactor(door: Door, user: User, factor: Factor, source: TokenSource): Promise<Outcome> {
  if (factor === "SMS_MFA") return askSms(door, user, source);
  const { totpName } = user.credentials;
  return challenge(
    door,
    user,
    { name: "SOFTWARE_TOKEN_MFA", source },
    {
      USER_ID_FOR_SRP: user.username,
      ...(totpName !== undefined && { FRIENDLY_DEVICE_NAME: totpName }),
    },
  );
}

/** Goes on with the second factor that the user chose of several. @throws AwsError InvalidParameterException for another */
export async function takeFactor(
  door: Door,
  user: User,
  answer: string | undefined,
  source: TokenSource,
): Promise<Outcome> {
  const factors = factorsAsked(door.pool, user);
  const factor = factors.find((one) => one === answer);
  if (factor === undefined) throw invalidParameter(`ANSWER must be one of ${factors.join(", ")}.`);
  return askFactor(door, user, factor, source);
}

/** The user is proved; their device yet has to be, where it is known. */
export async function afterFactors(
  door: Door,
  user: User,
  source: TokenSource,
  again?: string,
): Promise<Outcome> {
  const device = await deviceOf(door, user);
  return device ? askDevice(door, user, device, again) : complete(door, user, source);
}

/** Everything is proved. @param device That has proved itself. */
export async function complete(
  door: Door,
  user: User,
  source: TokenSource,
  device?: string,
): Promise<Outcome> {
  const { userPools, pool, asking } = door;
  await callTrigger(userPools, pool, asking, {
    trigger: "PostAuthentication",
    source: "PostAuthentication_Authentication",
    username: user.username,
    request: {
      userAttributes: eventAttributes(pool, user),
      newDeviceUsed: pool.settings.DeviceConfiguration !== undefined && device === undefined,
      clientMetadata: asking.clientMetadata,
    },
    response: {},
  });
  return { kind: "signed-in", user, source, ...(device !== undefined && { device }) };
}

/** The trigger that may refuse a sign-in. @param user Undefined for one who is not there. */
export async function preAuthenticate(door: Door, user: User | undefined, username: string): Promise<void> {
  const { userPools, pool, asking } = door;
  await callTrigger(userPools, pool, asking, {
    trigger: "PreAuthentication",
    source: "PreAuthentication_Authentication",
    username: user?.username ?? username,
    request: {
      userAttributes: user ? eventAttributes(pool, user) : {},
      validationData: asking.validationData ?? null,
      ...(!user && { userNotFound: true }),
    },
    response: {},
  });
}

/** @throws AwsError for a user who cannot sign in whatever they prove */
export function requireAble(user: User): void {
  if (!user.enabled) throw notAuthorized("User is disabled.");
  if (user.status === "RESET_REQUIRED") throw resetRequired();
}
