/** What is set of a pool: read from requests, with AWS's defaults, and refused where it would not be done. */
import type {
  CreateUserPoolRequest,
  DeviceConfigurationType,
  UpdateUserPoolRequest,
  UserPoolType,
} from "@aws-sdk/client-cognito-identity-provider";
import { notImplemented } from "../../../aws/errors.ts";
import { invalidParameter } from "../errors.ts";
import { passwordPolicy } from "./password-policy.ts";
import type { PasswordPolicy } from "./password-policy.ts";
import { newSchema } from "./schema.ts";
import type { SchemaAttribute } from "./schema.ts";
import { readSms } from "./sms.ts";
import { readTriggers } from "./triggers-config.ts";

/** What DescribeUserPool tells of it, member by member. */
type Told = Pick<
  UserPoolType,
  | "AutoVerifiedAttributes"
  | "DeviceConfiguration"
  | "AliasAttributes"
  | "UsernameAttributes"
  | "SmsConfiguration"
  | "SmsAuthenticationMessage"
  | "SmsVerificationMessage"
  | "EmailVerificationMessage"
  | "EmailVerificationSubject"
  | "VerificationMessageTemplate"
  | "UserAttributeUpdateSettings"
  | "EmailConfiguration"
  | "AdminCreateUserConfig"
  | "UserPoolAddOns"
  | "UsernameConfiguration"
  | "AccountRecoverySetting"
>;

export interface PoolSettings extends Told {
  readonly passwordPolicy: PasswordPolicy;
  readonly deletionProtection: "ACTIVE" | "INACTIVE";
  readonly triggers: NonNullable<UserPoolType["LambdaConfig"]>;
  readonly schema: readonly SchemaAttribute[];
  readonly mfa: "OFF" | "ON" | "OPTIONAL";
  readonly softwareTokenMfa: boolean;
  /** Whether SMS is a second factor; a pool can have an SmsConfiguration for other messages alone. */
  readonly smsMfa?: boolean;
  readonly tier: "LITE" | "ESSENTIALS";
}

type Asked = Omit<CreateUserPoolRequest, "PoolName"> & Omit<UpdateUserPoolRequest, "UserPoolId">;

/** The settings of a new pool. @throws AwsError */
export function newSettings(input: CreateUserPoolRequest, region: string): PoolSettings {
  const { AliasAttributes, UsernameAttributes, UsernameConfiguration, Schema } = input;
  if (AliasAttributes?.length && UsernameAttributes?.length)
    throw invalidParameter(
      "Only one of the aliasAttributes or usernameAttributes can be set in a user pool.",
    );
  const { MfaConfiguration: mfa = "OFF" } = input;
  const changeables = changeable(input, region);
  // Only SetUserPoolMfaConfig switches TOTP on, so that a new pool has no factor but SMS.
  const smsMfa = changeables.SmsConfiguration !== undefined;
  if (mfa !== "OFF" && !smsMfa) throw missingFactor();
  return {
    ...changeables,
    ...present({ AliasAttributes, UsernameAttributes, UsernameConfiguration }),
    schema: newSchema(Schema),
    mfa,
    softwareTokenMfa: false,
    smsMfa,
  };
}

/** The settings after an update: what it does not name falls back to its default, but for what never changes. */
export function updatedSettings(
  before: PoolSettings,
  input: UpdateUserPoolRequest,
  region: string,
): PoolSettings {
  const { AliasAttributes, UsernameAttributes, UsernameConfiguration, schema, softwareTokenMfa } = before;
  const { MfaConfiguration: mfa = before.mfa } = input;
  const changeables = changeable(input, region);
  // A pool that has TOTP alone has an SmsConfiguration for other messages.
  const smsMfa = changeables.SmsConfiguration !== undefined && (before.smsMfa === true || !softwareTokenMfa);
  if (mfa !== "OFF" && !softwareTokenMfa && !smsMfa) throw missingFactor();
  return {
    ...changeables,
    ...present({ AliasAttributes, UsernameAttributes, UsernameConfiguration }),
    schema,
    softwareTokenMfa,
    smsMfa,
    mfa,
  };
}

export function missingFactor() {
  return invalidParameter(
    "SMS configuration and Auto verification for phone_number are required when MFA is required/optional",
  );
}

