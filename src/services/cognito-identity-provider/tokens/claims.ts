/** What stands in tokens. @see https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-id-token.html */
import type { PoolClient } from "../store/clients.ts";
import type { GroupRow } from "../store/groups.ts";
import type { GroupClaims, TokenChanges } from "../triggers/pre-token.ts";
import { mayRead } from "../users/attributes.ts";
import type { User } from "../users/user.ts";
import type { Claims } from "./jwt.ts";

/** What both tokens of a sign-in have. */
export interface CommonClaims {
  readonly issuer: string;
  readonly eventId: string;
  /** Absent for clients whose tokens cannot be revoked. */
  readonly originJti: string | undefined;
  /** Epoch seconds. */
  readonly authTime: number;
  readonly issuedAt: number;
}

const BOOLEANS = new Set(["email_verified", "phone_number_verified"]);

/** Which scope lets the userInfo endpoint and hosted sign-ins tell which attributes; with `openid` alone all are told. */
const SCOPE_ATTRIBUTES: Readonly<Record<string, readonly string[]>> = {
  email: ["email", "email_verified"],
  phone: ["phone_number", "phone_number_verified"],
};

/** What no trigger changes. */
const FIXED = new Set([
  "acr",
  "amr",
  "at_hash",
  "aud",
  "auth_time",
  "azp",
  "client_id",
  "cognito:username",
  "device_key",
  "event_id",
  "exp",
  "iat",
  "identities",
  "iss",
  "jti",
  "nbf",
  "nonce",
  "origin_jti",
  "sub",
  "token_use",
  "username",
  "version",
]);

const rank = ({ precedence }: GroupRow) => precedence ?? Number.MAX_SAFE_INTEGER;

/** A user's groups, the first by precedence first. */
export function groupClaims(rows: readonly GroupRow[]): GroupClaims {
  const sorted = [...rows].sort((a, b) => rank(a) - rank(b));
  const [first] = sorted;
  // Of several groups that come first by equal right, none's role is preferred over another.
  const best = sorted.filter((row) => first && rank(row) === rank(first) && row.precedence !== null);
  const bestRoles = new Set(best.flatMap(({ role_arn }) => role_arn ?? []));
  return {
    groups: sorted.map(({ name }) => name),
    roles: [...new Set(sorted.flatMap(({ role_arn }) => role_arn ?? []))],
    preferredRole: bestRoles.size === 1 ? [...bestRoles][0] : undefined,
  };
}

/** A user's attributes as claims, as far as a client's users may read them. */
export function attributeClaims(
  { sub, attributes }: User,
  client: PoolClient,
  scopes?: readonly string[],
): Record<string, unknown> {
  const told = scopes && attributesOfScopes(scopes);
  const entries = Object.entries(withVerdicts(attributes))
    .filter(([name]) => mayRead(client, name) && (!told || told.has(name)))
    .map(([name, value]) => [name, claimOf(name, value)]);
  return { sub, ...Object.fromEntries(entries) };
}

/** Tokens say of an address that it is not verified where nothing was said of it. */
function withVerdicts(attributes: User["attributes"]): User["attributes"] {
  return {
    ...(attributes["email"] !== undefined && { email_verified: "false" }),
    ...(attributes["phone_number"] !== undefined && { phone_number_verified: "false" }),
    ...attributes,
  };
}

function claimOf(name: string, value: string): unknown {
  if (BOOLEANS.has(name)) return value === "true";
  return name === "address" ? { formatted: value } : value;
}

/** Undefined where every attribute is told. */
function attributesOfScopes(scopes: readonly string[]): ReadonlySet<string> | undefined {
  if (scopes.includes("profile") || scopes.includes("aws.cognito.signin.user.admin")) return undefined;
  const named = scopes.flatMap((scope) => SCOPE_ATTRIBUTES[scope] ?? []);
  return named.length > 0 ? new Set(named) : undefined;
}

export function idClaims(
  user: User,
  client: PoolClient,
  common: CommonClaims,
  groups: GroupClaims,
  own: {
    readonly jti: string;
    readonly lifeMs: number;
    readonly nonce: string | undefined;
    scopes?: readonly string[];
  },
): Claims {
  const { groups: names, roles, preferredRole } = groups;
  return {
    ...attributeClaims(user, client, own.scopes),
    ...(names.length > 0 && { "cognito:groups": names }),
    ...(preferredRole !== undefined && { "cognito:preferred_role": preferredRole }),
    iss: common.issuer,
    "cognito:username": user.username,
    ...(roles.length > 0 && { "cognito:roles": roles }),
    ...(own.nonce !== undefined && { nonce: own.nonce }),
    ...(common.originJti !== undefined && { origin_jti: common.originJti }),
    aud: client.clientId,
    event_id: common.eventId,
    token_use: "id",
    auth_time: common.authTime,
    exp: common.issuedAt + Math.floor(own.lifeMs / 1_000),
    iat: common.issuedAt,
    jti: own.jti,
  };
}

export function accessClaims(
  user: User,
  client: PoolClient,
  common: CommonClaims,
  { groups }: GroupClaims,
  own: {
    readonly jti: string;
    readonly lifeMs: number;
    readonly scopes: readonly string[];
    /** "" for none. */
    readonly deviceKey: string;
    readonly isHosted: boolean;
  },
): Claims {
  return {
    sub: user.sub,
    ...(own.deviceKey !== "" && { device_key: own.deviceKey }),
    ...(groups.length > 0 && { "cognito:groups": groups }),
    iss: common.issuer,
    // As on AWS, of the OAuth endpoints alone.
    ...(own.isHosted && { version: 2 }),
    client_id: client.clientId,
    ...(common.originJti !== undefined && { origin_jti: common.originJti }),
    event_id: common.eventId,
    token_use: "access",
    scope: own.scopes.join(" "),
    auth_time: common.authTime,
    exp: common.issuedAt + Math.floor(own.lifeMs / 1_000),
    iat: common.issuedAt,
    jti: own.jti,
    username: user.username,
  };
}

/** Claims with what a trigger adds and takes away; what proves who the token is of stays. */
export function changed(claims: Claims, { add, suppress }: TokenChanges): Claims {
  const kept = Object.entries(claims).filter(([name]) => FIXED.has(name) || !suppress.includes(name));
  const added = Object.entries(add).filter(([name]) => !FIXED.has(name) && !suppress.includes(name));
  return { ...Object.fromEntries(kept), ...Object.fromEntries(added) };
}
