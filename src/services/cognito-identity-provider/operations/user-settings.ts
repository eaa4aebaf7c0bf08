/** SetUserSettings and AdminSetUserSettings: the earlier way of asking for MFA by SMS, of which clients still make use. */
import type { Input, RequestContext } from "../../../aws/service.ts";
import type { Client, UserPools } from "../deps.ts";
import { invalidParameter } from "../errors.ts";
import { requirePool } from "../pools/lookup.ts";
import type { Pool } from "../store/pools.ts";
import { requireAccess } from "../tokens/access.ts";
import type { User } from "../users/user.ts";
import { requireUser } from "../users/username.ts";
import { setPreference } from "./mfa.ts";

type Options = Input<Client, "SetUserSettings">["MFAOptions"];

export async function setUserSettings(
  userPools: UserPools,
  { AccessToken, MFAOptions }: Input<Client, "SetUserSettings">,
): Promise<object> {
  const { pool, user } = await requireAccess(userPools, AccessToken);
  return setOptions(userPools, pool, user, MFAOptions);
}

export async function adminSetUserSettings(
  userPools: UserPools,
  { UserPoolId, Username, MFAOptions }: Input<Client, "AdminSetUserSettings">,
  context: RequestContext,
): Promise<object> {
  const pool = await requirePool(userPools.database, context, UserPoolId);
  const user = await requireUser(userPools.database, pool, Username);
  return setOptions(userPools, pool, user, MFAOptions);
}

/** No option switches MFA by SMS off. @throws AwsError InvalidParameterException for anything but SMS to the phone number */
async function setOptions(
  userPools: UserPools,
  pool: Pool,
  user: User,
  options: Options = [],
): Promise<object> {
  for (const { DeliveryMedium, AttributeName } of options)
    if (DeliveryMedium !== "SMS" || AttributeName !== "phone_number")
      throw invalidParameter(
        "MFAOptions take the DeliveryMedium SMS and the AttributeName phone_number alone.",
      );
  await setPreference(userPools, pool, user, { SMSMfaSettings: { Enabled: options.length > 0 } });
  return {};
}
