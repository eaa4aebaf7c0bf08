/** Gives out the tokens of a sign-in, and new ones for a refresh token. */
import { createHash } from "node:crypto";
import type { AuthenticationResultType } from "@aws-sdk/client-cognito-identity-provider";
import { AwsError } from "../../../aws/errors.ts";
import { tokenLives } from "../clients/settings.ts";
import type { UserPools } from "../deps.ts";
import { notAuthorized, userNotFound } from "../errors.ts";
import type { PoolClient } from "../store/clients.ts";
import { groupsOfUser } from "../store/groups.ts";
import type { Pool } from "../store/pools.ts";
import {
  endSession,
  exchangeRefresh,
  getSession,
  insertSession,
  sessionByRefresh,
} from "../store/sessions.ts";
import type { SessionRow } from "../store/sessions.ts";
import { getUser } from "../store/users.ts";
import type { Asking } from "../triggers/call.ts";
import { tokenOverrides } from "../triggers/pre-token.ts";
import type { TokenSource } from "../triggers/pre-token.ts";
import type { User } from "../users/user.ts";
import { accessClaims, changed, groupClaims, idClaims } from "./claims.ts";
import { issuerOf } from "./issuer.ts";
import { signJwt } from "./jwt.ts";
import { endOf, hashOf, newRefreshToken } from "./refresh-token.ts";

/** What the API's own operations by access token need of it. */
export const SIGN_IN_SCOPE = "aws.cognito.signin.user.admin";

/** Somebody who has proved who they are, to a client. */
export interface SignedIn {
  readonly pool: Pool;
  readonly client: PoolClient;
  readonly user: User;
}

export interface TokenRequest extends SignedIn {
  readonly asking: Asking;
  readonly source: TokenSource;
  readonly scopes: readonly string[];
  /** Of an OpenID request. */
  readonly nonce?: string | undefined;
  /** Of the device that is signed in on. */
  readonly deviceKey?: string | undefined;
}

type Tokens = AuthenticationResultType & { readonly AccessToken: string };

/** Tokens of a new sign-in. */
export async function issueTokens(userPools: UserPools, request: TokenRequest): Promise<Tokens> {
  const { pool, client, user } = request;
  const { clock, ids, database } = userPools;
  const expiresAt = clock.now() + tokenLives(client.settings).refresh;
  const refresh = newRefreshToken(pool, expiresAt);
  const session: SessionRow = {
    event_id: ids.uuid(),
    pool_id: pool.poolId,
    client_id: client.clientId,
    username_key: user.key,
    origin_jti: ids.uuid(),
    auth_time: Math.floor(clock.now() / 1_000),
    scopes: request.scopes.join(" "),
    refresh_hash: hashOf(refresh),
    previous_hash: "",
    previous_until: 0,
    expires_at: expiresAt,
    device_key: request.deviceKey ?? "",
  };
  const tokens = await signTokens(userPools, request, session);
  await database.tx((tx) => insertSession(tx, session));
  return { ...tokens, RefreshToken: refresh };
}

async function signTokens(
  userPools: UserPools,
  { pool, client, user, asking, source, scopes, nonce }: TokenRequest,
  session: SessionRow,
): Promise<Tokens> {
  const { clock, ids, database, keys } = userPools;
  const groups = groupClaims(await groupsOfUser(database, pool.poolId, user.key));
  const overrides = await tokenOverrides(userPools, pool, client, asking, { source, user, groups, scopes });
  const lives = tokenLives(client.settings);
  const common = {
    issuer: issuerOf(userPools, pool),
    eventId: session.event_id,
    originJti: client.settings.EnableTokenRevocation === false ? undefined : session.origin_jti,
    authTime: session.auth_time,
    issuedAt: Math.floor(clock.now() / 1_000),
  };
  const isHosted = scopes.join(" ") !== SIGN_IN_SCOPE;
  const id = idClaims(user, client, common, overrides.groups, {
    jti: ids.uuid(),
    lifeMs: lives.id,
    nonce,
    ...(isHosted && { scopes }),
  });
  const access = accessClaims(user, client, common, overrides.groups, {
    jti: ids.uuid(),
    lifeMs: lives.access,
    scopes: overrides.scopes,
    deviceKey: session.device_key,
    isHosted,
  });
  const key = await keys.current(pool.poolId);
  const AccessToken = signJwt(key, changed(access, overrides.access));
  const signedId = changed({ ...id, ...(isHosted && { at_hash: halfHash(AccessToken) }) }, overrides.id);
  return {
    AccessToken,
    ExpiresIn: Math.floor(lives.access / 1_000),
    TokenType: "Bearer",
    ...((!isHosted || scopes.includes("openid")) && { IdToken: signJwt(key, signedId) }),
  };
}