type Changeable = Omit<PoolSettings, "schema" | "mfa" | "softwareTokenMfa" | "smsMfa">;

function changeable(input: Asked, region: string): Changeable {
  refuse(input);
  const {
    AdminCreateUserConfig: admin,
    EmailConfiguration: email,
    VerificationMessageTemplate: text,
  } = input;
  checkRecovery(input);
  const policy = passwordPolicy(input.Policies?.PasswordPolicy);
  const days = policy.TemporaryPasswordValidityDays;
  return {
    passwordPolicy: policy,
    deletionProtection: input.DeletionProtection ?? "INACTIVE",
    triggers: readTriggers(input.LambdaConfig, region),
    tier: input.UserPoolTier === "LITE" ? "LITE" : "ESSENTIALS",
    AdminCreateUserConfig: {
      AllowAdminCreateUserOnly: false,
      UnusedAccountValidityDays: days,
      ...present(admin ?? {}),
    },
    EmailConfiguration: { EmailSendingAccount: "COGNITO_DEFAULT", ...present(email ?? {}) },
    VerificationMessageTemplate: { DefaultEmailOption: "CONFIRM_WITH_CODE", ...present(text ?? {}) },
    ...present({
      AutoVerifiedAttributes: input.AutoVerifiedAttributes,
      DeviceConfiguration: input.DeviceConfiguration && devicesOf(input.DeviceConfiguration),
      SmsConfiguration: readSms(input.SmsConfiguration, region),
      SmsAuthenticationMessage: input.SmsAuthenticationMessage,
      SmsVerificationMessage: input.SmsVerificationMessage ?? text?.SmsMessage,
      EmailVerificationMessage: input.EmailVerificationMessage ?? text?.EmailMessage,
      EmailVerificationSubject: input.EmailVerificationSubject ?? text?.EmailSubject,
      UserAttributeUpdateSettings: input.UserAttributeUpdateSettings,
      UserPoolAddOns: input.UserPoolAddOns,
      AccountRecoverySetting: input.AccountRecoverySetting,
    }),
  };
}

function devicesOf({
  ChallengeRequiredOnNewDevice = false,
  DeviceOnlyRememberedOnUserPrompt = false,
}: DeviceConfigurationType): DeviceConfigurationType {
  return { ChallengeRequiredOnNewDevice, DeviceOnlyRememberedOnUserPrompt };
}

function present<T extends object>(members: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as never;
}

function checkRecovery({ AccountRecoverySetting: setting }: Asked): void {
  const names = setting?.RecoveryMechanisms?.map(({ Name }) => Name) ?? [];
  if (names.includes("admin_only") && names.length > 1)
    throw invalidParameter(
      "Account Recovery Setting cannot use admin_only setting with any other mechanisms.",
    );
}

/** Nothing is kept that is not done. @throws AwsError NotImplemented, naming the member and what is missing */
function refuse(input: Asked): void {
  const { EmailConfiguration: email, UserPoolAddOns: addOns } = input;
  const factors = input.Policies?.SignInPolicy?.AllowedFirstAuthFactors ?? [];
  const other = factors.find((factor) => factor !== "PASSWORD");
  const refused: readonly (readonly [unknown, string])[] = [
    [email?.SourceArn ?? email?.From ?? email?.ConfigurationSet, "EmailConfiguration of Amazon SES"],
    [email?.EmailSendingAccount === "DEVELOPER", "EmailSendingAccount DEVELOPER: Amazon SES"],
    [addOns && addOns.AdvancedSecurityMode !== "OFF", "AdvancedSecurityMode: threat protection"],
    [addOns?.AdvancedSecurityAdditionalFlows, "AdvancedSecurityAdditionalFlows"],
    [input.UserPoolTier === "PLUS", "UserPoolTier PLUS: threat protection"],
    [other, `AllowedFirstAuthFactors ${other}`],
    [input.DcrConfiguration, "DcrConfiguration"],
    [input.KeyConfiguration, "KeyConfiguration"],
    [input.IssuerConfiguration, "IssuerConfiguration"],
    [input.AcrConfiguration, "AcrConfiguration"],
  ];
  for (const [given, what] of refused) if (given) throw notImplemented(`user pools with ${what}`);
}
