/** A pool's second factors: GetUserPoolMfaConfig and SetUserPoolMfaConfig. */
import { notImplemented } from "../../../aws/errors.ts";
import type { Input, Output, RequestContext } from "../../../aws/service.ts";
import type { Client, UserPools } from "../deps.ts";
import { requirePool } from "../pools/lookup.ts";
import { missingFactor } from "../pools/settings.ts";
import type { PoolSettings } from "../pools/settings.ts";
import { updatePool } from "../store/pools.ts";

type Config = Output<Client, "GetUserPoolMfaConfig">;

export async function getUserPoolMfaConfig(
  { database }: UserPools,
  { UserPoolId }: Input<Client, "GetUserPoolMfaConfig">,
  context: RequestContext,
): Promise<Config> {
  return describe((await requirePool(database, context, UserPoolId)).settings);
}

export async function setUserPoolMfaConfig(
  { clock, database }: UserPools,
  input: Input<Client, "SetUserPoolMfaConfig">,
  context: RequestContext,
): Promise<Output<Client, "SetUserPoolMfaConfig">> {
  const { SmsMfaConfiguration, EmailMfaConfiguration, WebAuthnConfiguration } = input;
  if (SmsMfaConfiguration) throw notImplemented("SmsMfaConfiguration: MFA by SMS");
  if (EmailMfaConfiguration) throw notImplemented("EmailMfaConfiguration: MFA by e-mail");
  if (WebAuthnConfiguration) throw notImplemented("WebAuthnConfiguration: passkeys");
  return database.tx(async (tx) => {
    const pool = await requirePool(tx, context, input.UserPoolId);
    const settings: PoolSettings = {
      ...pool.settings,
      softwareTokenMfa: input.SoftwareTokenMfaConfiguration?.Enabled ?? false,
      mfa: input.MfaConfiguration ?? "OFF",
    };
    if (settings.mfa !== "OFF" && !settings.softwareTokenMfa) throw missingFactor();
    await updatePool(tx, { ...pool, settings, modifiedAt: clock.now() });
    return describe(settings);
  });
}

function describe({ mfa, softwareTokenMfa }: PoolSettings): Config {
  return {
    ...(softwareTokenMfa && { SoftwareTokenMfaConfiguration: { Enabled: true } }),
    MfaConfiguration: mfa,
  };
}