/** By which an ID token of an OpenID request names its access token: the first half of its hash. */
function halfHash(token: string): string {
  return createHash("sha256").update(token).digest().subarray(0, 16).toString("base64url");
}

/**
 * The sign-in that a refresh token of a client stands for.
 * @throws AwsError NotAuthorizedException for one that is none, of another client, revoked, or that has ended
 */
export async function requireRefresh(
  { database, clock }: UserPools,
  pool: Pool,
  client: PoolClient,
  { token, device }: { readonly token: string; readonly device?: string | undefined },
): Promise<{ readonly session: SessionRow; readonly user: User }> {
  const found = await sessionByRefresh(database, hashOf(token));
  const session = found?.session;
  if (!session) throw ended(endOf(pool, token), clock.now());
  if (session.client_id !== client.clientId) throw notAuthorized("Invalid Refresh Token");
  if (session.expires_at <= clock.now()) throw notAuthorized("Refresh Token has expired");
  if (found.isPrevious && session.previous_until <= clock.now())
    throw new AwsError("RefreshTokenReuseException", "Refresh token has been used before.");
  // What was given to a device is taken from that device.
  if (session.device_key !== "" && session.device_key !== device)
    throw notAuthorized("Invalid Refresh Token");
  const user = await getUser(database, pool.poolId, session.username_key);
  if (!user) throw userNotFound();
  if (!user.enabled) throw notAuthorized("User is disabled.");
  return { session, user };
}

/** Why a token is not taken that is of no sign-in. */
function ended(end: number | undefined, now: number): AwsError {
  if (end === undefined) return notAuthorized("Invalid Refresh Token");
  return notAuthorized(end <= now ? "Refresh Token has expired" : "Refresh Token has been revoked");
}

/** New tokens for a sign-in, and with `rotateMs` another refresh token, the old one being taken for so long yet. */
export async function refreshTokens(
  userPools: UserPools,
  request: SignedIn & { readonly asking: Asking },
  session: SessionRow,
  rotateMs?: number,
): Promise<Tokens> {
  const scopes = session.scopes === "" ? [] : session.scopes.split(" ");
  const full = { ...request, scopes, source: "TokenGeneration_RefreshTokens" as const };
  const tokens = await signTokens(userPools, full, session);
  if (rotateMs === undefined) {
    // Who signed out meanwhile gets none.
    if (!(await getSession(userPools.database, session.event_id)))
      throw notAuthorized("Refresh Token has been revoked");
    return tokens;
  }
  const refresh = newRefreshToken(request.pool, session.expires_at);
  const now = userPools.clock.now();
  await userPools.database.tx(async (tx) => {
    const current = await getSession(tx, session.event_id);
    if (!current) throw notAuthorized("Refresh Token has been revoked");
    await exchangeRefresh(tx, {
      ...current,
      refresh_hash: hashOf(refresh),
      previous_hash: current.refresh_hash,
      previous_until: now + rotateMs,
    });
  });
  return { ...tokens, RefreshToken: refresh };
}

/** Ends the sign-in of a refresh token, and with it the access tokens that came of it. */
export async function revokeRefresh(
  { database }: UserPools,
  client: PoolClient,
  refreshToken: string,
): Promise<void> {
  await database.tx(async (tx) => {
    const found = await sessionByRefresh(tx, hashOf(refreshToken));
    if (found?.session.client_id === client.clientId) await endSession(tx, found.session.event_id);
  });
}
