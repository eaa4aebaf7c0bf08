/** What is set of a pool's client: read from requests, with AWS's defaults, and refused where it would not be done. */
import type {
  CreateUserPoolClientRequest,
  UserPoolClientType,
} from "@aws-sdk/client-cognito-identity-provider";
import { AwsError, notImplemented } from "../../../aws/errors.ts";
import { invalidParameter } from "../errors.ts";
import { checkAddresses } from "./addresses.ts";
import type { PoolSettings } from "../pools/settings.ts";

export type ClientSettings = Omit<
  UserPoolClientType,
  "UserPoolId" | "ClientName" | "ClientId" | "ClientSecret" | "LastModifiedDate" | "CreationDate"
>;

type Asked = Omit<CreateUserPoolClientRequest, "UserPoolId" | "ClientName" | "GenerateSecret">;

const FLOWS_DEFAULT = ["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_CUSTOM_AUTH"] as const;
const REFRESH_DAYS_DEFAULT = 30;
const SESSION_MINUTES_DEFAULT = 3;
const UNIT_MS = { seconds: 1_000, minutes: 60_000, hours: 3_600_000, days: 86_400_000 } as const;
const HOUR_MS = UNIT_MS.hours;
const MINUTE_MS = UNIT_MS.minutes;
/** Of ID and access tokens, and of refresh tokens: shortest and longest life. */
const TOKEN_RANGE_MS = [5 * MINUTE_MS, 24 * HOUR_MS] as const;
const REFRESH_RANGE_MS = [HOUR_MS, 3_650 * UNIT_MS.days] as const;
const RETRY_GRACE_SECONDS_MAX = 60;

/** @throws AwsError for what cannot be, or is not done */
export function readSettings(input: Asked, pool: PoolSettings): ClientSettings {
  refuse(input);
  const settings: ClientSettings = {
    ...present({
      ReadAttributes: input.ReadAttributes,
      WriteAttributes: input.WriteAttributes,
      TokenValidityUnits: input.TokenValidityUnits,
      IdTokenValidity: input.IdTokenValidity,
      AccessTokenValidity: input.AccessTokenValidity,
      SupportedIdentityProviders: input.SupportedIdentityProviders,
      CallbackURLs: input.CallbackURLs,
      LogoutURLs: input.LogoutURLs,
      DefaultRedirectURI: input.DefaultRedirectURI,
      AllowedOAuthFlows: input.AllowedOAuthFlows,
      AllowedOAuthScopes: input.AllowedOAuthScopes,
      PreventUserExistenceErrors: input.PreventUserExistenceErrors,
      RefreshTokenRotation: input.RefreshTokenRotation,
    }),
    // 0 stands for the default.
    RefreshTokenValidity: input.RefreshTokenValidity || REFRESH_DAYS_DEFAULT,
    ExplicitAuthFlows: input.ExplicitAuthFlows?.length ? input.ExplicitAuthFlows : [...FLOWS_DEFAULT],
    AllowedOAuthFlowsUserPoolClient: input.AllowedOAuthFlowsUserPoolClient ?? false,
    EnableTokenRevocation: input.EnableTokenRevocation ?? true,
    EnablePropagateAdditionalUserContextData: false,
    AuthSessionValidity: input.AuthSessionValidity ?? SESSION_MINUTES_DEFAULT,
  };
  checkLives(settings);
  checkAttributes(settings, pool);
  if (pool.tier === "LITE" && settings.ExplicitAuthFlows?.includes("ALLOW_USER_AUTH"))
    throw new AwsError(
      "FeatureUnavailableInTierException",
      "ALLOW_USER_AUTH is not available in the tier LITE: use ESSENTIALS.",
    );
  checkAddresses("CallbackURLs", settings.CallbackURLs);
  checkAddresses("LogoutURLs", settings.LogoutURLs);
  checkFlows(settings);
  return settings;
}

function present<T extends object>(members: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as never;
}

/** How long tokens of a client live, in milliseconds. */
export function tokenLives(settings: ClientSettings): { id: number; access: number; refresh: number } {
  const { TokenValidityUnits: units = {} } = settings;
  const { IdTokenValidity = 0, AccessTokenValidity = 0, RefreshTokenValidity = 0 } = settings;
  return {
    id: IdTokenValidity > 0 ? IdTokenValidity * UNIT_MS[units.IdToken ?? "hours"] : HOUR_MS,
    access: AccessTokenValidity > 0 ? AccessTokenValidity * UNIT_MS[units.AccessToken ?? "hours"] : HOUR_MS,
    refresh: RefreshTokenValidity * UNIT_MS[units.RefreshToken ?? "days"],
  };
}

