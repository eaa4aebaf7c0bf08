/** A pool's second factors: GetUserPoolMfaConfig and SetUserPoolMfaConfig. */
import { notImplemented } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, UserPools } from "../deps.ts";
import { invalidParameter } from "../errors.ts";
import { requirePool } from "../pools/lookup.ts";
import { missingFactor } from "../pools/settings.ts";
import type { PoolSettings } from "../pools/settings.ts";
import { readSms, requireSmsRole } from "../pools/sms.ts";
import { updatePool } from "../store/pools.ts";

type Config = Output<Client, "GetUserPoolMfaConfig">;
type Asked = Input<Client, "SetUserPoolMfaConfig">;

export async function getUserPoolMfaConfig(
  { database }: UserPools,
  { UserPoolId }: Input<Client, "GetUserPoolMfaConfig">,
  context: RequestContext,
): Promise<Config> {
  return describe((await requirePool(database, context, UserPoolId)).settings);
}

export async function setUserPoolMfaConfig(
  userPools: UserPools,
  input: Input<Client, "SetUserPoolMfaConfig">,
  context: RequestContext,
): Promise<Output<Client, "SetUserPoolMfaConfig">> {
  const { clock, database } = userPools;
  const { SmsMfaConfiguration: sms, EmailMfaConfiguration, WebAuthnConfiguration } = input;
  if (EmailMfaConfiguration) throw notImplemented("EmailMfaConfiguration: MFA by e-mail");
  if (WebAuthnConfiguration) throw notImplemented("WebAuthnConfiguration: passkeys");
  const before = await requirePool(database, context, input.UserPoolId);
  const newSms = readSms(sms?.SmsConfiguration, before.region);
  await requireSmsRole(userPools, before, newSms);
  return database.tx(async (tx) => {
    const pool = await requirePool(tx, context, input.UserPoolId);
    const settings = changed(pool.settings, input, newSms);
    await updatePool(tx, { ...pool, settings, modifiedAt: clock.now() });
    return describe(settings);
  });
}

/** @throws AwsError for MFA without a factor, and for factors without MFA */
function changed(
  before: PoolSettings,
  { MfaConfiguration: mfa = "OFF", SmsMfaConfiguration: sms, SoftwareTokenMfaConfiguration: totp }: Asked,
  newSms: PoolSettings["SmsConfiguration"],
): PoolSettings {
  const softwareTokenMfa = totp?.Enabled ?? false;
  if (mfa === "OFF" && (sms || softwareTokenMfa))
    throw invalidParameter(
      "Invalid MFA configuration given, can't turn off MFA and configure an MFA together.",
    );
  const SmsConfiguration = newSms ?? before.SmsConfiguration;
  const smsMfa = sms !== undefined && SmsConfiguration !== undefined;
  if ((sms && !smsMfa) || (mfa !== "OFF" && !softwareTokenMfa && !smsMfa)) throw missingFactor();
  const factors = { ...before, softwareTokenMfa, smsMfa, mfa };
  if (!sms || !SmsConfiguration) return factors;
  const { SmsAuthenticationMessage: _before, ...rest } = factors;
  const { SmsAuthenticationMessage: text } = sms;
  return { ...rest, SmsConfiguration, ...(text !== undefined && { SmsAuthenticationMessage: text }) };
}

function describe(settings: PoolSettings): Config {
  const { mfa, softwareTokenMfa, smsMfa, SmsConfiguration, SmsAuthenticationMessage } = settings;
  return {
    ...(smsMfa === true && {
      SmsMfaConfiguration: {
        ...(SmsAuthenticationMessage !== undefined && { SmsAuthenticationMessage }),
        ...(SmsConfiguration && { SmsConfiguration }),
      },
    }),
    ...(softwareTokenMfa && { SoftwareTokenMfaConfiguration: { Enabled: true } }),
    MfaConfiguration: mfa,
  };
}
