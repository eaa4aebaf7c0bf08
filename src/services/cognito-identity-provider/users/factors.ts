/** A user's factors beside the password: which they chose, and which a sign-in asks for. */
import type { MFAOptionType } from "@aws-sdk/client-cognito-identity-provider";
import type { Pool } from "../store/pools.ts";
import type { User } from "./user.ts";

export type Factor = "SMS_MFA" | "SOFTWARE_TOKEN_MFA";

/** What the user chose and has; a phone number need not be verified, its first code verifies it. */
function chosen({ attributes, credentials }: User): Factor[] {
  const { totp, mfaEnabled, smsEnabled } = credentials;
  return [
    ...(smsEnabled === true && attributes["phone_number"] !== undefined ? (["SMS_MFA"] as const) : []),
    ...(mfaEnabled === true && totp !== undefined ? (["SOFTWARE_TOKEN_MFA"] as const) : []),
  ];
}

function isPreferred({ credentials: { mfaPreferred, smsPreferred } }: User, factor: Factor): boolean {
  return (factor === "SMS_MFA" ? smsPreferred : mfaPreferred) === true;
}

/** In AWS's words. */
export function mfaOf(user: User): { UserMFASettingList?: string[]; PreferredMfaSetting?: string } {
  const factors = chosen(user);
  if (factors.length === 0) return {};
  const preferred = factors.find((factor) => isPreferred(user, factor));
  return {
    UserMFASettingList: factors,
    ...(preferred !== undefined && { PreferredMfaSetting: preferred }),
  };
}

/** The earlier form of the same, which tells of SMS alone. */
export function mfaOptionsOf(user: User): { MFAOptions?: MFAOptionType[] } {
  if (!chosen(user).includes("SMS_MFA")) return {};
  return { MFAOptions: [{ DeliveryMedium: "SMS", AttributeName: "phone_number" }] };
}

/** The factors that a pool takes. */
export function factorsOf({ settings: { smsMfa, softwareTokenMfa } }: Pick<Pool, "settings">): Factor[] {
  return [
    ...(smsMfa === true ? (["SMS_MFA"] as const) : []),
    ...(softwareTokenMfa ? (["SOFTWARE_TOKEN_MFA"] as const) : []),
  ];
}

/** Which factor a sign-in asks for: none, one, or one of several as the user says. */
export function factorsAsked(pool: Pick<Pool, "settings">, user: User): Factor[] {
  const { mfa } = pool.settings;
  if (mfa === "OFF") return [];
  const taken = factorsOf(pool);
  const wanted = chosen(user).filter((factor) => taken.includes(factor));
  const preferred = wanted.find((factor) => isPreferred(user, factor));
  if (preferred !== undefined) return [preferred];
  if (wanted.length > 0 || mfa === "OPTIONAL") return wanted;
  // Where the pool requires MFA, what the user has is asked for without being chosen.
  const has = (factor: Factor) =>
    (factor === "SMS_MFA" ? user.attributes["phone_number"] : user.credentials.totp) !== undefined;
  return taken.filter(has);
}