/** How long what a client began may wait for its next step, in milliseconds. */
export function sessionMs({ AuthSessionValidity = SESSION_MINUTES_DEFAULT }: ClientSettings): number {
  return AuthSessionValidity * MINUTE_MS;
}

export function hidesUsers({ PreventUserExistenceErrors }: ClientSettings): boolean {
  return PreventUserExistenceErrors === "ENABLED";
}

function checkLife(what: string, ms: number, [min, max]: readonly [number, number]): void {
  if (ms >= min && ms <= max) return;
  throw invalidParameter(
    `Invalid range for token validity: ${what} must be between ${min / 1_000} and ${max / 1_000} seconds.`,
  );
}

function checkLives(settings: ClientSettings): void {
  const { id, access, refresh } = tokenLives(settings);
  checkLife("the ID token's", id, TOKEN_RANGE_MS);
  checkLife("the access token's", access, TOKEN_RANGE_MS);
  checkLife("the refresh token's", refresh, REFRESH_RANGE_MS);
  if (refresh < id || refresh < access)
    throw invalidParameter("Invalid range for token validity: a refresh token must outlive the others.");
  const { RetryGracePeriodSeconds: grace = 0 } = settings.RefreshTokenRotation ?? {};
  if (grace > RETRY_GRACE_SECONDS_MAX)
    throw invalidParameter(`RetryGracePeriodSeconds must be at most ${RETRY_GRACE_SECONDS_MAX}.`);
}

function checkAttributes(settings: ClientSettings, { schema }: PoolSettings): void {
  const known = new Set(schema.map(({ Name }) => Name));
  const lists = [
    ["write", settings.WriteAttributes],
    ["read", settings.ReadAttributes],
  ] as const;
  for (const [what, names = []] of lists)
    for (const name of names)
      if (!known.has(name))
        throw invalidParameter(`Invalid ${what} attributes specified while creating a client`);
  const missing = schema.find(
    ({ Name, Required }) =>
      Required && Name !== "sub" && settings.WriteAttributes && !settings.WriteAttributes.includes(Name),
  );
  if (missing) throw invalidParameter("Invalid write attributes specified while creating a client");
}

function checkFlows(settings: ClientSettings): void {
  const flows = settings.ExplicitAuthFlows ?? [];
  const named = flows.filter((flow) => flow.startsWith("ALLOW_"));
  if (named.length > 0 && named.length < flows.length)
    throw invalidParameter("Explicit auth flows with and without the prefix ALLOW_ cannot be used together.");
  const { AllowedOAuthFlows: grants = [], CallbackURLs = [], AllowedOAuthScopes: scopes = [] } = settings;
  if (grants.includes("client_credentials") && grants.length > 1)
    throw invalidOAuth("client_credentials flow can not be selected along with code flow or implicit flow.");
  if (settings.AllowedOAuthFlowsUserPoolClient === true && grants.length > 0 && scopes.length === 0)
    throw invalidOAuth("AllowedOAuthScopes are required if user pool client is allowed to use OAuth flows.");
  const pages = grants.includes("code") || grants.includes("implicit");
  if (settings.AllowedOAuthFlowsUserPoolClient === true && pages && CallbackURLs.length === 0)
    throw invalidOAuth("At least one callback URL is required for the code and implicit flows.");
  if (settings.DefaultRedirectURI !== undefined && !CallbackURLs.includes(settings.DefaultRedirectURI))
    throw invalidParameter(
      `Default redirect URI ${settings.DefaultRedirectURI} must be one of the callback URLs.`,
    );
}

/** @throws AwsError for a client without a secret that is to sign in by it */
export function checkSecret({ AllowedOAuthFlows: flows = [] }: ClientSettings, hasSecret: boolean): void {
  if (flows.includes("client_credentials") && !hasSecret)
    throw invalidOAuth(
      "client_credentials flow can not be selected if client does not have a client secret.",
    );
}

function invalidOAuth(message: string) {
  return new AwsError("InvalidOAuthFlowException", message);
}

/** @throws AwsError NotImplemented, naming the member and what is missing */
function refuse(input: Asked): void {
  const provider = input.SupportedIdentityProviders?.find((name) => name !== "COGNITO");
  const context = input.EnablePropagateAdditionalUserContextData;
  const refused: readonly (readonly [unknown, string])[] = [
    [input.AnalyticsConfiguration, "AnalyticsConfiguration: Amazon Pinpoint"],
    [provider, `SupportedIdentityProviders ${provider}: federation`],
    [context, "EnablePropagateAdditionalUserContextData: threat protection"],
  ];
  for (const [given, what] of refused) if (given) throw notImplemented(`user pool clients with ${what}`);
}
